"""Lines for a person at a terminal: what goes on, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what begins, and after it how long it took."""
    begun = time.monotonic()
    say(f"{what} ...")
    yield
    say(f"{what}: {time.monotonic() - begun:.1f} s")
