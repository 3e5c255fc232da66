"""Sign requests early, so that the server refuses them when they come too late."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from tencentcloud.common.http.request import RequestInternal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tencentcloud.common.abstract_client import AbstractClient

# A request is refused when its time stamp is further than this from the server's clock (TC3,
# error AuthFailure.SignatureExpire).
VALID_SECONDS = 300


def sign(client: AbstractClient, action: str, params: Mapping[str, Any], at: datetime) -> bytes:
    """Return the HTTP request that the SDK would have sent at `at`, as bytes for a socket.

    The SDK itself builds and signs; only the time is ours. The trace id is random, as always.
    """
    request = RequestInternal(
        client._get_endpoint(),
        "POST",
        "/",
        header={"X-TC-TraceId": str(uuid.uuid4())},
    )
    client._build_req_inter(action, dict(params), request)
    set_time(client, request, int(at.timestamp()), params)
    return _wire_form(client, request)


def set_time(
    client: AbstractClient, request: RequestInternal, seconds: int, params: Mapping[str, Any]
) -> None:
    """Give a request that the SDK has built another time, and the signature that goes with it."""
    secret_id, secret_key, token = client.credential.get_credential_info()
    if token:
        # Of the same moment as the key: they may have been renewed since the SDK read them.
        request.header["X-TC-Token"] = token
    day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    request.header["X-TC-Timestamp"] = str(seconds)
    signature = client._get_tc3_signature(
        params,
        request,
        day,
        client._service,
        secret_key,
    )
    request.header["Authorization"] = (
        f"TC3-HMAC-SHA256 Credential={secret_id}/{day}/{client._service}/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={signature}"
    )


def _wire_form(client: AbstractClient, request: RequestInternal) -> bytes:
    """Let the SDK's own session add its headers, and write the request down as bytes."""
    session: requests.Session = client.request.conn._session
    prepared = session.prepare_request(
        requests.Request("POST", f"https://{request.host}/", request.header, data=request.data)
    )
    lines = [f"{prepared.method} {prepared.path_url} HTTP/1.1"]
    for name, value in prepared.headers.items():
        lines.append(f"{name}: {value if isinstance(value, str) else value.decode()}")
    body: str = request.data
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body.encode()
