"""Find out which cluster this is, however long its API server takes to answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from disksnapshot.errors import Forbidden, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from disksnapshot.kube.api import Api

PAUSE_SECONDS = 5.0
PATH = "/api/v1/namespaces/kube-system"

logger = logging.getLogger(__name__)


def cluster_uid(api: Api, stops: Callable[[float], bool]) -> str | None:
    """Return the uid of kube-system: it lives as long as the cluster.

    `stops` waits for so many seconds, and tells whether this process is to end; then the answer
    is None. A process that ended because of an outage would be started ever more seldom, and
    would miss the outage's end by minutes.
    """
    while True:
        try:
            return str(api.get(PATH)["metadata"]["uid"])
        except (Forbidden, Unavailable) as error:
            logger.warning("the cluster's identity can't be read: %s", error)
        if stops(PAUSE_SECONDS):
            return None
