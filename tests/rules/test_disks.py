"""Which disks are refused before anything is held: by what, in what words, and for how long."""

from dataclasses import dataclass
from typing import Any

import pytest

from disksnapshot.cbs.listed import Disk
from disksnapshot.errors import Problem
from disksnapshot.kube.claims import Claim
from disksnapshot.snapshot import disks

REGION = "ap-guangzhou"
FINAL, SLOW, SOON = "for good", "slowly", "soon"


def claim(name: str = "data", disk_id: str = "disk-abcdefgh", **differing: Any) -> Claim:
    known: dict[str, Any] = {"uid": "u", "volume_name": f"pv-{name}", "is_block": False}
    return Claim(name=name, disk_id=disk_id, **(known | differing))


def disk(disk_id: str = "disk-abcdefgh", **differing: Any) -> Disk:
    known: dict[str, Any] = {
        "state": "ATTACHED",
        "snapshot_ability": True,
        "size_gib": 10,
        "encrypted": False,
    }
    return Disk(id=disk_id, **(known | differing))


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    differing: dict[str, Any]
    reason: str
    words: str
    again: str


CASES = (
    Case(
        name="shared",
        differing={"shareable": True},
        reason="DiskUnusable",
        words="is shared",
        again=FINAL,
    ),
    Case(
        name="without the ability",
        differing={"snapshot_ability": False},
        reason="DiskUnusable",
        words="SnapshotAbility",
        again=FINAL,
    ),
    Case(
        name="in arrears",
        differing={"state": "TORECYCLE"},
        reason="DiskUnusable",
        words="overdue",
        again=SLOW,
    ),
    Case(
        name="being expanded",
        differing={"state": "EXPANDING"},
        reason="DiskBusy",
        words="is being expanded",
        again=SOON,
    ),
    Case(
        name="being rolled back",
        differing={"state": "ROLLBACKING"},
        reason="DiskBusy",
        words="rolled back",
        again=SOON,
    ),
    Case(
        name="being rolled back while attached",
        differing={"rolling_back": True},
        reason="DiskBusy",
        words="rolled back",
        again=SOON,
    ),
    Case(
        name="migrating",
        differing={"migrating": True},
        reason="DiskBusy",
        words="migrated",
        again=SOON,
    ),
    Case(
        name="being copied",
        differing={"state": "DUMPING"},
        reason="DiskBusy",
        words="is being copied",
        again=SOON,
    ),
)


def told(problem: Problem) -> str:
    return FINAL if problem.final else SLOW if problem.slow else SOON


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_disk_that_the_cloud_would_refuse_is_told_by_what_it_is(case: Case) -> None:
    known = {"disk-abcdefgh": disk(**case.differing)}
    with pytest.raises(Problem, match=case.words) as refused:
        disks.usable(claim(), known, REGION)
    assert (refused.value.reason, told(refused.value)) == (case.reason, case.again)
    assert "disk-abcdefgh of claim data" in str(refused.value)


@pytest.mark.parametrize("state", ["ATTACHED", "UNATTACHED", "ATTACHING", "DETACHING", "NEWWORD"])
def test_a_state_in_which_the_cloud_cuts_is_no_hindrance_nor_is_a_word_not_known(
    state: str,
) -> None:
    known = {"disk-abcdefgh": disk(state=state)}
    assert disks.usable(claim(), known, REGION).state == state


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("", "in region ap-guangzhou$"),
        ("ap-guangzhou-3", "in region ap-guangzhou$"),
        ("100003", "in region ap-guangzhou$"),
        ("ap-beijing-2", "zone ap-beijing-2, which the operator doesn't serve"),
        ("ap-shanghai-fsi-1", "zone ap-shanghai-fsi-1"),
    ],
)
def test_an_unknown_disk_is_looked_for_slowly_and_a_foreign_zone_is_named(
    zone: str, words: str
) -> None:
    with pytest.raises(Problem, match=words) as refused:
        disks.usable(claim(zone=zone), {}, REGION)
    assert (refused.value.reason, told(refused.value)) == ("DiskUnusable", SLOW)


def test_one_disk_behind_two_claims_is_refused_for_good() -> None:
    with pytest.raises(Problem, match="claims a and b stand for the same disk") as refused:
        disks.require_distinct([claim("a"), claim("b")])
    assert told(refused.value) == FINAL
