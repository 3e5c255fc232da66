"""Ask one question for all who wait to ask it: the cloud's rate is scarcer than its answers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from disksnapshot.errors import CloudUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Ask = Callable[[Callable[[], Sequence[str]]], Mapping[str, "A"]]

A = TypeVar("A")
LONGEST_SECONDS = 60.0  # for who waits while another asks; the call itself is limited


class Together(Generic[A]):
    """Questions about things by id, put on one call until that call may be made.

    `ask` gets a function that tells the ids; it calls that when nothing keeps the call any more.
    So a call that may be made at once is about those of one asker, and nobody waits for others.
    """

    def __init__(self, most: int, ask: Ask[A]) -> None:
        self._most = most
        self._ask = ask
        self._lock = threading.Lock()
        self._open: _Question[A] | None = None

    def about(self, ids: Sequence[str]) -> dict[str, A]:
        """Return what is known of these, which must fit on one call."""
        question, first = self._join(ids)
        if first:
            self._put(question)
        elif not question.answered.wait(LONGEST_SECONDS):
            raise CloudUnavailable("the question that others asked as well got no answer")
        if question.failed:
            raise question.failed
        return {known: question.answer[known] for known in ids if known in question.answer}

    def _join(self, ids: Sequence[str]) -> tuple[_Question[A], bool]:
        with self._lock:
            question = self._open
            if question and len(question.ids) + len(ids) <= self._most:
                question.ids += ids
                return question, False
            self._open = question = _Question(list(ids))
            return question, True

    def _put(self, question: _Question[A]) -> None:
        try:
            question.answer = self._ask(lambda: self._close(question))
        except Exception as error:
            question.failed = error
            raise
        finally:
            self._close(question)
            question.answered.set()

    def _close(self, question: _Question[A]) -> Sequence[str]:
        """Let nobody join any more; return all ids."""
        with self._lock:
            if self._open is question:
                self._open = None
            return question.ids


class _Question(Generic[A]):
    """One call, and who waits for it."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.answer: Mapping[str, A] = {}
        self.failed: Exception | None = None
        self.answered = threading.Event()
