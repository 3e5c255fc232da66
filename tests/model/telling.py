"""Tell a way through the states as a story in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.protocol import EXPIRY, LATE, TAKEN, UNTAGGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.state import Move, Step

SENTENCES = {
    "reads and asks": "{who} reads the object, and wants to know what the cloud has.",
    "reads and forgets": "{who} reads the object: nothing is left to be done with what it knew.",
    "reads and decides": "{who} reads the object, and decides to {step}.",
    "looks up": "{who} lists the snapshots in the cloud{then}.",
    "is hindered": "Something that {who} needs does not answer; it will try again.",
    "is refused": "The object is not what {who} had read: the write is refused.",
    "finds no way": "{who} finds that the disk can have no snapshots, and calls it failed.",
    "puts the finalizer": "{who} puts the finalizer on.",
    "opens the window": "{who} opens its sessions.",
    "writes the intent": "{who} writes the intent of attempt {n}, and signs the request.",
    "writes it unanswered": "{who} writes the intent of attempt {n}; the answer is lost, so it "
    "sends nothing.",
    "holds": "{who} holds the writers.",
    "can't hold": "{who} can't hold the writers, and sends nothing.",
    "sends": "{who} sends the request of attempt {n}.",
    "sends without a hold": "{who} can't hold the writers, and sends all the same, as asked.",
    "lets go unsent": "{who} lets go before anything is sent.",
    "stops waiting": "{who} lets go: the answer takes too long.",
    "finds it while holding": "{who} sees the snapshot listed while it still holds.",
    "lets go": "{who} ends the hold. What it knows of the attempt: {result}.",
    "loses its window": "The process that holds is killed.",
    "loses its hold": "The hold is lost: the database restarts, or ends the session.",
    "dies": "{who} is killed, and all that it had in memory is lost.",
    LATE: "{who} gives a write up whose answer does not come.",
    "late write is done": "The API server does the write that was given up.",
    "late write is lost": "The API server never does the write that was given up.",
    "is deleted": "Somebody deletes the object.",
    "cloud acts": "The cloud makes the snapshot of attempt {n}; its answer is lost.",
    "cloud acts and answers": "The cloud makes the snapshot of attempt {n}, and answers.",
    "cloud refuses": "The cloud refuses the request of attempt {n}.",
    "request is lost": "The request of attempt {n} is lost.",
    "cloud lists": "The cloud lists the snapshot of attempt {n} from now on.",
    "cloud completes": "The snapshot of attempt {n} is complete.",
    UNTAGGED: "The tags don't stick to the snapshot of attempt {n}.",
    EXPIRY: "The time of the snapshot is over.",
    TAKEN: "Somebody deletes the snapshot of attempt {n} in the cloud.",
    "guard lets go": "What held for a dead owner lets go by itself.",
    "time passes": "A minute passes.",
    "adopt": "{who} records what it found, and calls it Unknown.",
    "settle": "{who} writes down that the attempt left nothing.",
    "finish": "{who} calls the object Ready.",
    "fail": "{who} calls the object failed.",
    "mark": "{who} puts the finalizer on again.",
    "unmark": "{who} takes the finalizer off: nothing is left to be cleaned.",
    "retire": "{who} calls the object Ready no more: its time is over.",
    "expire": "{who} calls the object expired.",
    "drop": "{who} takes the finalizer off, and the object is gone.",
    "discard": "{who} deletes the snapshot of attempt {n}.",
    "record": "{who} records of attempt {n}: {result}.",
    "records unanswered": "{who} records of attempt {n}: {result}; the answer is lost.",
}
DECISIONS = {
    "capture": "make attempt {n}",
    "record": "record what came of attempt {n}",
    "discard": "delete the snapshot of attempt {n}",
    "adopt": "adopt what it found",
    "settle": "call the attempt settled",
    "finish": "call it Ready",
    "fail": "call it failed",
    "drop": "let it go",
    "mark": "put the finalizer on again",
    "retire": "call it Ready no more",
    "expire": "call it expired",
}
RESULTS = {
    "nothing": "it left nothing",
    "final": "it was refused for good",
    "proven": "there is a snapshot, and the hold covered it",
    "unproven": "there is a snapshot, and the hold is not proven",
    "unknown": "nothing, for there was no answer",
}


def story(moves: Sequence[Move], end: str) -> list[str]:
    """Return the sentences of a way, and what is wrong at its end."""
    several = any(move.who > 0 for move in moves)
    return [*(sentence(move, several=several) for move in moves), end]


def sentence(move: Move, *, several: bool) -> str:
    """Say what one move does."""
    name = f"operator {'AB'[move.who]}" if several else "the operator"
    said = SENTENCES[move.name].format(
        who=name, n=_attempt(move.what), step=_decision(move.what), result=_result(move.what),
        then=f", and decides to {_decision(move.what)}" if move.what else "",
    )  # fmt: skip
    return said[0].upper() + said[1:]


def _attempt(what: Step) -> str:
    """The first number of a step is its attempt."""
    return next((str(part) for part in what if isinstance(part, int)), "")


def _decision(what: Step) -> str:
    known = DECISIONS.get(str(what[0]), "") if what else ""
    return known.format(n=_attempt(what))


def _result(what: Step) -> str:
    return next((RESULTS[part] for part in what if part in RESULTS), "")
