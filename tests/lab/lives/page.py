"""Write the page that shows what came of each error code."""

from collections.abc import Sequence

from lab.lives.walk import FAILED, GONE, Seen

_HEAD = """\
# What came of each error code

Made by `make cloud-errors`. One object lives against the emulated cloud, which answers every
request for a snapshot (or for its deletion, where the code is about that) with the same code for
an hour. The SDK, the window process, the rules and all pauses are the real ones; only the clocks
of both sides are turned on, and the API server is in memory. What each code means is in
[cloud-errors.md](cloud-errors.md), made by `make crds`. The tests walk one code of each meaning
again, and must see what its row says.

*Requests* are those for a snapshot: each would cost the writers a hold, and there are three at
most. *Calls* are all that the cloud has counted, of which *such answers* had this code.

| code | answered to | reason | after an hour | requests | such answers | calls | snapshots left |
|---|---|---|---|---|---|---|---|
"""


def page(seen: Sequence[Seen]) -> str:
    return _HEAD + "".join(row(one) for one in seen)


def row(one: Seen) -> str:
    """Lay out the line of one code."""
    cells = [
        f"`{one.code}`",
        one.action,
        f"`{one.reason}`",
        _end(one),
        one.requests,
        one.failures,
        one.calls,
        one.snapshots,
    ]
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _end(one: Seen) -> str:
    if one.end == FAILED:
        return "failed, at once" if one.minutes < 1 else f"failed, after {one.minutes:.0f} min"
    return "deleted" if one.end == GONE else "waits"
