"""The last act: two deaths in the middle of a freeze, each drawn as it was seen from outside."""

from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.text import Text

from lab.cluster import Lab
from lab.deaths import watching
from lab.deaths.catalogue import death
from lab.deaths.dying import die
from lab.deaths.outcome import Outcome
from lab.deaths.scene import Scene
from lab.demo import report, stage
from lab.demo.deathpicture import Picture, draw, spans
from lab.demo.load import Load

_DEATHS: Final = {
    "operator-killed": "The operator is killed in the middle of a freeze",
    "freezer-pod-forced": "The freezer's pod is force-deleted in the middle of a freeze",
}


def play(
    lab: Lab, console: Console, database: stage.Database, load: Load,
    kubectl: Callable[..., None],
) -> list[tuple[str, bool]]:  # fmt: skip
    """Bring both deaths about; return what each came to, and whether it was as promised."""
    watching.list_locks(database)
    results = []
    for key, title in _DEATHS.items():
        console.rule(f"Act 4: {title[0].lower()}{title[1:]}")

        def look(name: str) -> None:
            kubectl("get", "dsnap", name, "-o", "wide")

        outcome = die(Scene(lab=lab, database=database, load=load), death(key), look)
        _show(console, outcome)
        results.append((_words(outcome), not outcome.broken))
    return results


def _show(console: Console, outcome: Outcome) -> None:
    console.print(draw(picture(outcome)))
    report.show_pauses(console, list(outcome.seen.pauses))
    console.print(
        Text(
            f"Nothing held {outcome.until_free_milliseconds:,.0f} ms after it, asked of kernel and"
            f" server; maxHoldSeconds is {outcome.hold_seconds}. Snapshots in the cloud:"
            f" {outcome.snapshots}."
        )
    )
    for promise in outcome.broken:
        console.print(Text(f"broken: {promise}", style="bold red"))


def picture(outcome: Outcome) -> Picture:
    """Return what there is to draw of a death."""
    looks = outcome.seen.samples
    held = {
        "freeze claimed": spans([(look.time, look.frozen) for look in looks]),
        "lock held": spans([(look.time, look.locked) for look in looks]),
    }
    return Picture(
        death=outcome.death.key,
        struck=outcome.seen.struck,
        held=held,
        acknowledged=outcome.acknowledged,
    )


def _words(outcome: Outcome) -> str:
    worst = max((pause.milliseconds for pause in outcome.seen.pauses), default=0.0)
    return (
        f"{outcome.death.who} while frozen: writers free after {worst:,.0f} ms at most,"
        f" {outcome.snapshots} snapshot, honestly called {outcome.end}"
    )
