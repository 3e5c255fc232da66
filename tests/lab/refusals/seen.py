"""Show below the list of reasons how each looked in a cluster, by the page of refusals. No I/O."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_INTRODUCTION: Final = """
## As kubectl shows them

Of the reasons that bad input ends in, one object each from the run of
[refusals.md](refusals.md), which has them all. The sentence below is the message of its condition
Ready; `kubectl describe dsnap` shows it, and so do its events. No input of that page ends in the
other reasons: they tell how far an object is, how it [ended](ends.md), or what the cloud
[answered](cloud-errors-seen.md).
"""

_ROW: Final = re.compile(r"^\| `(\S+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
_BLOCK: Final = re.compile(r"^```console\n(.+?)\n```$", re.MULTILINE | re.DOTALL)


class _Seen(NamedTuple):
    """One object: the headings, its line, and its row in the table."""

    heading: str
    line: str
    what: str
    message: str


def page(reasons: str, words: Sequence[str], refusals: str) -> str:
    """Return the page of reasons, with what was seen of those words in the page of refusals."""
    return reasons + _INTRODUCTION + "".join(_sections(words, refusals))


def _sections(words: Sequence[str], refusals: str) -> Iterator[str]:
    seen = dict(_seen(refusals))
    for word in words:
        if word in seen:
            one = seen[word]
            shown = f"```console\n{one.heading}\n{one.line}\n```"
            yield f"\n### {word}\n\nHere {one.what}.\n\n{shown}\n\n> {one.message}\n"


def _seen(refusals: str) -> Iterator[tuple[str, _Seen]]:
    """Return the objects by their reasons; of one reason the first counts, so it comes last."""
    rows = {
        key: (what, message)
        for key, what, message in re.findall(
            r"^\| `(\S+)` \| (.+?) \| (.+) \|$", refusals, re.MULTILINE
        )
    }
    blocks = re.findall(r"^```console\n(.+?)\n```$", refusals, re.MULTILINE | re.DOTALL)
    found = [
        (line.split()[2], _Seen(heading, line, *rows[line.split()[0]]))
        for heading, *lines in map(str.splitlines, blocks)
        for line in lines
        if line.split()[1] == "False"
    ]
    return reversed(found)
