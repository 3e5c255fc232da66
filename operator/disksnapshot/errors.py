"""What can go wrong, sorted by what one must do about it."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - it names a state of affairs that is shown to people
    """Something the object's status must say: a reason of the closed list, and a sentence.

    `final` means that waiting can't help: somebody has to change the object, or what it names.
    `slow` means that it can, but that looking every minute is no use.
    """

    def __init__(
        self, reason: str, message: str, *, final: bool = False, slow: bool = False
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.final = final
        self.slow = slow


class Conflict(Exception):  # noqa: N818 - the same
    """The object changed since it was read: read it again and decide again."""


class Gone(Exception):  # noqa: N818 - the same
    """The object is not there any more."""


class Unavailable(Exception):  # noqa: N818 - the same
    """A server didn't answer or is overloaded: try again later, `after` seconds if it says so."""

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class CloudUnavailable(Unavailable):
    """The same, of the cloud: only this can be told in an object's status meanwhile."""


class Unreadable(CloudUnavailable):
    """The cloud answered, and what it said can't be read: one thing in it may be the cause."""


class Forbidden(Exception):  # noqa: N818 - the same
    """The operator's service account lacks a right; the message is the API server's."""
