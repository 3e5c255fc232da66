"""The protocol's parts, each of which can be left out; and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass

# Faults that are not in every variant, since each multiplies the states.
LATE, UNTAGGED, TAKEN = "gives a write up", "tags don't stick", "somebody takes it away"
EXPIRY = "its time is over"
RARE = frozenset({LATE, UNTAGGED, TAKEN, EXPIRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Which parts are in force. All of them is what the code does."""

    intent: bool = True  # nothing is sent before the attempt is written down
    compare_and_swap: bool = True  # the intent is written only over what was read
    settle_before_retry: bool = True  # no new attempt while the last may still act
    settle_before_drop: bool = True  # the finalizer stays while a request may still act
    validity_end: bool = True  # the cloud refuses a request that comes late
    guard: bool = True  # a hold ends by itself
    proof: bool = True  # what is called proven was held from before the cut until after it
    tags: bool = True  # only what carries our tags is deleted
    attempt_limit: bool = True
    gives_up_waiting: bool = True  # what can no longer appear isn't waited for
    listing_awaited: bool = True  # an id that no look-up has shown may only not be listed yet
    record_checks_state: bool = True  # an attempt's result replaces its open intent, nothing else
    attempt_checks_end: bool = True  # what another operator has called failed isn't begun
    retires: bool = True  # what has expired is Ready no more before it is deleted
    # What surrounds it.
    operators: int = 1
    disks: int = 1
    deletes: bool = True  # deletionPolicy: Delete instead of Retain
    keeps_unproven: bool = False  # failurePolicy: AllowCrashConsistent instead of Abort
    max_attempts: int = 2
    without: frozenset[str] = RARE  # moves that are left out
