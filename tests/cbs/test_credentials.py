"""Keys from a Secret's files, from TKE's pod identity and from a machine's role: all three modes.

Against the emulator's STS and metadata address, each across the end of its keys.
"""

import http.client
import logging
import os
import socket
import ssl
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from disksnapshot import settings
from disksnapshot.cbs import credentials
from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import Cloud
from disksnapshot.cbs.clock import CloudClock
from disksnapshot.cbs.limits import Limits
from disksnapshot.errors import CloudUnavailable
from lab.cbs.control import Control
from lab.cbs.server import Emulator
from lab.cluster.waiting import until

from .conftest import ANY_PORT, SECRET_ID, SECRET_KEY

pytestmark = pytest.mark.filterwarnings("ignore:.* fileds are useless:UserWarning")
ROLE = "qcs::cam::uin/100000000001:roleName/snapshots"
WEB_TOKEN = "canary-in-the-web-token"  # noqa: S105 - the canary
SHORT_SECONDS = 2


def published(folder: Path, version: str, secret_id: str, key: str) -> None:
    """Swap both files at once, as the kubelet does."""
    fresh = folder / f"..{version}"
    fresh.mkdir(parents=True)
    (fresh / "secretId").write_text(f"{secret_id}\n")
    (fresh / "secretKey").write_text(f"{key}\n")
    link = folder / "..data_tmp"
    link.symlink_to(fresh.name)
    link.rename(folder / "..data")


@dataclass
class Place:
    """An emulated cloud that gives keys in every way, and the operator's client for each."""

    emulator: Emulator
    control: Control
    ca: Path
    folder: Path
    clock: CloudClock = field(default_factory=CloudClock)

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def environment(self, mode: str) -> dict[str, str]:
        """Return what the chart, and TKE's webhook, put into the operator's environment."""
        return {
            "DISKSNAPSHOT_REGION": "ap-guangzhou",
            "DISKSNAPSHOT_CREDENTIALS_MODE": mode,
            "DISKSNAPSHOT_CREDENTIALS_DIR": str(self.folder / "secret"),
            "DISKSNAPSHOT_STS_ENDPOINT": self.emulator.sts_endpoint,
            "DISKSNAPSHOT_METADATA_URL": self.emulator.metadata_url,
            "TKE_REGION": "ap-guangzhou",
            "TKE_PROVIDER_ID": "oidc-provider",
            "TKE_ROLE_ARN": ROLE,
            "TKE_WEB_IDENTITY_TOKEN_FILE": str(self.token_file),
        }

    def cloud(self, mode: str, **changed: str) -> tuple[Cloud, Any]:
        """Return the operator's client in a mode, and its keys."""
        keys = settings.read({**self.environment(mode), **changed}).keys
        credential = credentials.opened(keys, str(self.ca), self.clock)
        where = ("ap-guangzhou", self.emulator.endpoint, str(self.ca))
        return Cloud(credential, *where, Limits(), self.clock), credential

    def send(self, payload: bytes) -> None:
        """Send a request as the window does: the bytes as they are."""
        context = ssl.create_default_context(cafile=str(self.ca))
        name, _, port = self.emulator.endpoint.partition(":")
        with (
            socket.create_connection((name, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            connection.sendall(payload)
            response = http.client.HTTPResponse(connection)
            response.begin()
            answer = response.read()
        assert b'"SnapshotId"' in answer, answer


@pytest.fixture
def place(files: Any, tmp_path: Path) -> Iterator[Place]:
    pairs = {SECRET_ID: SECRET_KEY}
    where = (files.store, ANY_PORT, files.cert, files.key, ANY_PORT, pairs)
    with Emulator(*where, sts=ANY_PORT, metadata=ANY_PORT) as emulator:
        made = Place(emulator, Control(emulator.control_url), files.ca, tmp_path)
        made.token_file.write_text(WEB_TOKEN)
        published(tmp_path / "secret", "first", SECRET_ID, SECRET_KEY)
        made.control.settings(creationMilliseconds=0, visibilityDelayMilliseconds=0)
        yield made


MODES = ("Secret", "PodIdentity", "CVMRole")
TEMPORARY = MODES[1:]


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_knows_a_disk_and_takes_a_snapshot(place: Place, mode: str) -> None:
    disk_id = str(place.control.create_disk()["DiskId"])
    cloud, _ = place.cloud(mode)
    assert list(cloud.disks([disk_id])) == [disk_id]
    place.send(cloud.sign_create(disk_id, "name", {}, datetime.now(UTC)))
    assert [snapshot.name for snapshot in cloud.snapshots_of(disk_id)] == ["name"]


@pytest.mark.parametrize("hours", [-30, 30])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_works_on_a_machine_whose_clock_is_wrong(
    place: Place, mode: str, hours: int
) -> None:
    disk_id = str(place.control.create_disk()["DiskId"])
    place.clock = CloudClock(lambda: datetime.now(UTC) + timedelta(hours=hours))
    cloud, _ = place.cloud(mode)
    assert list(cloud.disks([disk_id])) == [disk_id]


@pytest.mark.parametrize("mode", TEMPORARY)
def test_snapshots_are_taken_before_and_after_the_end_of_temporary_keys(
    place: Place, mode: str
) -> None:
    place.control.settings(sessionSeconds=SHORT_SECONDS)
    disk_id = str(place.control.create_disk()["DiskId"])
    cloud, credential = place.cloud(mode)
    place.send(cloud.sign_create(disk_id, "before", {}, datetime.now(UTC)))
    first = credential.get_credential_info()[0]
    until(lambda: is_refused(cloud, credential, first), "the first keys have ended", seconds=20)
    place.send(cloud.sign_create(disk_id, "after", {}, datetime.now(UTC)))
    assert {snapshot.name for snapshot in cloud.snapshots_of(disk_id)} == {"before", "after"}


def is_refused(cloud: Cloud, credential: Any, first: str) -> bool:
    """Tell whether other keys have taken the place of the first ones."""
    try:
        return bool(credential.get_credential_info()[0] != first) and cloud.disks([]) is not None
    except CloudUnavailable:
        return False  # between the end of the one and the fetch of the next


@pytest.mark.parametrize("mode", TEMPORARY)
def test_keys_that_were_revoked_are_replaced_after_the_first_refusal(
    place: Place, mode: str
) -> None:
    # Not long enough for a signed request, so that they may be fetched anew after 2 s.
    place.control.settings(sessionSeconds=300)
    cloud, _ = place.cloud(mode)
    cloud.disks(["disk-00000000"])
    place.control.revoke_temporary_keys()

    def serves() -> bool:
        try:
            return cloud.disks(["disk-00000000"]) == {}
        except CloudProblem as refused:
            return refused.code != "AuthFailure.SecretIdNotFound"

    assert not serves()
    until(serves, "other keys", seconds=20)


def test_keys_in_files_that_are_rotated_are_used_from_the_next_request_on(place: Place) -> None:
    _, credential = place.cloud("Secret")
    assert credential.get_credential_info() == (SECRET_ID, SECRET_KEY, None)
    published(place.folder / "secret", "second", "AKIDother", "other")
    assert credential.get_credential_info() == ("AKIDother", "other", None)


def test_files_that_are_swapped_between_the_reading_of_both_are_read_anew(place: Place) -> None:
    old = place.folder / "rotated" / "..first"
    old.mkdir(parents=True)
    os.mkfifo(old / "secretId")  # who reads it waits for who writes it
    (old.parent / "..data").symlink_to(old.name)
    _, credential = place.cloud("Secret", DISKSNAPSHOT_CREDENTIALS_DIR=str(old.parent))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(credential.get_credential_info)
        with (old / "secretId").open("w") as written:
            published(old.parent, "second", "AKIDother", "other")
            written.write("AKIDold")
        assert asked.result(20) == ("AKIDother", "other", None)


def test_a_token_that_the_kubelet_renewed_is_read_anew(place: Place) -> None:
    place.control.settings(sessionSeconds=SHORT_SECONDS, webIdentityToken=WEB_TOKEN)
    _, credential = place.cloud("PodIdentity")
    first = credential.get_credential_info()[0]
    place.control.settings(webIdentityToken="renewed")
    place.token_file.write_text("renewed\n")
    until(lambda: other_than(credential, first), "keys for the new token", seconds=20)


def other_than(credential: Any, first: str) -> bool:
    try:
        return bool(credential.get_credential_info()[0] != first)
    except CloudUnavailable:
        return False


def told(place: Place, mode: str, **changed: str) -> str:
    """Return what a caller without keys is told, once by the keys and once through the SDK."""
    cloud, credential = place.cloud(mode, **changed)
    with pytest.raises(CloudUnavailable) as refused:
        credential.get_credential_info()
    with pytest.raises(CloudUnavailable, match="DescribeDisks") as through:
        cloud.disks(["disk-00000000"])
    assert str(refused.value) in str(through.value)
    shown = "".join(traceback.format_exception(through.value))
    shown += "".join(traceback.format_exception(refused.value)) + repr(credential)
    assert WEB_TOKEN not in shown
    return str(refused.value)


def test_a_token_that_sts_refuses_is_told_without_the_token(place: Place) -> None:
    place.control.settings(webIdentityToken="another")
    said = told(place, "PodIdentity")
    assert "InvalidParameter.WebIdentityTokenError" in said


def test_a_token_that_is_missing_is_told_by_its_path(place: Place) -> None:
    place.token_file.unlink()
    assert f"{place.token_file}: No such file" in told(place, "PodIdentity")


def test_a_machine_without_a_role_is_told_so(place: Place) -> None:
    place.control.settings(roleName="")
    assert "the machine has no CAM role" in told(place, "CVMRole")


def test_a_role_that_the_machine_does_not_have_is_named(place: Place) -> None:
    assert "no CAM role other" in told(place, "CVMRole", DISKSNAPSHOT_CVM_ROLE="other")


@pytest.mark.parametrize(
    ("mode", "action"), [("PodIdentity", "AssumeRoleWithWebIdentity"), ("CVMRole", "Metadata")]
)
@pytest.mark.parametrize("kind", ["Html", "BadGateway", "Reset", "CutBody", "BrokenJson"])
def test_an_answer_that_is_none_leaves_no_keys_and_is_told(
    place: Place, mode: str, action: str, kind: str
) -> None:
    place.control.fault(action, kind, times=9)
    assert "no valid keys from" in told(place, mode)


def test_files_that_are_missing_or_empty_are_told_by_their_folder(place: Place) -> None:
    published(place.folder / "secret", "empty", "", "")
    assert f"can't be read from {place.folder / 'secret'}" in told(place, "Secret")


def test_a_metadata_address_that_never_answers_is_told_in_time(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/latest/meta-data/"
        keys = settings.read(
            {**place.environment("CVMRole"), "DISKSNAPSHOT_METADATA_URL": url}
        ).keys
        credential: Any = credentials.opened(keys, None, CloudClock())
        with pytest.raises(CloudUnavailable, match=r"doesn't answer \(ReadTimeout\)"):
            credential.get_credential_info()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_that_is_secret_shows_in_the_log_of_a_run_at_debug(
    place: Place, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        cloud, credential = place.cloud(mode)
        _, key, token = credential.get_credential_info()
        cloud.disks(["disk-00000000"])
        place.control.revoke_temporary_keys()
        place.control.error("DescribeDisks", "AuthFailure.TokenFailure", times=1)
        with pytest.raises(Exception, match="AuthFailure") as refused:
            cloud.disks(["disk-00000000"])
    shown = caplog.text + repr(credential) + repr(vars(cloud))
    shown += "".join(traceback.format_exception(refused.value))
    for canary in filter(None, (key, token, WEB_TOKEN, "Signature=")):
        assert canary not in shown
