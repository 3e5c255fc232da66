"""The lab's disks and database without Kubernetes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import LabError, mounts
from lab.cluster.commands import run
from lab.database import LocalMariaDB
from lab.disks import filesystem, loop, remove
from lab.disks.loop import LoopDisk
from lab.disks.store import Store
from lab.layout import Layout


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.at(tmp_path / "store", size_gib=4) as made:
        yield made


@pytest.fixture
def disk(store: Store) -> Iterator[LoopDisk]:
    file = store.path / "disk.img"
    loop.blank(file, size_gib=1)
    with LoopDisk(file) as made:
        yield made


def test_a_store_that_is_there_is_used_again_with_what_it_holds(store: Store) -> None:
    (store.path / "note").write_text("kept")
    store.unmount()

    again = Store.at(store.path)

    assert (again.path / "note").read_text() == "kept"


def test_a_clone_keeps_what_the_disk_held_when_it_was_made(store: Store) -> None:
    disk, copy = store.path / "disk", store.path / "copy"
    disk.write_text("before")
    loop.clone(disk, copy)

    disk.write_text("after")

    assert copy.read_text() == "before"


def test_a_disk_is_formatted_once_and_never_again(disk: LoopDisk, tmp_path: Path) -> None:
    disk.mount(tmp_path / "mount")
    (tmp_path / "mount" / "note").write_text("kept")
    disk.unmount()
    disk.detach()

    disk.mount(tmp_path / "mount")

    assert (tmp_path / "mount" / "note").read_text() == "kept"


def test_a_disk_that_is_mounted_is_not_called_detached(disk: LoopDisk, tmp_path: Path) -> None:
    disk.mount(tmp_path / "mount")

    with pytest.raises(LabError, match="is in use"):
        disk.detach()


def test_the_loop_devices_of_a_folder_are_found_also_when_their_file_is_deleted(
    disk: LoopDisk, store: Store, tmp_path: Path
) -> None:
    device = disk.device
    disk.file.unlink()

    found = loop.devices_below(store.path)

    assert found == [device]
    assert loop.devices_below(tmp_path / "elsewhere") == []
    loop.detach(found[0])
    disk.file.touch()


def test_a_copy_of_an_xfs_disk_mounts_beside_its_original(store: Store, tmp_path: Path) -> None:
    original, copy = store.path / "original.img", store.path / "copy.img"
    loop.blank(original, size_gib=1)
    with LoopDisk(original) as disk:
        disk.mount(tmp_path / "original", kind=filesystem.XFS)
        (tmp_path / "original" / "note").write_text("kept")
        run("sync", "-f", str(tmp_path / "original"))
        loop.clone(original, copy)
        with LoopDisk(copy) as other:
            other.mount(tmp_path / "copy")

            assert (tmp_path / "copy" / "note").read_text() == "kept"


def test_nothing_stays_mounted_or_attached_when_the_disks_are_removed(tmp_path: Path) -> None:
    layout = Layout(cache=tmp_path / "cache", state=tmp_path / "state")
    store = Store.at(layout.store, size_gib=1)
    loop.blank(store.path / "disk.img", size_gib=1)
    LoopDisk(store.path / "disk.img").attach()

    remove(layout)
    remove(layout)

    assert mounts.below(layout.state) == []
    assert loop.devices_below(layout.state) == []


def test_a_database_that_was_killed_has_every_committed_row(tmp_path: Path) -> None:
    with LocalMariaDB(tmp_path / "data", tmp_path / "run") as database:
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE mysql.probe (number INT PRIMARY KEY) ENGINE=InnoDB")
            cursor.execute("INSERT INTO mysql.probe VALUES (7)")
        database.kill()
        database.start()
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT number FROM mysql.probe")

            assert cursor.fetchall() == ((7,),)
