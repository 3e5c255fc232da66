"""What a cut makes of any reply: an id, a refusal, or honestly nothing."""

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from disksnapshot.window.cut import LAST_LOOK_SECONDS, LOOKUP_PAUSES, Cut, NoWatch
from disksnapshot.window.hold import (
    CloudAddress,
    DiskFacts,
    Go,
    HoldError,
    SignedLookUp,
    SignedRequest,
)
from lab.scripted import CLOSE, Answer, ScriptedCloud, reply

DISK = "disk-12345678"
REQUEST = SignedRequest(disk_id=DISK, payload=b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
LOOK_UP = SignedLookUp(disk_ids=(DISK,), payload=REQUEST.payload)
GO = Go(cuts=(REQUEST,), lookups=(LOOK_UP,), names=((DISK, "ours"),), signed=0)


def response(**content: object) -> bytes:
    return json.dumps({"Response": {"RequestId": "r-1", **content}}).encode()


CREATED = response(SnapshotId="snap-1")


def listing(*snapshots: tuple[str | None, str, str]) -> bytes:
    named = [{"SnapshotId": i, "SnapshotName": n, "DiskId": d} for i, n, d in snapshots]
    return reply(response(SnapshotSet=named, TotalCount=len(named)))


class Cutting:
    """A cut whose cloud answers by a script."""

    def __init__(self, cloud: ScriptedCloud, cut: Cut) -> None:
        self.cloud = cloud
        self.cut = cut

    def send(self, seconds: float = 1.0) -> DiskFacts:
        self.cut.send(GO.cuts)
        self.cut.wait(time.monotonic() + seconds, NoWatch())
        return self.cut.facts[0]

    def look_up(self, seconds: float = 1.0, *, visible: bool = True) -> DiskFacts:
        self.cut.look_up(GO, time.monotonic() + seconds, RestlessWatch(), visible=visible)
        return self.cut.facts[0]


class RestlessWatch(NoWatch):
    """Nothing is held, and time passes as it does in a hold."""

    def rest(self, seconds: float) -> bool:
        time.sleep(seconds)
        return True


Script = Callable[..., Cutting]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    with ExitStack() as stack:

        def start(*answers: tuple[Answer, ...]) -> Cutting:
            cloud = stack.enter_context(ScriptedCloud(tmp_path, *answers))
            cut = Cut(address(cloud), [DISK])
            stack.callback(cut.close)
            cut.connect(time.monotonic() + 5)
            return Cutting(cloud, cut)

        yield start


def address(cloud: ScriptedCloud) -> CloudAddress:
    return CloudAddress(host="127.0.0.1", port=cloud.port, ca_file=cloud.ca_file)


@pytest.mark.parametrize(
    "pieces",
    [
        (reply(CREATED),),
        (reply(CREATED)[:30], reply(CREATED)[30:]),
        tuple(bytes([byte]) for byte in reply(CREATED)),
        (reply(gzip.compress(CREATED), "Content-Encoding: gzip"),),
        (reply(zlib.compress(CREATED), "Content-Encoding: deflate"),),
        (b"HTTP/1.1 200 OK\r\n\r\n" + CREATED, CLOSE),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(CREATED), CREATED),
        ),
    ],
    ids=["whole", "in two", "by bytes", "gzip", "deflate", "until closed", "chunked"],
)
def test_an_id_is_read_in_whatever_form_it_comes(
    script: Script, pieces: tuple[Answer, ...]
) -> None:
    facts = script(pieces).send()
    assert (facts.sent, facts.snapshot_id, facts.request_id) == (True, "snap-1", "r-1")
    assert not facts.code


def test_an_error_is_a_refusal_with_its_code(script: Script) -> None:
    error = response(Error={"Code": "ResourceBusy", "Message": "it is busy"})
    facts = script((reply(error),)).send()
    assert (facts.code, facts.message) == ("ResourceBusy", "it is busy")
    assert not facts.snapshot_id


@pytest.mark.parametrize(
    "pieces",
    [
        (CLOSE,),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", CLOSE),
        (reply(b"<html>"),),
        (reply(CREATED[:20]),),
        (reply(b"null"),),
        (reply(b'{"Response": []}'),),
        (reply(response(SnapshotId=None)),),
        (reply(b"", status="502 Bad Gateway"),),
        (reply(b"not gzip", "Content-Encoding: gzip"), CLOSE),
        (b"SSH-2.0-garbage\r\n\r\n", CLOSE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", CLOSE),
    ],
    ids=[
        *("closed", "cut off", "html", "half json", "null", "no object", "null id", "502"),
        *("bad gzip", "garbage", "bad chunk"),
    ],
)
def test_anything_else_leaves_the_outcome_unknown(
    script: Script, pieces: tuple[Answer, ...]
) -> None:
    cutting = script(pieces)
    facts = cutting.send()
    assert facts.sent
    assert (facts.snapshot_id, facts.code) == ("", "")
    assert facts.message
    assert cutting.cut.answered


def test_an_endless_reply_ends_at_a_limit(script: Script) -> None:
    cutting = script((b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", b"x" * 10_000_000))
    facts = cutting.send(seconds=5)
    assert cutting.cut.answered
    assert facts.message == "the reply was too long"


def test_no_reply_is_waited_for_no_longer_than_asked(script: Script) -> None:
    cutting = script(())
    start = time.monotonic()
    facts = cutting.send(seconds=0.2)
    assert time.monotonic() - start < 2
    assert not cutting.cut.answered
    assert (facts.sent, facts.snapshot_id, facts.code) == (True, "", "")


def test_a_connection_that_the_cloud_closed_before_the_hold_is_replaced(script: Script) -> None:
    cutting = script((reply(CREATED),))
    cutting.cloud.close_connections()
    cutting.cut.refresh(time.monotonic() + 5)
    assert cutting.send().snapshot_id == "snap-1"


def test_a_refresh_leaves_living_connections_alone(script: Script) -> None:
    cutting = script((reply(CREATED),))
    before = list(cutting.cut._connections.values())  # noqa: SLF001 - shown nowhere else
    cutting.cut.refresh(time.monotonic() + 5)
    assert list(cutting.cut._connections.values()) == before  # noqa: SLF001 - the same


def test_a_lost_reply_is_found_by_name_and_disk_and_not_waited_for(script: Script) -> None:
    others = [("snap-8", "ours", "disk-other"), ("snap-9", "ours-too", DISK), (None, "ours", DISK)]
    cutting = script(
        (),
        (listing(),),
        (listing(*others),),
        (listing(*others, ("snap-1", "ours", DISK)),),
    )
    cutting.send(seconds=0.1)
    facts = cutting.look_up()
    assert (facts.snapshot_id, facts.visible) == ("snap-1", True)
    assert cutting.cut.answered


def test_what_was_found_is_not_undone_by_a_late_error(script: Script) -> None:
    late = reply(response(Error={"Code": "InternalError", "Message": "too late"}))
    cutting = script((), (listing(("snap-1", "ours", DISK)),))
    cutting.send(seconds=0.1)
    cutting.look_up()
    cutting.cloud.say(late)
    assert cutting.cut.wait(time.monotonic() + 0.2, NoWatch())
    facts = cutting.cut.facts[0]
    assert (facts.snapshot_id, facts.code) == ("snap-1", "")


def test_a_refused_cut_adopts_no_snapshot(script: Script) -> None:
    error = reply(response(Error={"Code": "ResourceBusy", "Message": "it is busy"}))
    cutting = script((error,), (listing(("snap-1", "ours", DISK)),))
    cutting.send()
    facts = cutting.look_up(seconds=0.1)
    assert (facts.snapshot_id, facts.code, facts.visible) == ("", "ResourceBusy", False)


def test_an_id_that_came_is_enough_where_nothing_has_to_be_visible(script: Script) -> None:
    cutting = script((reply(CREATED),))
    cutting.send()
    facts = cutting.look_up(visible=False)
    assert (facts.snapshot_id, facts.visible) == ("snap-1", False)
    assert len(cutting.cloud.requests) == 1


def test_ten_disks_are_looked_up_by_one_request_and_each_is_found_for_itself(
    tmp_path: Path,
) -> None:
    disks = [f"disk-{number:08}" for number in range(10)]
    listed = listing(*((f"snap-{disk}", "ours", disk) for disk in disks))
    go = Go(
        cuts=(),
        lookups=(SignedLookUp(disk_ids=tuple(disks), payload=REQUEST.payload),),
        names=tuple((disk, "ours") for disk in disks),
        signed=0,
    )
    with ScriptedCloud(tmp_path, (listed,)) as cloud:
        cut = Cut(address(cloud), disks)
        cut.connect(time.monotonic() + 5)
        cut.look_up(go, time.monotonic() + 1, RestlessWatch(), visible=True)
        cut.close()
    assert [facts.snapshot_id for facts in cut.facts] == [f"snap-{disk}" for disk in disks]
    assert (cut.look_ups, len(cloud.requests)) == (1, 1)


def test_a_look_up_that_is_refused_is_no_empty_listing_and_its_code_is_kept(
    script: Script,
) -> None:
    error = response(Error={"Code": "RequestLimitExceeded", "Message": "too much"})
    cutting = script((), (reply(error),), (listing(("snap-1", "ours", DISK)),))
    cutting.send(seconds=0.1)
    assert cutting.look_up().snapshot_id == "snap-1"
    assert cutting.cut.look_up_code == "RequestLimitExceeded"


def test_a_look_up_without_an_answer_ends_in_time(script: Script) -> None:
    cutting = script((), ())
    cutting.send(seconds=0.1)
    start = time.monotonic()
    assert not cutting.look_up(seconds=0.3).snapshot_id
    assert time.monotonic() - start < 2


def test_a_listing_is_waited_for_until_the_bound_where_no_whole_pause_fits_before_it(
    script: Script,
) -> None:
    cutting = script((reply(CREATED),), *[(listing(),)] * len(LOOKUP_PAUSES))
    cutting.send()
    seconds = sum(LOOKUP_PAUSES[:-2]) - 0.1  # not enough for the last of these
    start = time.monotonic()
    assert not cutting.look_up(seconds).visible
    assert time.monotonic() - start >= seconds - LAST_LOOK_SECONDS


def test_a_cloud_that_can_not_be_reached_is_a_refusal(tmp_path: Path) -> None:
    with ScriptedCloud(tmp_path) as cloud:
        gone = address(cloud)
    with pytest.raises(HoldError, match="can't reach") as refused:
        Cut(gone, [DISK]).connect(time.monotonic() + 5)
    assert refused.value.reason == "CloudError"


def test_a_cloud_with_a_certificate_of_somebody_else_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = ScriptedCloud(tmp_path / "other")
    with ScriptedCloud(tmp_path) as cloud, other:
        false = CloudAddress(host="127.0.0.1", port=cloud.port, ca_file=other.ca_file)
        with pytest.raises(HoldError, match="certificate verify failed"):
            Cut(false, [DISK]).connect(time.monotonic() + 5)
