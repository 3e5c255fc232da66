"""`python -m lab.damage [--copies N]`: cut in every way, judge each copy, write docs/damage.md."""

import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from disksnapshot.window.launch import prepare_server
from lab.cluster.errors import LabError
from lab.damage import page
from lab.damage.counting import TABLES, damaged
from lab.damage.cuts import Judged, Way, cut
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server
from lab.local import Local, local

LATE_MILLISECONDS: Final = 300
_PAGE: Final = Path(__file__).parents[3] / "docs" / "damage.md"
HELD: Final = (
    Way(words="lock and freeze", order={}),
    Way(words="freeze alone", order={"mysql": False}),
    Way(words="lock alone", order={"freeze": False}),
    Way(
        words="nothing",
        order={"mysql": False, "freeze": False, "cut_without_hold": True},
    ),
)
LATE: Final = {
    (release, listed): Way(
        words=f"{release}, listed {listed}",
        order={"release_when": release},
        cloud={"cutDelayMilliseconds": LATE_MILLISECONDS, "visibleBeforeCut": early},
    )
    for release in ("Accepted", "Visible")
    for listed, early in (("once it is cut", False), ("before it is cut", True))
}


def main() -> int:
    """Write the page; 1 unless it shows what it says."""
    parser = ArgumentParser(prog="python -m lab.damage", description=__doc__)
    parser.add_argument("--copies", type=int, default=5, help="of each way")
    copies = parser.parse_args().copies
    prepare_server()
    # Sockets lie in here, and their paths may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="dmg-") as folder, local(Path(folder)) as here:
        held = {way.words: _repeated(here, way, copies) for way in HELD}
        late = {key: _repeated(here, way, copies) for key, way in LATE.items()}
    _PAGE.write_text(page.page(held, late, LATE_MILLISECONDS))
    print(_PAGE.read_text())
    broken = list(surprises(held, late))
    print("\n".join(f"NOT AS THE PAGE SAYS: {words}" for words in broken))
    return 1 if broken else 0


def surprises(
    held: page.Results, late: Mapping[tuple[str, str], Sequence[Judged]]
) -> Iterator[str]:
    """Name what contradicts the page's own sentences."""
    for way, judged in held.items():
        if damaged(judged, Engine.INNODB).damaged:
            yield f"InnoDB was damaged, held by {way}"
    if not all(one.proven and one.verdict.clean for one in held["lock and freeze"]):
        yield "a copy under lock and freeze was not clean, or not proven"
    if not all(one.proven and one.verdict.clean for one in late["Visible", "once it is cut"]):
        yield "Visible did not cover a cut that is listed once it is made"
    for release in ("Accepted", "Visible"):
        if all(one.verdict.clean for one in late[release, "before it is cut"]):
            yield f"{release} covered cuts that it can't know of: the mode shows nothing"


@contextmanager
def _written(here: Local) -> Iterator[Load]:
    """Let each engine's writer write anew, so that a copy is small and quickly judged."""
    files = here.mount / "files"
    files.mkdir(exist_ok=True)
    for file in files.iterdir():
        file.unlink()
    database = here.database
    server = Server(host="127.0.0.1", port=database.port, password=database.password)
    engines = (*TABLES, Engine.FILE)
    with Load(server, here.folder / "ledgers", writers=1, engines=engines, folder=files) as load:
        yield load


def _repeated(here: Local, way: Way, copies: int) -> list[Judged]:
    judged: list[Judged] = []
    with _written(here) as load:
        load.wait_for_rows(100)
        for number in range(copies):
            judged.append(cut(here, load, way, f"{way.words}, copy {number + 1}"))
            said = "clean" if judged[-1].verdict.clean else "not clean"
            print(f"{judged[-1].verdict.title}: {said}", file=sys.stderr, flush=True)
    return judged


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
