"""A workload goes to zero for a snapshot of its detached disk, and comes back in any case."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.job.statefulset import (
    CLAIM,
    NAME,
    at_zero,
    offline,
    remove,
    replicas,
    runs_again,
    start,
)
from lab.demo import kill, stage, taken
from lab.demo.copy import examine, mounted_clone
from lab.demo.journal import needs_replay
from lab.demo.shop import Shop, condition

CLEAN = ("ApplicationConsistent", "Clean", "Proven")
UNCLEAN = ("FilesystemConsistent", "Clean", "None")


@pytest.fixture(scope="module")
def ledger(shop: Shop) -> Iterator[str]:
    """A StatefulSet that writes on a disk of its own; returns the disk's id."""
    disk_id = shop.lab.make_claim(shop.namespace, CLAIM)
    start(shop)
    yield disk_id
    remove(shop)


def stays_at_zero(shop: Shop) -> None:
    """Let its pod take so long to end that a slow machine can do something meanwhile."""
    start(shop, deaf="yes", grace_seconds=10)


def words(seen: dict[str, Any]) -> tuple[str, ...]:
    return tuple(seen["status"][key] for key in ("consistency", "fileSystem", "application"))


@pytest.mark.usefixtures("ledger")
def test_a_writer_ends_by_itself_and_its_detached_disk_is_cut_clean_and_it_runs_again(
    shop: Shop,
) -> None:
    seen = shop.ready(offline(shop))
    facts = seen["status"]["offline"]
    assert (words(seen), facts["cleanExit"], facts["replicas"]) == (CLEAN, True, 1), facts
    assert "undo" not in facts
    assert condition(seen, "Resumed")["status"] == "True"
    runs_again(shop)
    copy = taken.file_of(shop.lab, seen["status"]["snapshotID"])
    scratch = shop.lab.layout.store / "scratch-of-offline"
    try:
        assert not needs_replay(examine(copy, scratch).file_system)
        with mounted_clone(copy, scratch) as root:
            assert (root / "rows").read_text().splitlines()[-1] == "the end"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def test_an_operator_that_dies_while_it_is_at_zero_is_followed_by_one_that_goes_on(
    shop: Shop, ledger: str
) -> None:
    body = offline(shop)
    seen = at_zero(shop, body)
    undo = f"kubectl scale statefulset/{NAME} --namespace {shop.namespace} --replicas=1"
    assert seen["status"]["offline"]["undo"] == undo
    os.kill(kill.next_operator_pid(shop.lab), signal.SIGKILL)
    end = shop.ready(body)
    assert words(end) == CLEAN, end["status"]["offline"]
    assert len(shop.in_the_cloud(body)) == 1
    assert [volume["diskID"] for volume in end["status"]["volumes"]] == [ledger]
    runs_again(shop)


@pytest.mark.usefixtures("ledger")
def test_who_scales_it_up_meanwhile_is_not_fought_and_nothing_is_cut(shop: Shop) -> None:
    stays_at_zero(shop)
    body = offline(shop)
    at_zero(shop, body)
    scale = ("scale", f"statefulset/{NAME}", "--replicas=1")
    shop.lab.kubectl("-n", shop.namespace, *scale)
    seen = shop.until_reason(body, "ScaleContested")
    assert condition(seen, "Stalled")["status"] == "True"
    assert shop.in_the_cloud(body) == []
    runs_again(shop)


@pytest.mark.usefixtures("ledger")
def test_an_object_that_is_deleted_meanwhile_brings_the_workload_back_first(shop: Shop) -> None:
    stays_at_zero(shop)
    body = offline(shop)
    uid = at_zero(shop, body)["metadata"]["uid"]
    where = ("-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"])
    shop.lab.kubectl(*where, "--wait", "--timeout=60s")
    runs_again(shop)
    assert uid not in json.dumps(shop.lab.cbs.snapshots())


@pytest.mark.usefixtures("ledger")
def test_who_had_to_be_killed_is_not_called_application_consistent(shop: Shop) -> None:
    start(shop, deaf="yes")
    seen = shop.ready(offline(shop))
    assert words(seen) == UNCLEAN
    assert "ended with status 137, not 0" in seen["status"]["offline"]["unclean"]
    runs_again(shop)


@pytest.fixture
def shedding(shop: Shop, ledger: str) -> Iterator[str]:
    """The same, but that its claims, and so their disks, would be deleted at zero."""
    start(shop, when_scaled="Delete")
    yield ledger
    start(shop)


@pytest.mark.usefixtures("shedding")
def test_a_set_that_would_lose_its_claims_at_zero_is_not_scaled(shop: Shop) -> None:
    body = offline(shop)
    shop.apply(body)
    seen = shop.until_reason(body, "WorkloadUnsuitable")
    assert "whenScaled: Delete" in condition(seen, "Ready")["message"]
    assert "offline" not in seen["status"]
    assert replicas(shop) == 1
    claim = stage.get(shop.lab, shop.namespace, CLAIM, "pvc")
    assert "deletionTimestamp" not in claim["metadata"]
    assert shop.in_the_cloud(body) == []


@pytest.mark.usefixtures("ledger")
def test_pods_of_somebody_else_are_not_taken_for_the_workload_s(shop: Shop) -> None:
    body = offline(shop)
    body["spec"]["source"] = {"claims": [{"name": shop.database.claim}]}
    shop.apply(body)
    seen = shop.until_reason(body, "WorkloadUnsuitable")
    assert f"pod {shop.database.pod} uses the claims" in condition(seen, "Ready")["message"]
    assert "offline" not in seen["status"]
    assert replicas(shop) == 1
