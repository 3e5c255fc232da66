"""TKE pod identity: a token of the cluster is exchanged for a role's temporary keys at STS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from disksnapshot.cbs import sdk
from disksnapshot.cbs.temporary import TemporaryKeys
from disksnapshot.errors import CloudUnavailable

if TYPE_CHECKING:
    from disksnapshot.cbs.clock import CloudClock
    from disksnapshot.settings import KeysFromPodIdentity

ACTION = "AssumeRoleWithWebIdentity"
CALL_SECONDS = 5  # to connect, and for all of a reply
DURATION_SECONDS = 7200


class PodIdentity:
    """The call that the SDK's OIDCRoleArnCredential makes, with a time-out and our own CA.

    That class waits a minute for each step, holds a lock meanwhile, and hands out keys until they
    expire, also to requests that would outlive them.
    """

    def __init__(self, keys: KeysFromPodIdentity, ca_file: str | None, clock: CloudClock) -> None:
        self._keys = keys
        sdk.silence()
        http = HttpProfile(endpoint=keys.endpoint, reqTimeout=CALL_SECONDS, certification=ca_file)
        profile = ClientProfile(httpProfile=http, language="en-US")
        self._client = CommonClient("sts", "2018-08-13", None, keys.region, profile)
        sdk.attend(self._client, clock)

    def fetch(self) -> TemporaryKeys:
        """Return new keys for the token that the file holds now: the kubelet renews it."""
        token = self._token()
        asked = {
            "ProviderId": self._keys.provider_id,
            "WebIdentityToken": token,
            "RoleArn": self._keys.role_arn,
            "RoleSessionName": f"disksnapshot-operator-{time.time_ns()}",
            "DurationSeconds": DURATION_SECONDS,
        }
        try:
            # The token is the proof, so the request isn't signed: there are no keys to do it with.
            answer = self._client.call_json(ACTION, asked, options={"SkipSign": True})
        except TencentCloudSDKException as error:
            said = str(error.message)[:300].replace(token, "(the token)")
            message = f"{ACTION}: {error.code}: {said} (request {error.requestId or 'unknown'})"
            raise CloudUnavailable(message) from None
        given = answer["Response"]
        return TemporaryKeys.of(given["Credentials"], given["ExpiredTime"])

    def _token(self) -> str:
        try:
            token = self._keys.token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            message = f"the pod's identity token can't be read from {self._keys.token_file}: {why}"
            raise CloudUnavailable(message) from None
        if not token:
            raise CloudUnavailable(f"the pod's identity token in {self._keys.token_file} is empty")
        return token
