"""Number every external effect of an operator, and let a fault befall one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Act = Callable[[], Any]
ENDLESS = float("inf")
ALWAYS = 10**6  # times: more than a life has effects


class Killed(BaseException):
    """The operator's process is gone: no handler of its own may see this as an error."""


class Over(Exception):  # noqa: N818 - it names a state of affairs
    """The while of a fault has passed: it befalls nothing more."""


@dataclass(kw_only=True)
class Fault:
    """What befalls the effect of this number, or the first ones whose name fits.

    `meet` is given the effect, and does it or not. `fired` counts how often that was.
    """

    meet: Callable[[Act], Any]
    number: int | None = None
    named: str = ""
    times: int = 1
    skips: int = 0
    after: Fault | None = None  # it can only fire when this one has
    may_miss: bool = False  # it goes on with another one, and shows nothing by itself
    fired: int = 0

    def fire(self, act: Act) -> Any:
        """Meet the effect; what is over by now has not fired."""
        self.fired += 1
        try:
            return self.meet(act)
        except Over:
            self.fired -= 1
            raise

    def befalls(self, number: int, name: str) -> bool:
        if self.fired >= self.times or (self.after and not self.after.fired):
            return False
        fits = number == self.number if self.number is not None else name.startswith(self.named)
        if fits and self.skips:
            self.skips -= 1
            return False
        return fits


@dataclass
class Points:
    """The effects so far, by name; the first one has the number 0."""

    names: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    after_each: Callable[[], None] = lambda: None

    def pass_through(self, name: str, act: Act) -> Any:
        number = len(self.names)
        self.names.append(name)
        try:
            for fault in self.faults:
                if fault.befalls(number, name):
                    with contextlib.suppress(Over):
                        return fault.fire(act)
            return act()
        finally:
            self.after_each()


class Tap:
    """The way out of one operator's process. Nothing leaves a dead process."""

    def __init__(self, points: Points, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._points, self._seconds = points, seconds
        self.dead = False
        self.ends_at = ENDLESS  # nothing of it is left then
        self.part = ""  # of the operator, which acts now; the names of its effects begin so
        self.counted = True  # only what concerns the object under test is numbered

    def effect(self, name: str, act: Act) -> Any:
        self.dead = self.dead or self._seconds() >= self.ends_at
        if self.dead:
            raise Killed
        try:
            answer = self._points.pass_through(self.part + name, act) if self.counted else act()
        except Killed:
            self.dead = True
            raise
        if self.dead:
            raise Killed
        return answer


def first(deed: Callable[[], object]) -> Callable[[Act], Any]:
    """Let somebody else do something just before an effect."""

    def meet(act: Act) -> Any:
        deed()
        return act()

    return meet


def afterwards(deed: Callable[[], object]) -> Callable[[Act], Any]:
    """Let somebody else do something just after an effect."""

    def meet(act: Act) -> Any:
        answer = act()
        deed()
        return answer

    return meet


def kill_before(_: Act) -> None:
    raise Killed


def kill_after(act: Act) -> None:
    act()
    raise Killed


def noticed(name: str) -> Fault:
    """What is so from the beginning has its effect when the operator first asks for it."""
    return Fault(meet=lambda act: act(), named=name)
