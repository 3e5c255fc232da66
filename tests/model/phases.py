"""What a DiskSnapshot goes through, as people see it; a test compares this with every move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.exploring import Explorer, moves
from model.protocol import EXPIRY, RARE, TAKEN, UNTAGGED, Protocol
from model.state import RECORDED

if TYPE_CHECKING:
    from model.state import Object

NEW, UNPROVEN, READY, FAILED, GONE = "New", "Unproven", "Ready", "Failed", "Gone"

# From, to: what leads there. The picture on the page is drawn by hand from these.
CHANGES = {
    ("New", "Open"): "the intent is written",
    ("New", "Failed"): "what is asked can't be done",
    ("Open", "Recorded"): "each disk has its snapshot: by an answer, or found later",
    ("Open", "Unproven"): "each disk has its snapshot, and the hold was lost; policy Abort",
    ("Open", "Settled"): "nothing was sent or all was refused, or nothing can appear any more",
    ("Open", "Failed"): "the cloud refused for good",
    ("Unproven", "Settled"): "its snapshots are deleted",
    ("Unproven", "Failed"): "its snapshot doesn't carry our tags, so it is left",
    ("Recorded", "Ready"): "the cloud has copied everything",
    ("Recorded", "Failed"): "somebody deleted it in the cloud, or its time is over",
    ("Ready", "Recorded"): "its time is over; this is said before it is deleted",
    ("Ready", "Failed"): "somebody deleted it in the cloud",
    ("Settled", "Open"): "the next attempt's intent is written",
    ("Settled", "Failed"): "three attempts were made, or what is asked can't be done",
}
MET_IN = (
    Protocol(max_attempts=3),
    Protocol(max_attempts=1, without=RARE - {TAKEN, UNTAGGED, EXPIRY}),
)


def phase(done: Object) -> str:
    """Return where an object stands."""
    if not done.exists:
        return GONE
    if done.finished:
        return READY if done.ready else FAILED
    if done.state == RECORDED and not done.claim:
        return UNPROVEN
    return done.state or NEW


def met() -> set[tuple[str, str]]:
    """Return every change of phase that the model makes, but for the end by deletion."""
    return {
        (phase(world.object), phase(after.object))
        for protocol in MET_IN
        for world in Explorer(protocol).explore().states
        for _, after in moves(world, protocol)
        if phase(world.object) != phase(after.object) and after.object.exists
    }
