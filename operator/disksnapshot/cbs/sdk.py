"""Tencent's own client as it is used here: on the cloud's clock, within a time, silent on keys."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from tencentcloud.cbs.v20170312.cbs_client import CbsClient
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from disksnapshot.cbs import intime, signing

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from tencentcloud.common.abstract_client import AbstractClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.http.request import RequestInternal

    from disksnapshot.cbs.clock import CloudClock

CALL_SECONDS = 5.0  # to connect, and for all of a reply


def client(
    credential: Credential, region: str, endpoint: str, ca_file: str | None, clock: CloudClock,
    call_seconds: float = CALL_SECONDS,
) -> CbsClient:  # fmt: skip
    """Return the SDK's client for an endpoint (host and port)."""
    silence()
    # The SDK warns of each field that it doesn't know, and the service sends new ones.
    warnings.filterwarnings("ignore", r"\w+ fileds are useless", UserWarning)
    http = HttpProfile(endpoint=endpoint, reqTimeout=call_seconds, certification=ca_file)
    profile = ClientProfile(httpProfile=http, language="en-US")
    return _Client(credential, region, profile, clock)


def silence() -> None:
    """Keep the SDK's DEBUG log shut: it writes whole requests, with Authorization and tokens.

    A filter stands whatever level somebody sets later.
    """
    logging.getLogger("tencentcloud_sdk_common").addFilter(_is_warning)


class _Client(CbsClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client, which would take the time stamp from this machine's clock."""

    def __init__(
        self, credential: Credential, region: str, profile: ClientProfile, clock: CloudClock
    ) -> None:
        super().__init__(credential, region, profile)
        self._clock = clock
        attend(self, clock)

    def _build_req_inter(
        self,
        action: str,
        params: dict[str, Any],
        req_inter: RequestInternal,
        options: dict[str, Any] | None = None,
    ) -> None:
        super()._build_req_inter(action, params, req_inter, options)
        signing.set_time(self, req_inter, int(self._clock.now().timestamp()), params)


def attend(sdk_client: AbstractClient, clock: CloudClock) -> None:
    """Let a client's replies end in time, tell the time, and be known for JSON."""
    session = sdk_client.request.conn._session  # noqa: SLF001 - the SDK has no hook of its own
    intime.limit(session)
    session.hooks["response"] += [hearing(clock), _name_json]


def hearing(clock: CloudClock) -> Callable[..., None]:
    """Return a hook that takes the time from a reply's head."""

    def hear(response: requests.Response, **_: object) -> None:
        clock.hear(response.headers.get("Date"), response.elapsed)

    return hear


def _name_json(response: requests.Response, **_: object) -> None:
    """Call JSON by the name that the SDK knows.

    In an answer of another type, even of `application/json; charset=utf-8`, it looks for no error
    and takes it for a success.
    """
    if response.content.lstrip()[:1] == b"{":
        response.headers["Content-Type"] = "application/json"


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
