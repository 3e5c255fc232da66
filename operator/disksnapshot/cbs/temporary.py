"""Temporary keys, renewed in time: nobody waits for new ones while the last ones are good."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tencentcloud.common.credential import Credential

from disksnapshot.cbs.signing import VALID_SECONDS
from disksnapshot.errors import CloudUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

# A request that is signed early must not lose its key before the cloud refuses it for its age.
OUTLIVE_SECONDS = VALID_SECONDS + 60
RENEW_SECONDS = 900  # so long before their end new ones are fetched, while nobody waits
WAIT_SECONDS = 10.0  # for a fetch, by those who have no keys that outlive a request
ABANDON_SECONDS = 30.0  # a fetch that trickles; another may begin
CALM_SECONDS, HURRY_SECONDS = 30.0, 2.0  # between fetches: with keys that outlive, and without

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryKeys:
    """Keys for a time; `expires` in seconds since the epoch, as the cloud said."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: float

    @classmethod
    def of(cls, given: Mapping[str, Any], expires: Any) -> Self:
        """Read what a server gave; it must be words: `None` would be a key like any other."""
        words = [given.get(name) for name in ("TmpSecretId", "TmpSecretKey", "Token")]
        if not all(isinstance(word, str) and word for word in words):
            raise CloudUnavailable("the answer holds no keys")
        secret_id, secret_key, token = map(str, words)
        return cls(secret_id=secret_id, secret_key=secret_key, token=token, expires=float(expires))


class TemporaryCredential(Credential):  # type: ignore[misc]  # the SDK has no types
    """Keys that `fetch` gets from `source`, one fetch at a time, in a thread of its own.

    While there are keys that outlive a request, they are handed out at once. Without, callers
    wait a limited time for the fetch that is under way; after that, keys that have not expired
    yet are still used, and else the caller is told why there are none.
    """

    def __init__(
        self,
        source: str,
        fetch: Callable[[], TemporaryKeys],
        clock: Callable[[], datetime],
        wait_seconds: float = WAIT_SECONDS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._clock = clock  # the cloud's, for their end; it may be set by hours
        self._steady = steady  # for pauses
        self._wait_seconds = wait_seconds
        self._change = threading.Condition()
        self._keys: TemporaryKeys | None = None
        self._why = "they were not fetched in time"
        self._fetching_since: float | None = None
        self._not_before = 0.0
        self._distrusted = False
        self._failing = False

    @property
    def expires(self) -> float:
        """When the keys in use end, in seconds since the epoch; 0 as long as there are none."""
        keys = self._keys
        return keys.expires if keys else 0.0

    @property
    def failing(self) -> bool:
        """Tell whether the last fetch has failed."""
        return self._failing

    def distrust(self) -> None:
        """Fetch others at the next request: the cloud refused these before their end."""
        with self._change:
            self._distrusted = True

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """Return id, key and token of one moment (the SDK calls it for each request)."""
        with self._change:
            if self._distrusted or self._left() < RENEW_SECONDS:
                self._begin()
            if self._distrusted or self._left() < OUTLIVE_SECONDS:
                # Lets go of the lock meanwhile: others who wait are not behind this one. A fetch
                # that hangs keeps callers once, and not each of them anew.
                self._change.wait_for(self._is_settled, self._patience())
            keys = self._keys
            if keys is None or self._left() <= 0:
                raise CloudUnavailable(f"no valid keys from {self._source}: {self._why}")
            return keys.secret_id, keys.secret_key, keys.token

    def __repr__(self) -> str:
        return f"TemporaryCredential({self._source!r})"

    def _left(self) -> float:
        return self._keys.expires - self._clock().timestamp() if self._keys else 0.0

    def _is_settled(self) -> bool:
        return self._fetching_since is None

    def _patience(self) -> float:
        since = self._fetching_since
        return 0.0 if since is None else max(0.0, since + self._wait_seconds - self._steady())

    def _begin(self) -> None:
        """Fetch, unless that is under way or was done a moment ago."""
        now = self._steady()
        if self._fetching_since is not None and now - self._fetching_since < ABANDON_SECONDS:
            return
        if now < self._not_before:
            return
        self._fetching_since = now
        threading.Thread(target=self._renew, name="keys", daemon=True).start()

    def _renew(self) -> None:
        keys, why = None, ""
        try:
            keys = self._fetch()
        except CloudUnavailable as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - whatever an answer holds, callers must be told
            why = f"an answer that can't be read ({type(error).__name__})"
        if why:
            logger.warning("no new keys from %s: %s", self._source, why)
        with self._change:
            # A fetch that was given up may end late: later keys are not replaced by earlier ones.
            if keys and (self._keys is None or keys.expires >= self._keys.expires):
                self._keys, self._distrusted = keys, False
            self._why, self._failing = why, bool(why)
            self._fetching_since = None
            pause = CALM_SECONDS if self._left() >= OUTLIVE_SECONDS else HURRY_SECONDS
            self._not_before = self._steady() + pause
            self._change.notify_all()
