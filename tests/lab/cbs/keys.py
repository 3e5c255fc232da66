"""The keys that may sign: long-lived pairs, and temporary ones that are issued for a time."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

_PREFIX = "AKIDtmp"
_SECRET_ID_BYTES = 24
_KEY_BYTES = 24
_TOKEN_BYTES = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What belongs to a SecretId; only a temporary key has a token, and an end."""

    secret: str
    token: str = ""
    expires: float | None = None  # by the cloud's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A temporary key as it is handed out, once."""

    secret_id: str
    key: Key
    expires: int


class Keys:
    """Every key of the account. Temporary ones end with the process that issued them."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._known = {secret_id: Key(secret=secret) for secret_id, secret in pairs.items()}

    def find(self, secret_id: str) -> Key | None:
        """Return the key of a SecretId, also one that has expired; None if there never was one."""
        with self._lock:
            return self._known.get(secret_id)

    def issue(self, expires: int) -> Session:
        """Make a temporary key that is good until a time of the cloud's clock."""
        secret_id = _PREFIX + secrets.token_hex(_SECRET_ID_BYTES)
        key = Key(
            secret=secrets.token_urlsafe(_KEY_BYTES),
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            expires=float(expires),
        )
        with self._lock:
            self._known[secret_id] = key
        return Session(secret_id=secret_id, key=key, expires=expires)

    def revoke_temporary(self) -> None:
        """Forget every temporary key, as when a role is taken away."""
        with self._lock:
            self._known = {i: key for i, key in self._known.items() if key.expires is None}
