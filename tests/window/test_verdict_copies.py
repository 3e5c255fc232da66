"""The verdict on real copies of a real database, cut under load with and without a hold."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.demo import statements
from lab.demo.commands import without_this_code
from lab.demo.copy import mounted_clone
from lab.demo.finding import Mark
from lab.demo.inspection import served_here
from lab.demo.ledger import read_all
from lab.demo.load import longest_pause
from lab.demo.rehearsal import PASSWORD, Scene, rehearsed


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with rehearsed(tmp_path_factory.mktemp("v")) as played:
        yield played


def test_a_copy_cut_under_lock_and_freeze_is_clean(scene: Scene) -> None:
    verdict = scene.judge(scene.held, scene.held_cut)
    assert verdict.clean, verdict.findings
    assert len(verdict.findings) == 9


def test_a_copy_cut_with_nothing_held_needs_replay_but_keeps_innodb(scene: Scene) -> None:
    verdict = scene.judge(scene.unheld, scene.unheld_cut)
    assert not verdict.clean
    assert "journal needs replay" in verdict.finding("file system").sentence
    assert verdict.finding("binlog size").mark is Mark.UNPROVEN
    assert verdict.finding("InnoDB rows").mark is Mark.PROVEN
    assert "loses nothing without a hold either" in verdict.finding("InnoDB rows").sentence
    assert verdict.finding("File rows").mark is Mark.BROKEN


def test_judging_a_copy_leaves_its_file_as_it_was(scene: Scene) -> None:
    before = scene.held.stat()
    assert scene.judge(scene.held, scene.held_cut).clean
    after = scene.held.stat()
    assert (after.st_mtime_ns, after.st_blocks) == (before.st_mtime_ns, before.st_blocks)
    assert not list(scene.scratch.iterdir())


def test_writers_paused_during_the_hold_and_their_ledgers_show_for_how_long(scene: Scene) -> None:
    cut = scene.held_cut
    for ledger in read_all(scene.ledgers):
        pause = longest_pause(ledger, cut.begun, cut.ended)
        assert 0 < pause.milliseconds < 5000
        assert not ledger.failures


def test_the_server_tells_how_long_its_lock_took_though_the_session_is_closed(
    scene: Scene,
) -> None:
    locks = [statement.text for statement in scene.statements if statement.locks]
    assert locks == ["FLUSH TABLES WITH READ LOCK"]
    assert statements.lock_nanoseconds(scene.statements) > 0


def test_the_commands_for_a_stranger_name_what_was_recorded(scene: Scene) -> None:
    verdict = scene.judge(scene.held, scene.held_cut)
    position = scene.held_cut.position
    assert position
    script = "\n".join(verdict.commands)
    assert f"e2fsck -fn {scene.held}" in script
    assert f"{position.file}, {position.size} bytes" in script
    assert position.gtid in script


def test_the_commands_for_a_stranger_come_to_the_same_end(scene: Scene) -> None:
    for copy, cut, flags in (
        (scene.held, scene.held_cut, "0"),
        (scene.unheld, scene.unheld_cut, "1"),
    ):
        script = "\n".join(without_this_code(copy, cut, scene.ledgers, datadir="db")[:2])
        said = subprocess.run(
            ["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True
        )
        assert said.stdout.splitlines()[0] == flags
        assert ("skipping journal recovery" in said.stdout) == (flags == "1")


def test_the_commands_for_a_stranger_find_nothing_missing_in_a_clean_database(
    scene: Scene,
) -> None:
    commands = without_this_code(scene.held, scene.held_cut, scene.ledgers)
    run = scene.folder / "copy"
    client = f'command mariadb -uroot -S {run}/mariadb.sock "$@"'
    script = ["set -eu", f"mariadb() {{ {client}; }}"]
    script += [line for line in commands if "mariadb -" in line]
    with served_here(scene.held, scene.scratch, run, datadir="db", password=PASSWORD):
        said = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            env=os.environ | {"MYSQL_PWD": PASSWORD},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    position = scene.held_cut.position
    assert position
    assert said.splitlines()[1:] == [f"{position.gtid}\t{position.gtid}", "0", "0", "0"]


def test_a_mounted_clone_leaves_no_mount_behind(scene: Scene) -> None:
    with mounted_clone(scene.held, scene.scratch) as root:
        assert (root / "db" / "ibdata1").exists()
    assert str(scene.scratch) not in Path("/proc/self/mountinfo").read_text()
