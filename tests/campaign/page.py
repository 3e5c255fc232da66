"""Write the page of a campaign: what befell the operator, and which guarantees stood."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from campaign.oracles import GUARANTEES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from campaign.cases import Seen

_HEAD = """\
# What the guarantees withstood

Made by `make campaign`. Each case lives the whole life of one object beside a neighbour's: from
its creation to Ready, a quiet while, its deletion, and ten minutes after that. One fault (or a
pair) befalls it at one numbered external effect, and the case fails unless that fault has fired.
The numbers are those of a life without a fault, which is recorded first: {effects} effects.

The operator's code is its own: the loop, the rules, the attempts, the look-ups, the sweeps, with
the Kubernetes client and Tencent's SDK under them. In memory are, behind the bytes of HTTP, the
API server and the cloud, and the window with its database and freezer; the clock is turned.
So a stop of ten minutes takes no time, and each case can be run again by its name.

{passed} of {total} cases passed; {fired} faults fired. The longest that writers stood still, by
the turned clock, was {longest:.1f} s of the 10 s allowed.

Violations, by guarantee:

"""
_TAIL = """
The rows are families of faults; `campaign.everything` makes their cases. A cell is how many cases
broke the guarantee.

{versions}
"""


def page(seen: Sequence[Seen], effects: int) -> str:
    """Lay out all that was seen; a row a family."""
    head = _HEAD.format(
        effects=effects,
        passed=sum(not one.trouble for one in seen),
        total=len(seen),
        fired=sum(one.fired for one in seen),
        longest=max(one.longest_hold for one in seen),
    )
    names = ("family of faults", "cases", "faults fired", *GUARANTEES, "longest hold")
    rows = [_line(names), _line(["---"] * len(names))]
    families = dict.fromkeys(one.case.family for one in seen)
    rows += [
        _row(family, [one for one in seen if one.case.family == family]) for family in families
    ]
    return head + "".join(rows) + _TAIL.format(versions=_versions())


def _row(family: str, seen: Sequence[Seen]) -> str:
    broken = [sum(name in one.violations for one in seen) for name in GUARANTEES]
    longest = max(one.longest_hold for one in seen)
    return _line([family, len(seen), sum(one.fired for one in seen), *broken, f"{longest:.1f} s"])


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _versions() -> str:
    packages = ("kubernetes", "tencentcloud-sdk-python-common", "tencentcloud-sdk-python-cbs")
    said = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"Python {platform.python_version()}, {said}."
