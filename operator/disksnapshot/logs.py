"""How log lines look: for people, or one JSON object a line; both say whom a line is about."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# As cbs.client and the record of a cut write it; Tencent's support asks for it first.
_REQUEST = re.compile(r"\(request ([0-9A-Za-z-]{8,64})\)")
_about: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("about")


@contextlib.contextmanager
def about(**subject: str) -> Iterator[None]:
    """Say of each line that this thread logs meanwhile whom it is about."""
    token = _about.set((_about.get(None) or {}) | subject)
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """One object a line, with keys that stay the same from version to version."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = record.getMessage()
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "msg": message,
            **(_about.get(None) or {}),
        }
        request = _REQUEST.search(message)
        if request:
            line["requestId"] = request[1]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str, form: str) -> None:
    """Log to standard error in the form that is asked for: text or json."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level, handlers=[handler])
    # kopf says "handler succeeded" for every event that it hands on.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    # At DEBUG the SDK writes whole requests, with Authorization, into its log.
    logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)
