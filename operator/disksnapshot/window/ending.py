"""End the process as soon as nobody wants its answer any more, while it holds nothing yet."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from disksnapshot.window.hold import Selectable


@contextlib.contextmanager
def with_input(conversation: Selectable) -> Iterator[None]:
    """For the body, in which no word is due to come: what can be read is the input's end.

    Getting ready may wait for others for a minute, and an operator that stops has five seconds.
    """
    reading, writing = os.pipe()
    watching = threading.Thread(target=_watch, args=(conversation.fileno(), reading), daemon=True)
    watching.start()
    try:
        yield
    finally:
        os.close(writing)
        watching.join()
        os.close(reading)


def _watch(conversation: int, over: int) -> None:
    ready, _, _ = select.select([conversation, over], [], [])
    if over not in ready:
        # Every server and freezer notices the end of a process, as it would after a crash.
        os._exit(0)
