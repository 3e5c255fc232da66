"""The freezer refuses every path that is not the mount of a volume of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from lab.freezing import refusal
from lab.local import Local
from lab.program import LocalSession

Start = Callable[..., LocalSession]


def test_the_root_file_system_is_refused(start: Start) -> None:
    reason, message = refusal(start(Path("/")))
    assert reason == "FreezeRefused"
    assert "not the mount of a volume of its own" in message


def test_a_folder_that_is_not_a_mount_is_refused(here: Local, start: Start) -> None:
    folder = here.kubelet / "pods" / "unmounted"
    folder.mkdir(exist_ok=True)
    assert refusal(start(folder))[0] == "FreezeRefused"


def test_a_folder_inside_the_volume_is_refused(here: Local, start: Start) -> None:
    assert refusal(start(here.mount / "data"))[0] == "FreezeRefused"


def test_a_mount_outside_of_the_kubelets_folder_is_refused(here: Local, start: Start) -> None:
    assert refusal(start(here.folder / "store"))[0] == "FreezeRefused"


def test_a_volume_that_is_also_mounted_elsewhere_is_refused(here: Local, start: Start) -> None:
    outside = here.folder / "outside"
    outside.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", here.mount, outside], check=True)
    try:
        assert refusal(start())[0] == "FreezeRefused"
    finally:
        subprocess.run(["umount", outside], check=True)


def test_the_device_of_the_records_is_refused(here: Local, start: Start) -> None:
    inside = here.kubelet / "pods" / "records"
    inside.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", here.records, inside], check=True)
    try:
        assert refusal(start(inside))[0] == "FreezeRefused"
    finally:
        subprocess.run(["umount", inside], check=True)


def test_a_symbolic_link_to_a_volume_is_refused(here: Local, start: Start) -> None:
    link = here.kubelet / "pods" / "link"
    link.symlink_to(here.mount)
    try:
        assert refusal(start(link))[0] == "FreezeRefused"
    finally:
        link.unlink()


def test_a_path_through_a_symbolic_link_is_refused(here: Local, start: Start) -> None:
    link = here.kubelet / "linked"
    link.symlink_to(here.kubelet / "pods")
    try:
        assert refusal(start(link / "mount"))[0] == "FreezeRefused"
    finally:
        link.unlink()


def test_a_path_that_does_not_exist_is_refused(here: Local, start: Start) -> None:
    assert refusal(start(here.kubelet / "nothing"))[0] == "FreezeRefused"
