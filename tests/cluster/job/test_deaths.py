"""The operator and the freezer die or are told to go in the middle of a hold."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster.waiting import until
from lab.demo import kill, stage
from lab.demo.load import Load, Server, longest_pause
from lab.demo.shop import Shop, condition

MAX_HOLD_SECONDS = 10
SIGTERM_SECONDS = 5


@pytest.fixture
def load(shop: Shop, tmp_path: Path) -> Iterator[Load]:
    """Writers at work on the database, each logging when it was acknowledged."""
    database = shop.database
    server = Server(host=database.address, port=3306, password=database.password)
    with Load(server, tmp_path / "ledgers") as load:
        yield load


def test_a_killed_operator_leaves_writers_free_and_one_snapshot(shop: Shop, load: Load) -> None:
    name = shop.snapshot()["metadata"]["name"]
    end = kill.kill_while_frozen(shop.lab, shop.database, load, name)
    assert end.frozen, "the operator must have died while the disk was frozen"
    assert max(pause.milliseconds for pause in end.pauses) < MAX_HOLD_SECONDS * 1000
    assert end.restarts == 1
    assert len(end.snapshots) == 1
    assert end.taken.status["consistency"] == "Unknown"
    until(lambda: not kill.frozen_devices(shop.lab), "no record is left", seconds=20)


def test_an_operator_that_is_told_to_stop_lets_go_and_is_gone_in_five_seconds(
    shop: Shop, load: Load
) -> None:
    body = shop.held_without_reply()
    operator = kill.next_operator_pid(shop.lab)
    began = time.time_ns()
    os.kill(operator, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{operator}").exists(), "the operator ended", seconds=10)
    assert (time.time_ns() - began) / 1e9 < SIGTERM_SECONDS
    load.wait_for_rows(5, since=began)
    pauses = [longest_pause(ledger, began, time.time_ns()) for ledger in load.read()]
    assert max(pause.milliseconds for pause in pauses) < SIGTERM_SECONDS * 1000
    assert shop.ready(body)["status"]["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1


def test_a_restarted_operator_goes_on_where_the_old_one_was(shop: Shop) -> None:
    shop.lab.cbs.settings(creationMilliseconds=8000)
    body = shop.snapshot()
    shop.apply(body)
    shop.until_reason(body, "Creating")
    os.kill(kill.next_operator_pid(shop.lab), signal.SIGKILL)
    status = shop.ready(body)["status"]
    assert status["consistency"] == "ApplicationConsistent"
    assert len(shop.in_the_cloud(body)) == 1


def test_a_freezer_that_dies_in_the_hold_costs_the_snapshot_its_proof_and_is_tried_again(
    shop: Shop, load: Load
) -> None:
    body = shop.held_without_reply()
    began = time.time_ns()
    where = ("-n", stage.FREEZER_NAMESPACE, "pods", "--all", "--force", "--grace-period=0")
    shop.lab.kubectl("delete", *where)
    load.wait_for_rows(5, since=began)
    pauses = [longest_pause(ledger, began, time.time_ns()) for ledger in load.read()]
    assert max(pause.milliseconds for pause in pauses) < MAX_HOLD_SECONDS * 1000
    # A dead owner's record is cleared by the next watcher, some time after the thaw.
    until(lambda: not kill.frozen_devices(shop.lab), "no record is left", seconds=20)
    # The reply was lost as well, so what is found is kept, but never called more than it is.
    status = shop.ready(body)["status"]
    assert status["consistency"] == "Unknown"
    assert len(shop.in_the_cloud(body)) == 1


def test_a_lost_proof_deletes_the_snapshot_and_says_when_it_is_tried_again(shop: Shop) -> None:
    body, seen = shop.lose_proof()
    until(lambda: shop.in_the_cloud(body) == [], "the snapshot is deleted", seconds=60)
    assert condition(seen, "Quiesced")["status"] == "False"
    until(lambda: "retryTime" in shop.get(body)["status"], "the next attempt is planned")
    shop.lab.kubectl("-n", shop.namespace, "delete", "dsnap", body["metadata"]["name"])
