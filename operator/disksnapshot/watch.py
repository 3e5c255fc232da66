"""The kopf shell: it watches DiskSnapshots and says which to look at; it decides nothing."""

from __future__ import annotations

import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any

import kopf
from kopf._cogs.clients.errors import APINotFoundError
from kopf._core.engines.peering import Identity

from disksnapshot.kube.objects import PLURAL, VERSION
from disksnapshot.naming import DOMAIN
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SILENT_SECONDS = 70.0  # the API server ends a watch after 60 s, so no healthy one is older
# The API server itself gives up on a list after 60 s.
LIST_SECONDS, CONNECT_SECONDS = 65.0, 5.0
ANEW_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Watch(threading.Thread):
    """kopf in a thread of its own; the main thread owns the signals.

    `seen` is told which object to look at, and `went` how an object was just before it was gone.
    `silent_seconds` is how old a watch may become: one from which nothing comes may be dead.
    """

    def __init__(
        self, seen: Callable[[Key], None], went: Callable[[Mapping[str, Any]], None],
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:  # fmt: skip
        super().__init__(name="watch", daemon=True)
        self._seen = seen
        self._went = went
        self._settings = _settings(silent_seconds)
        self._stopping = threading.Event()
        self._stop_flag = threading.Event()
        self.ready_flag = threading.Event()

    def run(self) -> None:
        """Watch until stopped. When this thread ends by itself, the operator isn't healthy.

        kopf ends for many an answer that an API server in trouble gives. The operator must not:
        the proof of a hold that isn't recorded yet would go with it.
        """
        while not self._stopping.is_set():
            try:
                self._watch()
            except APINotFoundError:
                return  # the kind is gone: kopf wouldn't see it come back
            except Exception as error:  # noqa: BLE001 - whatever it ended for, it is started anew
                logger.warning("the watch is started anew: %s", error)
            self._stopping.wait(ANEW_SECONDS)

    def _watch(self) -> None:
        self._stop_flag = threading.Event()
        if self._stopping.is_set():
            return
        kopf.run(
            registry=self._registry(),
            # Else kopf asks the system for the user's name, which a mere number hasn't got.
            identity=Identity("disksnapshot"),
            settings=self._settings,
            clusterwide=True,
            standalone=True,
            stop_flag=self._stop_flag,
            ready_flag=self.ready_flag,
        )

    def stop(self) -> None:
        """End the watch."""
        self._stopping.set()
        self._stop_flag.set()

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(kopf.login_via_client)

        @kopf.on.event(DOMAIN, VERSION, PLURAL, registry=registry)
        def look(namespace: str | None, name: str | None, event: kopf.RawEvent, **_: Any) -> None:
            if event["type"] == "DELETED":
                self._went(event["object"])
            if namespace and name:
                self._seen(Key(namespace, name))

        @kopf.on.cleanup(registry=registry)
        def end(**_: Any) -> None:
            # kopf gives up, as when the kind is gone for a moment. It would then wait for ever
            # for the flag that nobody sets, and its thread would look alive while it is blind.
            self._stop_flag.set()

        return registry


class _EverAgain:
    """Pauses before the next try, in seconds, without an end: kopf's own list makes it give up."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((1.0, 2.0), itertools.repeat(5.0))


def _settings(silent_seconds: float) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    # kopf strips a finalizer of its own name when it has only event handlers: give it a name
    # that never occurs, so that ours is safe.
    settings.persistence.finalizer = f"{DOMAIN}/never-used"
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 60
    settings.watching.client_timeout = silent_seconds
    settings.watching.connect_timeout = CONNECT_SECONDS
    settings.networking.request_timeout = LIST_SECONDS
    settings.networking.connect_timeout = CONNECT_SECONDS
    settings.networking.error_backoffs = _EverAgain()
    return settings
