"""Kill parts at random moments, many times over, while snapshots are taken; count from outside."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lab.cluster import Lab
from lab.cluster.control_plane import api_ready
from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.deaths import programs
from lab.deaths.scene import MAX_HOLD_SECONDS, Scene
from lab.deaths.watching import still_held
from lab.demo import kill, stage, taken
from lab.demo.load import longest_pause
from lab.demo.shop import at_rest, is_ready, word
from lab.kept import Rows
from lab.layout import Layout

KILLS: Final = 100
API_SERVER: Final = "API server"
# Each is found anew, as it is another process after each death.
_PROGRAMS: Final[Mapping[str, Callable[[Lab], int]]] = {
    "operator": kill.operator_pid,
    "window": programs.window,
    "freezer": lambda _: programs.freezer(),
}
_CHANCES: Final = {"operator": 4, "window": 10, "freezer": 10, API_SERVER: 1}
# So long that most blows fall into a hold, with the lock sent and the disk frozen.
_CLOUD: Final = {"replyDelayMilliseconds": 400, "visibilityDelayMilliseconds": 400}
_LATEST_BLOW_SECONDS: Final = 1.5
_ROUND_SECONDS: Final = 5.0
_SECONDS_TO_COME_BACK: Final = 12
# An outcome that is unknown is settled six minutes after its request has lost its validity.
_SECONDS_TO_END: Final = 900.0


@dataclass(frozen=True, kw_only=True)
class Storm:
    """What was struck how often, what the objects came to, and which promises were broken."""

    key: str
    seed: int
    kills: Mapping[str, int]
    ends: Mapping[str, int]
    snapshots: int
    pause: float
    pause_of: str
    seconds: int
    broken: Sequence[str]
    taken: str

    @property
    def words(self) -> str:
        """Say it in a few lines."""
        said = (
            f"seed {self.seed}: {sum(self.kills.values())} kills ({told(self.kills)}) in"
            f" {self.seconds} s; {sum(self.ends.values())} objects ({told(self.ends)}),"
            f" {self.snapshots} snapshots; longest pause {self.pause:,.0f} ms of {self.pause_of}"
        )
        return said + "".join(f"\n  BROKEN: {promise}" for promise in self.broken)


def told(counts: Mapping[str, int]) -> str:
    """Return names with their counts."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def kept(layout: Layout) -> Rows[Storm]:
    """Return where the last storm is kept."""
    return Rows(layout, "deaths", Storm)


def rage(scene: Scene, seed: int, kills: int = KILLS) -> Storm:
    """Take one snapshot after the other and kill at random; wait for every object's end."""
    chance, struck, names = random.Random(seed), Counter[str](), []
    began = time.time_ns()
    scene.lab.cbs.settings(**_CLOUD)
    while struck.total() < kills:
        names.append(_round(scene, chance, struck))
    scene.lab.cbs.settings(replyDelayMilliseconds=0, visibilityDelayMilliseconds=50)
    late = _late(scene, names)
    scene.load.wait_for_rows(20, since=time.time_ns())
    pauses = [longest_pause(ledger, began, time.time_ns()) for ledger in scene.load.read()]
    worst = max(pauses, key=lambda pause: pause.milliseconds)
    ends = [scene.get(name) for name in names]
    broken = [*late, *_broken(scene, ends)]
    if worst.milliseconds > MAX_HOLD_SECONDS * 1000:
        broken.append(f"{worst.writer} stood still for {worst.milliseconds:,.0f} ms")
    return Storm(
        key="storm",
        seed=seed,
        kills=dict(struck),
        ends=dict(Counter(map(word, ends))),
        snapshots=sum(len(_of(scene, end)) for end in ends),
        pause=worst.milliseconds,
        pause_of=str(worst.writer),
        seconds=round((time.time_ns() - began) / 1e9),
        broken=broken,
        taken=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _round(scene: Scene, chance: random.Random, struck: Counter[str]) -> str:
    """Ask for one snapshot, strike some times around its hold, and let it get on a little."""
    _have_an_operator(scene.lab)
    body = scene.snapshot()
    name = str(body["metadata"]["name"])
    stage.apply(scene.lab, body)
    for _ in range(chance.randint(1, 3)):
        # No event is waited for: the moment must be any.
        time.sleep(chance.uniform(0, _LATEST_BLOW_SECONDS))
        who = chance.choices(list(_CHANCES), list(_CHANCES.values()))[0]
        struck[who] += _strike(scene.lab, who)
    with suppress(LabError):
        until(lambda: at_rest(scene.get(name)), "an end", seconds=_ROUND_SECONDS)
    return name


def _have_an_operator(lab: Lab) -> None:
    """Replace a pod that the kubelet lets wait because it has died so often."""
    where = ("-n", stage.OPERATOR_NAMESPACE)
    rollout = ("rollout", "status", stage.DEPLOYMENT)
    try:
        lab.kubectl(*where, *rollout, f"--timeout={_SECONDS_TO_COME_BACK}s")
    except LabError:
        which = ("-l", "app.kubernetes.io/component=operator")
        lab.kubectl(*where, "delete", "pods", *which, "--force", "--grace-period=0")
        lab.kubectl(*where, *rollout, "--timeout=120s")


def _strike(lab: Lab, who: str) -> int:
    """Kill one; return 0 if it isn't there now."""
    if who == API_SERVER:
        lab.component("kube-apiserver").kill()
        lab.component("kube-apiserver").start()
        until(lambda: api_ready(lab.layout), "the API server is back", seconds=60)
        return 1
    try:
        os.kill(_PROGRAMS[who](lab), signal.SIGKILL)
    except (LabError, LookupError, ProcessLookupError):
        return 0
    return 1


def _late(scene: Scene, names: Sequence[str]) -> list[str]:
    """Wait for every object's end; tell of those that came to none."""
    open_ones = set(names)

    def all_over() -> bool:
        open_ones.difference_update([n for n in open_ones if at_rest(scene.get(n))])
        return not open_ones

    try:
        until(all_over, "the end of every object", seconds=_SECONDS_TO_END)
    except LabError:
        return [f"{name} came to no end: {word(scene.get(name))}" for name in sorted(open_ones)]
    return []


def _broken(scene: Scene, ends: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    held = still_held(scene.lab, scene.database, scene.mount)
    if held:
        yield f"at the end {held}"
    for end in ends:
        name, there = end["metadata"]["name"], [item["id"] for item in _of(scene, end)]
        said = [end["status"]["snapshotID"]] if is_ready(end) else []
        if there != said:
            yield f"{name} says {word(end)} and {said}; the cloud has {there}"


def _of(scene: Scene, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return taken.in_the_cloud(scene.lab, body["metadata"]["uid"])
