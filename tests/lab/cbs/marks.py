"""Check what callers write on disks and snapshots: names, tags, deadlines."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from lab.cbs.errors import ApiError

MAX_NAME = 60
MAX_TAGS = 50
DAY_SECONDS = 86400
_RESERVED = ("qcs:", "project:")
# Letters of any script, digits, space and the signs that the tag service lists.
_TAG_TEXT = re.compile(r"[\w +\-=.:/@()\[\]]*")


def name(given: str) -> str:
    """Return a name that is short enough, or refuse."""
    if not 1 <= len(given) <= MAX_NAME:
        raise ApiError("InvalidParameterValue", f"A name has 1 to {MAX_NAME} characters.")
    return given


def tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags by key, or refuse."""
    if len(given) > MAX_TAGS:
        raise ApiError(
            "LimitExceeded.TagQuotaLimitExceeded", f"A resource takes {MAX_TAGS} tags at most."
        )
    for tag in given:
        _check_tag(tag["Key"], tag["Value"])
    by_key = {tag["Key"]: tag["Value"] for tag in given}
    if len(by_key) < len(given):
        raise ApiError("InvalidParameterValue", "A tag key is given twice.")
    return by_key


def deadline(given: str, now: float) -> float:
    """Return the time at which the cloud deletes the snapshot by itself, or refuse."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ApiError("InvalidParameterValue", "Deadline must be ISO 8601 with a zone, in UTC.")
    if moment.timestamp() < now + DAY_SECONDS:
        raise ApiError("InvalidParameterValue", "Deadline must be at least one day ahead.")
    return moment.timestamp()


def _check_tag(key: str, value: str) -> None:
    if not 1 <= len(key) <= 127 or key.startswith(_RESERVED) or not _TAG_TEXT.fullmatch(key):
        raise ApiError("InvalidParameterValue", f"The tag key `{key}` isn't allowed.")
    if len(value) > 255 or not _TAG_TEXT.fullmatch(value):
        raise ApiError("InvalidParameterValue", f"The value of the tag `{key}` isn't allowed.")
