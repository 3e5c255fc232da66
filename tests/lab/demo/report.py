"""Print a verdict for people."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lab.demo.finding import Mark
from lab.demo.load import Pause
from lab.demo.verdict import Verdict

_STYLES: Final = {Mark.PROVEN: "green", Mark.BROKEN: "bold red", Mark.UNPROVEN: "yellow"}


def show(console: Console, verdict: Verdict) -> None:
    """Print all findings, and then the one word that they come to."""
    console.print(Text(verdict.title, style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in verdict.findings:
        table.add_row(
            Text(finding.mark, style=_STYLES[finding.mark]),
            Text(finding.subject),
            Text(finding.sentence),
        )
    console.print(table)
    console.print(_last_word(verdict))


def show_commands(console: Console, verdict: Verdict) -> None:
    """Print how to check the verdict without our code; unwrapped, to be copied."""
    console.print(Text("Check it yourself, without our code:", style="bold"))
    for line in verdict.commands:
        console.print(Text(f"  {line}"), soft_wrap=True)


def show_pauses(console: Console, pauses: list[Pause]) -> None:
    """Print how long each writer stood still by its own clock."""
    for pause in pauses:
        console.print(f"{pause.writer}: longest pause {pause.milliseconds:,.1f} ms")


def _last_word(verdict: Verdict) -> Text:
    if verdict.clean:
        return Text("Verdict: clean", style="bold green")
    broken, unproven = verdict.of(Mark.BROKEN), verdict.of(Mark.UNPROVEN)
    names = ", ".join(finding.subject for finding in broken or unproven)
    return Text(
        f"Verdict: not clean ({'broken' if broken else 'not proven'}: {names})", style="bold red"
    )
