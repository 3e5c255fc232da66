"""Play one scene: start its server on its file system, and cut it in every way."""

import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from disksnapshot.window.launch import prepare_server
from lab.damage.cuts import Judged, cut
from lab.damage.ways import FIRST, HELD, LATE, SCENES, Scene, Way
from lab.demo.ledger import Engine
from lab.demo.load import Load, Server
from lab.local import Local, local

Results = Mapping[str, Sequence[Judged]]  # by the words of the way
Late = Mapping[tuple[str, str], Sequence[Judged]]
# Of the recommended ways there are as many as asked for; of the others, and of late cuts, so
# many times less.
_OTHERS: Final = 2.5
_LATE: Final = 5
# Then the writers begin anew, so that a copy is small and quickly judged.
_COPIES_OF_A_LOAD: Final = 5
_PAUSE_SECONDS: Final = 0.004


@dataclass(frozen=True, kw_only=True)
class Played:
    """All copies of one scene, and the versions that they were made with."""

    scene: str
    server: str
    kernel: str
    held: Results
    late: Late


def play(words: str, copies: int) -> Played:
    """Play a scene in a process of its own; `copies` is how many the recommended ways get."""
    prepare_server()
    scene = SCENES[words]
    # Sockets lie in here, and their paths may have 107 characters at most.
    with (
        tempfile.TemporaryDirectory(prefix="dmg-") as folder,
        local(Path(folder), scene.programs(), kind=scene.kind, options=scene.options) as here,
    ):
        held = {way.words: _repeated(here, scene, way, _count(way, copies)) for way in HELD}
        late = LATE if words == FIRST else {}
        return Played(
            scene=words,
            server=_version(here),
            kernel=platform.release(),
            held=held,
            late={k: _repeated(here, scene, w, -(-copies // _LATE)) for k, w in late.items()},
        )


def _count(way: Way, copies: int) -> int:
    return copies if way.recommended else max(1, int(copies / _OTHERS))


def _repeated(here: Local, scene: Scene, way: Way, copies: int) -> list[Judged]:
    judged: list[Judged] = []
    while len(judged) < copies:
        with _written(here, scene) as load:
            load.wait_for_rows(50)
            for _ in range(min(_COPIES_OF_A_LOAD, copies - len(judged))):
                title = f"{scene.words}: {way.words}, copy {len(judged) + 1}"
                judged.append(cut(here, load, way, title))
                said = "clean" if judged[-1].verdict.clean else "not clean"
                print(f"{title}: {said}", file=sys.stderr, flush=True)
    return judged


@contextmanager
def _written(here: Local, scene: Scene) -> Iterator[Load]:
    """Let each engine's writer write anew."""
    files = here.mount / "files"
    files.mkdir(exist_ok=True)
    for file in files.iterdir():
        file.unlink()
    database = here.database
    server = Server(host="127.0.0.1", port=database.port, password=database.password)
    engines = (*scene.tables, Engine.FILE)
    with Load(
        server, here.folder / "ledgers", writers=1, engines=engines, folder=files,
        pause=_PAUSE_SECONDS,
    ) as load:  # fmt: skip
        yield load


def _version(here: Local) -> str:
    with here.database.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        [version] = cursor.fetchone() or ("",)
        return str(version)
