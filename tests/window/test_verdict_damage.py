"""The verdict on real copies that were tampered with: it must find each harm."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.database import LocalMariaDB
from lab.demo.by_hand import frozen
from lab.demo.copy import examine
from lab.demo.finding import Mark
from lab.demo.journal import judge_file_system
from lab.demo.ledger import Ledger, read_all
from lab.demo.rehearsal import Scene, rehearsed
from lab.disks.filesystem import XFS
from lab.disks.loop import LoopDisk, blank, clone


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with rehearsed(tmp_path_factory.mktemp("v")) as played:
        yield played


def _tampered(scene: Scene, change: Callable[[Path], None]) -> Path:
    copy = scene.held.with_name("tampered.img")
    copy.unlink(missing_ok=True)
    clone(scene.held, copy)
    with LoopDisk(copy) as disk:
        disk.mount(scene.folder / "tampered")
        change(scene.folder / "tampered")
    return copy


def _with_sql(scene: Scene, sql: str, *arguments: Any) -> Path:
    def change(root: Path) -> None:
        with LocalMariaDB(root / "db", scene.folder / "other") as server:
            with server.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SET sql_log_bin = 0")
                assert cursor.execute(sql, arguments) == 1
            server.stop()

    return _tampered(scene, change)


def _innodb(scene: Scene) -> Ledger:
    [ledger] = [one for one in read_all(scene.ledgers) if str(one.writer) == "InnoDB writer 0"]
    return ledger


def test_a_row_that_is_gone_is_named(scene: Scene) -> None:
    copy = _with_sql(scene, "DELETE FROM lab_load.rows_innodb WHERE writer = 0 AND number = 7")
    finding = scene.judge(copy, scene.held_cut).finding("InnoDB rows")
    assert finding.mark is Mark.BROKEN
    assert "1 of " in finding.sentence
    assert "lost (0/7)" in finding.sentence


def test_a_changed_payload_is_named(scene: Scene) -> None:
    sql = "UPDATE lab_load.rows_aria SET payload = 'x' WHERE writer = 1 AND number = 9"
    finding = scene.judge(_with_sql(scene, sql), scene.held_cut).finding("Aria rows")
    assert finding.mark is Mark.BROKEN
    assert "1 with another content than was sent (1/9)" in finding.sentence


def test_a_row_sent_after_the_unlock_is_named(scene: Scene) -> None:
    late = min(n for n, sent in _innodb(scene).sent.items() if sent.time > scene.held_cut.ended)
    sql = "INSERT INTO lab_load.rows_innodb VALUES (0, %s, 'late', '')"
    finding = scene.judge(_with_sql(scene, sql, late), scene.held_cut).finding("InnoDB rows")
    assert finding.mark is Mark.BROKEN
    assert f"1 there though sent after all was unlocked (0/{late})" in finding.sentence


def test_a_binlog_shorter_by_a_byte_is_found(scene: Scene) -> None:
    position = scene.held_cut.position
    assert position

    def change(root: Path) -> None:
        with (root / "db" / position.file).open("r+b") as binlog:
            binlog.truncate(position.size - 1)

    finding = scene.judge(_tampered(scene, change), scene.held_cut).finding("binlog size")
    assert finding.mark is Mark.BROKEN
    assert f"has {position.size - 1} bytes, recorded was {position.size}" in finding.sentence


def test_a_position_recorded_one_transaction_early_is_found(scene: Scene) -> None:
    position = scene.held_cut.position
    assert position
    domain, server, number = position.gtid.split("-")
    early = replace(position, gtid=f"{domain}-{server}-{int(number) - 1}")
    verdict = scene.judge(scene.held, replace(scene.held_cut, position=early))
    assert verdict.finding("GTID").mark is Mark.BROKEN


def test_a_copy_on_which_no_server_starts_is_not_clean(scene: Scene) -> None:
    def change(root: Path) -> None:
        (root / "db" / "ibdata1").write_bytes(b"no tablespace")

    verdict = scene.judge(_tampered(scene, change), scene.held_cut)
    assert verdict.finding("database").mark is Mark.BROKEN


def test_a_copy_whose_files_cannot_be_read_is_judged_all_the_same(scene: Scene) -> None:
    copy = scene.held.with_name("damaged.img")
    clone(scene.held, copy)
    subprocess.run(["debugfs", "-w", "-R", "clri db", str(copy)], check=True, capture_output=True)
    verdict = scene.judge(copy, scene.held_cut)
    for subject in ("file system", "files", "database"):
        assert verdict.finding(subject).mark is Mark.BROKEN


@pytest.mark.parametrize("feature", ["orphan_file", "^orphan_file"])
def test_files_deleted_while_open_are_counted_and_no_damage(
    scene: Scene, feature: str, tmp_path: Path
) -> None:
    disk_file = scene.held.with_name(f"orphans{feature}.img")
    blank(disk_file, size_gib=1)
    subprocess.run(["mkfs.ext4", "-q", "-O", feature, str(disk_file)], check=True)
    copy = disk_file.with_suffix(".copy.img")
    with LoopDisk(disk_file) as disk:
        disk.mount(tmp_path)
        with (tmp_path / "one").open("wb") as one, (tmp_path / "two").open("wb") as two:
            one.write(bytes(300_000))
            two.write(bytes(5))
            (tmp_path / "one").unlink()
            (tmp_path / "two").unlink()
            with frozen(tmp_path):
                clone(disk_file, copy)
    finding = judge_file_system(examine(copy, scene.scratch).file_system)
    assert finding.mark is Mark.PROVEN
    assert "nothing but orphaned inodes: 2 " in finding.sentence


def test_a_frozen_xfs_has_nothing_in_its_log_but_the_superblock(
    scene: Scene, tmp_path: Path
) -> None:
    disk_file = scene.held.with_name("xfs.img")
    blank(disk_file, size_gib=1)
    unheld, held = (disk_file.with_suffix(f".{name}.img") for name in ("unheld", "held"))
    with LoopDisk(disk_file) as disk:
        disk.mount(tmp_path, kind=XFS)
        # fsync puts the file's metadata into the log, and nowhere else yet.
        with (tmp_path / "one").open("wb") as file:
            file.write(bytes(300_000))
            file.flush()
            os.fsync(file.fileno())
        clone(disk_file, unheld)
        with frozen(tmp_path):
            clone(disk_file, held)
    torn, clean = (
        judge_file_system(examine(copy, scene.scratch).file_system) for copy in (unheld, held)
    )
    assert torn.mark is Mark.BROKEN
    assert "the log needs replay" in torn.sentence
    assert clean.mark is Mark.PROVEN, clean.sentence
