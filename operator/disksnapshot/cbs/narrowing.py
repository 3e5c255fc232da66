"""Look at pages of snapshots, and find the ids that fail one, so that all others are seen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.client import NOT_FOUND
from disksnapshot.cbs.errors import Remedy
from disksnapshot.errors import Problem, Unavailable, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from disksnapshot.cbs.listed import Snapshot

# Classes of codes that one id of a page may be the cause of.
ABOUT_AN_ID = {"InvalidSnapshotId", "InvalidSnapshot", "InvalidParameterValue", "ResourceNotFound"}
NARROWING_CALLS = 20  # a sweep: a page of a hundred with one bad id takes 14

logger = logging.getLogger(__name__)


class Looks:
    """The looks of one sweep: what each id was answered with, and which fail where they are alone.

    `for_all` is an error that no id is to blame for, since it meets every call. `turn`, another
    one each sweep, picks whom to ask to find that out. `unfinished` says that more ids fail than
    one sweep may find; the next one goes on.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Mapping[str, Snapshot]],
        turn: int,
        *,
        blame_unclear: bool,
    ) -> None:
        self.seen: dict[str, Snapshot | None] = {}
        self.alone: dict[str, Exception] = {}
        self.for_all: Exception | None = None
        self.unfinished = False
        self._ask_cloud = ask
        self._turn = turn
        self._blame_unclear = blame_unclear
        self._left = NARROWING_CALLS

    def at(self, page: Sequence[str]) -> Exception | None:
        """Look at one page; return what kept a part of it from being looked at."""
        error = self._ask(page)
        return self._after(page, error) if error else None

    def again(self, followed: Sequence[str], last: Exception) -> Exception | None:
        """Return, by one call, the error of the last sweep if it still seems to hold for all."""
        error = self._ask([followed[self._turn % len(followed)]])
        self.for_all = error if error and _kind(error) == _kind(last) else None
        return self.for_all

    def _ask(self, page: Sequence[str]) -> Exception | None:
        try:
            listed = self._ask_cloud(page)
        except (Problem, Unavailable) as error:
            return error
        except Exception as error:  # one answer that can't be read must not hide all others
            logger.exception("a sweep's answer can't be read")
            return error
        self.seen.update({snapshot_id: listed.get(snapshot_id) for snapshot_id in page})
        return None

    def _after(self, page: Sequence[str], error: Exception) -> Exception | None:
        """Go on after a page that failed: by its parts, if one id may be to blame."""
        if not self._blames_an_id(error):
            return error
        if len(page) == 1:
            self.alone[page[0]] = error
            return None
        self._left -= 2
        if self._left < 0:
            self.unfinished = True
            return None
        tried = [(part, self._ask(part)) for part in _parts(page, error)]
        failed = [(part, failure) for part, failure in tried if failure]
        if self._is_for_all(error, failed):
            self.for_all = error
            self.alone.clear()
            return error
        errors = [self._after(part, failure) for part, failure in failed]
        return next((left for left in errors if left), None)

    def _blames_an_id(self, error: Exception) -> bool:
        """Tell whether one id may be to blame: by the code, or as the page fails each time."""
        if isinstance(error, CloudProblem):
            if error.code.partition(".")[0] in ABOUT_AN_ID:
                return True
            return error.meaning.remedy is Remedy.LOOK_UP and self._blame_unclear
        return isinstance(error, Unreadable) or not isinstance(error, Problem | Unavailable)

    def _is_for_all(
        self, error: Exception, failed: Sequence[tuple[Sequence[str], Exception]]
    ) -> bool:
        """Tell whether every call failed alike: both parts of a page, and one id by itself.

        Several bad ids may look so by chance; another id is asked before the next sweep.
        """
        alike = {_kind(error), *(_kind(failure) for _, failure in failed)}
        if self.seen or len(alike) > 1 or alike == {NOT_FOUND}:
            return False
        longest = max((part for part, _ in failed), key=len)
        if len(longest) == 1:
            return True
        self._left -= 1
        one = longest[(len(longest) // 2 + self._turn) % len(longest)]
        failure = self._ask([one])
        return failure is not None and _kind(failure) in alike


def holds_for_all(error: Exception) -> bool:
    """Tell by its code whether the other pages would meet it too: a throttle, keys, a right."""
    if not isinstance(error, CloudProblem):
        return False
    return error.slow or error.meaning.remedy is Remedy.SEND_AGAIN


def _parts(page: Sequence[str], error: Exception) -> list[Sequence[str]]:
    """Return the ids that a message names and the others; halves, where it names none or all."""
    named = [item for item in page if item in str(error)]
    rest = [item for item in page if item not in named]
    return [named, rest] if named and rest else [page[: len(page) // 2], page[len(page) // 2 :]]


def _kind(error: Exception) -> str:
    return error.code if isinstance(error, CloudProblem) else type(error).__name__
