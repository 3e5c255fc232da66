"""The kopf shell: it watches DiskSnapshots and says which to look at; it decides nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import kopf
from kopf._core.engines.peering import Identity

from disksnapshot.kube.objects import PLURAL, VERSION
from disksnapshot.naming import DOMAIN
from disksnapshot.sight import Key

if TYPE_CHECKING:
    from collections.abc import Callable


class Watch(threading.Thread):
    """kopf in a thread of its own; the main thread owns the signals."""

    def __init__(self, seen: Callable[[Key], None]) -> None:
        super().__init__(name="watch", daemon=True)
        self._seen = seen
        self._stop_flag = threading.Event()
        self.ready_flag = threading.Event()

    def run(self) -> None:
        """Watch until stopped. When this thread ends by itself, the operator isn't healthy."""
        kopf.run(
            registry=self._registry(),
            # Else kopf asks the system for the user's name, which a mere number hasn't got.
            identity=Identity("disksnapshot"),
            settings=_settings(),
            clusterwide=True,
            standalone=True,
            stop_flag=self._stop_flag,
            ready_flag=self.ready_flag,
        )

    def stop(self) -> None:
        """End the watch."""
        self._stop_flag.set()

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(kopf.login_via_client)

        @kopf.on.event(DOMAIN, VERSION, PLURAL, registry=registry)
        def look(namespace: str | None, name: str | None, **_: Any) -> None:
            if namespace and name:
                self._seen(Key(namespace, name))

        @kopf.on.cleanup(registry=registry)
        def end(**_: Any) -> None:
            # kopf gives up, as when the kind is gone for a moment. It would then wait for ever
            # for the flag that nobody sets, and its thread would look alive while it is blind.
            self._stop_flag.set()

        return registry


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    # kopf strips a finalizer of its own name when it has only event handlers: give it a name
    # that never occurs, so that ours is safe.
    settings.persistence.finalizer = f"{DOMAIN}/never-used"
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 60
    settings.watching.client_timeout = 70
    settings.watching.connect_timeout = 5
    return settings
