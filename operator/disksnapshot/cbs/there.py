"""Find out which ids the cloud has, also where one that it lacks fails the whole call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from disksnapshot.cbs.calls import CloudProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


def there(
    ask: Callable[[Sequence[str]], Mapping[str, object]], ids: Sequence[str],
    lacking: Collection[str],
) -> set[str]:  # fmt: skip
    """Return those of `ids` that are there, by halves where a code of `lacking` is the answer."""
    try:
        return set(ask(ids))
    except CloudProblem as error:
        if error.code not in lacking:
            raise
    half = len(ids) // 2
    return there(ask, ids[:half], lacking) | there(ask, ids[half:], lacking) if half else set()
