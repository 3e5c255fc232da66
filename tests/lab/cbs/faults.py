"""Faults that were asked for, waiting for the calls that they hit.

A fault is asked for on the control port (`Control.fault` and its like), for an action or for `*`,
for the next calls (`times`) or for a time (`seconds`). A call meets the first that was asked for
and still waits; after ActLate, a second. A kind may end in `BeforeAct` (the call does nothing) or
`AfterAct` (it has acted, and only a call that acts meets it); without an end, what stands here:

| kind | what the caller meets | with no end |
|---|---|---|
| Error | the error `code` with `message`, as the API answers it | before |
| ErrorWithCharset | the same, its content type with a charset: SDKs see no error | before |
| ReplyLost | silence on an open connection | after |
| ReplyCut | the connection is closed without a reply | after |
| Reset | the connection is reset (RST) | after |
| Slow | the right reply, byte by byte, one each `milliseconds` (50) | after |
| ReplyLate | the right reply, `milliseconds` (1000) later | after |
| ActLate | the call is let in, and acts `milliseconds` (1000) later | before |
| BrokenJson | the first half of the reply's JSON, as if it were all | after |
| CutBody | all heads and half the body, then the connection is closed | after |
| Html | a page of HTML with status 200 | after |
| BadGateway | status 502 and a page of HTML | after |
| NullSnapshotId | a success whose SnapshotId is null | after |
| NoDate | the right reply without its Date header | after |
| StuckCreating | a snapshot that stays CREATING at 42 %; the call must make one | after |
| ToRecycle | a snapshot in the state TORECYCLE | after |
| UnknownState | a snapshot in a state that nobody documents: `state` (MELTING) | after |
| Vanish | a snapshot that is gone as soon as it is answered for | after |

The actions are those of CBS, and two more: `AssumeRoleWithWebIdentity` of STS, and `Metadata`,
which is the metadata address. What isn't a fault of a call: a wrong clock of the cloud
(`Control.skew`), the same fates for a snapshot that is there (`Control.change_snapshot`,
`Control.vanish`), and every setting.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

ANY_ACTION = "*"
_ENDS = {"BeforeAct": False, "AfterAct": True}


class Kind(StrEnum):
    """What can go wrong with a call; the table above says what each is."""

    ERROR = "Error"
    ERROR_WITH_CHARSET = "ErrorWithCharset"
    REPLY_LOST = "ReplyLost"
    REPLY_CUT = "ReplyCut"
    RESET = "Reset"
    SLOW = "Slow"
    REPLY_LATE = "ReplyLate"
    ACT_LATE = "ActLate"
    BROKEN_JSON = "BrokenJson"
    CUT_BODY = "CutBody"
    HTML = "Html"
    BAD_GATEWAY = "BadGateway"
    NULL_SNAPSHOT_ID = "NullSnapshotId"
    NO_DATE = "NoDate"
    STUCK_CREATING = "StuckCreating"
    TO_RECYCLE = "ToRecycle"
    UNKNOWN_STATE = "UnknownState"
    VANISH = "Vanish"


ERRORS = frozenset({Kind.ERROR, Kind.ERROR_WITH_CHARSET})
FATES = frozenset({Kind.STUCK_CREATING, Kind.TO_RECYCLE, Kind.UNKNOWN_STATE, Kind.VANISH})
_USUALLY_BEFORE = ERRORS | {Kind.ACT_LATE}
_ONLY_AFTER = FATES | {Kind.SLOW, Kind.REPLY_LATE, Kind.NO_DATE}
_MILLISECONDS = {Kind.SLOW: 50, Kind.REPLY_LATE: 1000, Kind.ACT_LATE: 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault, and what it needs to know."""

    kind: Kind
    acts: bool  # whether the call acts before it meets the fault
    code: str = ""
    message: str = ""
    state: str = ""
    milliseconds: int = 0

    @classmethod
    def asked(cls, asked: Mapping[str, Any]) -> Self:
        """Read a fault as the control port takes it, or raise ValueError."""
        kind, acts = _read(asked["kind"])
        if kind in ERRORS and not asked.get("code"):
            raise ValueError(f"{kind} needs the code that it answers with.")
        return cls(
            kind=kind,
            acts=acts,
            code=asked.get("code") or "",
            message=asked.get("message")
            or f"The emulator was told to answer {asked.get('code')}.",
            state=asked.get("state") or "MELTING",
            milliseconds=int(asked.get("milliseconds") or _MILLISECONDS.get(kind, 0)),
        )

    @property
    def name(self) -> str:
        """Its kind with its end, as calls are noted."""
        return f"{self.kind}{'AfterAct' if self.acts else 'BeforeAct'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    action: str
    fault: Fault
    times: int = 1
    until: float | None = None  # by the monotonic clock; it hits every call until then

    def hits(self, action: str) -> bool:
        return self.action in {ANY_ACTION, action}


class Faults:
    """The faults in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add(self, action: str, fault: Fault, times: int, seconds: float | None = None) -> None:
        """Let the next calls of an action meet a fault, or all its calls for a time."""
        until = None if seconds is None else time.monotonic() + seconds
        with self._lock:
            self._waiting.append(_Waiting(action=action, fault=fault, times=times, until=until))

    def take(self, action: str, *, acted: bool) -> Fault | None:
        """Return the fault that this call meets now: before it acts, or after that."""
        with self._lock:
            self._forget_the_past()
            for index, waiting in enumerate(self._waiting):
                if waiting.hits(action):
                    # The next fault's turn comes when this one, of the other end, has hit.
                    return self._use(index) if waiting.fault.acts is acted else None
        return None

    def clear(self) -> None:
        """Forget the faults that hit nothing yet."""
        with self._lock:
            self._waiting.clear()

    def _use(self, index: int) -> Fault:
        waiting = self._waiting[index]
        if waiting.until is None and waiting.times > 1:
            self._waiting[index] = replace(waiting, times=waiting.times - 1)
        elif waiting.until is None:
            del self._waiting[index]
        return waiting.fault

    def _forget_the_past(self) -> None:
        now = time.monotonic()
        self._waiting = [one for one in self._waiting if one.until is None or one.until > now]


def _read(text: str) -> tuple[Kind, bool]:
    for end, acts in _ENDS.items():
        if text.endswith(end) and text != end:
            kind = Kind(text.removesuffix(end))
            if (kind in _ONLY_AFTER and not acts) or (kind is Kind.ACT_LATE and acts):
                raise ValueError(f"There is no {text}.")
            return kind, acts
    kind = Kind(text)
    return kind, kind not in _USUALLY_BEFORE
