"""The variants that are walked: those that hold, and those with a part left out."""

from __future__ import annotations

from dataclasses import dataclass

from model.protocol import EXPIRY, RARE, TAKEN, UNTAGGED, Protocol

ALONE = RARE | {"is deleted"}
NO_DISAGREEMENT = RARE | {"finds no way"}

HOLDING = {
    "one operator, three attempts": Protocol(max_attempts=3),
    "one operator, Retain; snapshots taken away or expired": Protocol(
        deletes=False, without=RARE - {TAKEN, EXPIRY}
    ),
    "one operator; snapshots expire": Protocol(without=RARE - {EXPIRY}),
    "one operator, AllowCrashConsistent": Protocol(keeps_unproven=True, max_attempts=3),
    "one operator; late writes, lost tags, snapshots taken away": Protocol(
        without=frozenset({EXPIRY})
    ),
    "one operator, two disks": Protocol(disks=2),
    "two operators at once": Protocol(operators=2),
    "two operators at once, Retain": Protocol(operators=2, deletes=False, max_attempts=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A protocol with one part left out, and the guarantee that falls."""

    part: str  # as the end of "without ..."
    breaks: str
    protocol: Protocol


BROKEN = (
    Lacking(
        part="the intent",
        breaks="One",
        protocol=Protocol(intent=False, without=ALONE),
    ),
    Lacking(
        part="compare-and-swap of the intent",
        breaks="One",
        protocol=Protocol(operators=2, compare_and_swap=False, without=ALONE | NO_DISAGREEMENT),
    ),
    Lacking(
        part="settling before the next attempt",
        breaks="One",
        protocol=Protocol(settle_before_retry=False, without=ALONE),
    ),
    Lacking(
        part="an end of a request's validity",
        breaks="One",
        protocol=Protocol(validity_end=False, without=ALONE),
    ),
    Lacking(
        part="waiting until a late cut is listed",
        breaks="One",
        protocol=Protocol(listing_awaited=False, without=ALONE),
    ),
    Lacking(
        part="settling before the finalizer is dropped",
        breaks="Tracked",
        protocol=Protocol(settle_before_drop=False),
    ),
    Lacking(
        part="a guard at the holds",
        breaks="Bounded",
        protocol=Protocol(guard=False),
    ),
    Lacking(
        part="a look at the tags before deleting",
        breaks="Ours",
        protocol=Protocol(tags=False, without=RARE - {UNTAGGED}),
    ),
    Lacking(
        part="proof",
        breaks="True",
        protocol=Protocol(proof=False),
    ),
    Lacking(
        part="taking Ready off before an expired snapshot is deleted",
        breaks="True",
        protocol=Protocol(retires=False, without=RARE - {EXPIRY}),
    ),
    Lacking(
        part="an end of the waiting for a lost reply",
        breaks="Converge",
        protocol=Protocol(gives_up_waiting=False),
    ),
    Lacking(
        part="a look at the intent's state when a result is recorded",
        breaks="Converge",
        protocol=Protocol(operators=2, record_checks_state=False, without=NO_DISAGREEMENT),
    ),
    Lacking(
        part="a look at what another operator has called failed",
        breaks="Converge",
        protocol=Protocol(operators=2, attempt_checks_end=False),
    ),
    Lacking(
        part="a limit of attempts",
        breaks="Calm",
        protocol=Protocol(attempt_limit=False),
    ),
)
