"""Check TC3-HMAC-SHA256, the signature that Tencent Cloud asks of every request."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.cbs.errors import ApiError
from lab.cbs.keys import Key

ALGORITHM = "TC3-HMAC-SHA256"
MAX_SKEW_SECONDS = 300
_ALWAYS_SIGNED = {"content-type", "host"}
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<secret_id>[^/,\s]+)/(?P<date>\d{{4}}-\d\d-\d\d)"
    r"/(?P<service>[a-z]+)/tc3_request, ?"
    r"SignedHeaders=(?P<signed_headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What the Authorization header claims."""

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def parse(header: str) -> Authorization:
    """Read the header, or refuse it as malformed."""
    found = _AUTHORIZATION.fullmatch(header)
    if found is None:
        raise ApiError(
            "AuthFailure.InvalidAuthorization", "The Authorization header is malformed."
        )
    return Authorization(
        secret_id=found["secret_id"],
        date=found["date"],
        service=found["service"],
        signed_headers=tuple(found["signed_headers"].split(";")),
        signature=found["signature"],
    )


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    find: Callable[[str], Key | None],
    now: float,
    service: str = "cbs",
) -> str:
    """Return the SecretId that signed this request, or refuse. Header names are lower case."""
    claim = parse(headers.get("authorization", ""))
    key = find(claim.secret_id)
    if key is None:
        raise ApiError(
            "AuthFailure.SecretIdNotFound",
            "The SecretId is not found, please ensure that your SecretId is correct.",
        )
    _check_token(key, headers.get("x-tc-token", ""), now)
    timestamp = _timestamp(headers)
    if abs(now - timestamp) > MAX_SKEW_SECONDS:
        raise ApiError(
            "AuthFailure.SignatureExpire",
            f"The signature has expired: X-TC-Timestamp is {timestamp}, it is {int(now)} now.",
        )
    if not _covers(claim, headers, timestamp, service) or not hmac.compare_digest(
        claim.signature, sign(key.secret, claim, headers, body, timestamp)
    ):
        raise ApiError(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. "
            "Please check your signature is correct.",
        )
    return claim.secret_id


def sign(
    secret_key: str,
    claim: Authorization,
    headers: Mapping[str, str],
    body: bytes,
    timestamp: int,
) -> str:
    """Compute the signature that a request with this scope and these headers must carry."""
    string_to_sign = "\n".join(
        [
            ALGORITHM,
            str(timestamp),
            f"{claim.date}/{claim.service}/tc3_request",
            _digest(canonical_request(claim.signed_headers, headers, body).encode()),
        ]
    )
    key = f"TC3{secret_key}".encode()
    for part in (claim.date, claim.service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, string_to_sign.encode(), "sha256").hex()


def canonical_request(
    signed_headers: tuple[str, ...], headers: Mapping[str, str], body: bytes
) -> str:
    """Lay the request out as both sides sign it; the emulator takes POST on / alone."""
    lines = [f"{name}:{headers.get(name, '').strip().lower()}\n" for name in signed_headers]
    unsigned = headers.get("x-tc-content-sha256") == "UNSIGNED-PAYLOAD"
    return "\n".join(
        [
            "POST",
            "/",
            "",
            "".join(lines),
            ";".join(signed_headers),
            _digest(b"UNSIGNED-PAYLOAD" if unsigned else body),
        ]
    )


def _check_token(key: Key, sent: str, now: float) -> None:
    """Refuse a token that isn't the key's own, or whose time is over; most keys have none."""
    if not hmac.compare_digest(sent.encode(), key.token.encode()):
        raise ApiError("AuthFailure.TokenFailure", "The token doesn't belong to the SecretId.")
    if key.expires is not None and now >= key.expires:
        raise ApiError("AuthFailure.TokenFailure", "The token has expired.")


def _covers(
    claim: Authorization, headers: Mapping[str, str], timestamp: int, service: str
) -> bool:
    """Tell if the claim is for this service and day, and signs what must be signed, in order."""
    return (
        claim.service == service
        and claim.date == datetime.fromtimestamp(timestamp, UTC).date().isoformat()
        and set(claim.signed_headers) >= _ALWAYS_SIGNED
        and set(claim.signed_headers) <= headers.keys()
        and list(claim.signed_headers) == sorted(claim.signed_headers)
    )


def _timestamp(headers: Mapping[str, str]) -> int:
    text = headers.get("x-tc-timestamp", "")
    if not re.fullmatch(r"\d{1,11}", text):
        raise ApiError(
            "AuthFailure.InvalidAuthorization", "X-TC-Timestamp must be a number of seconds."
        )
    return int(text)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
