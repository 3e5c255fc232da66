"""Write the page of a campaign: what befell the operator, and which guarantees stood."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from campaign.builds import CAUGHT
from campaign.elsewhere import SHOWN
from campaign.oracles import GUARANTEES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from campaign.cases import Seen

_HEAD = """\
# What the guarantees withstood

Made by `make campaign`; don't edit. `python -m campaign NAME` runs the cases again whose names
contain NAME. Each case lives the whole life of one object beside a neighbour's: from its creation
to Ready, a quiet while, its deletion, and ten minutes after that. One fault (or a pair) befalls it
at one external effect, and the case fails unless that fault has fired. The effects are numbered by
lives without a fault, which are recorded first:

{lives}

The operator's code is its own: the loop, the rules, the attempts, the look-ups, the sweeps, with
the Kubernetes client and Tencent's SDK under them. In memory are, behind the bytes of HTTP, the
API server and the cloud, and behind its conversation the window with its database and freezer; the
clock is turned, so that a stop of ten minutes takes no time. The cloud, the window and the API
server in memory are held against the emulator, a real window and a real API server by tests that
ask both the same (`tests/cbs/test_campaign_cloud.py`, `tests/cbs/test_campaign_window.py`,
`tests/cluster/test_api_contract.py`). Not in here are the queue of keys, the Lease and kopf's
watch, which have clocks and threads of their own.

**{passed} of {total} cases passed; {fired} faults fired.** A cell says how many cases broke the
guarantee. The longest hold is by the turned clock; 10 s are allowed. A workload that goes to zero
(`offline`) is the named exception of Bounded: it has to be back in time.

"""
_BUILDS = """
## The campaign has teeth

Each of these builds lacks one thing, and was caught in this run; the patches are in
`tests/broken`.

"""
_ELSEWHERE = """
## What nothing in memory can show

These are not imitated: a test meets each with the real parts.

"""


def page(seen: Sequence[Seen], lives: Mapping[str, int], told: Mapping[str, str]) -> str:
    """Lay out all that was seen; `told` is what each bad build broke, in the campaign's words."""
    head = _HEAD.format(
        lives="\n".join(f"- {life}: {effects} effects" for life, effects in lives.items()),
        passed=sum(not one.trouble for one in seen),
        total=len(seen),
        fired=sum(one.fired for one in seen),
    )
    builds = ([f"`{one.build}`", one.lacks, one.case, told[one.build]] for one in CAUGHT)
    elsewhere = ([fault, f"`{file}`: {_words(test)}"] for fault, file, test in SHOWN)
    return "".join(
        [
            head,
            _families(seen),
            _BUILDS,
            _table(["build", "lacks", "caught by the case", "which said"], builds),
            _ELSEWHERE,
            _table(["fault", "test, below `tests`"], elsewhere),
            f"\n{_versions()}\n",
        ]
    )


def _families(seen: Sequence[Seen]) -> str:
    names = ["family of faults", "cases", "faults fired", *GUARANTEES, "longest hold"]
    families = dict.fromkeys(one.case.family for one in seen)
    rows = (_row(name, [one for one in seen if one.case.family == name]) for name in families)
    return _table(names, rows)


def _row(family: str, seen: Sequence[Seen]) -> list[object]:
    broken = [sum(name in one.violations for one in seen) for name in GUARANTEES]
    longest = max(one.longest_hold for one in seen)
    return [family, len(seen), sum(one.fired for one in seen), *broken, f"{longest:.1f} s"]


def _table(names: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    return "".join(_line(cells) for cells in (names, ["---"] * len(names), *rows))


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def _versions() -> str:
    packages = ("kubernetes", "tencentcloud-sdk-python-common", "tencentcloud-sdk-python-cbs")
    said = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"Python {platform.python_version()}, {said}."
