"""Call the emulated cloud as a customer does: through Tencent's own SDK."""

from pathlib import Path
from typing import Any

from tencentcloud.cbs.v20170312.cbs_client import CbsClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

REGION = "ap-guangzhou"


def client(
    endpoint: str,
    secret_id: str,
    secret_key: str,
    ca_file: Path,
    *,
    token: str | None = None,
    region: str = REGION,
    timeout_seconds: float = 10.0,
) -> CbsClient:
    """Make the SDK's client for an endpoint (host and port) that the lab's CA vouches for."""
    transport = HttpProfile(
        endpoint=endpoint, reqTimeout=timeout_seconds, certification=str(ca_file)
    )
    profile = ClientProfile(httpProfile=transport, language="en-US")
    return CbsClient(Credential(secret_id, secret_key, token), region, profile)


class Caller:
    """The API's actions by name, with plain values; a refusal is the SDK's own exception."""

    def __init__(self, sdk: CbsClient) -> None:
        self._sdk = sdk

    def call(self, action: str, **asked: Any) -> dict[str, Any]:
        """Call an action and return what is inside its Response."""
        return dict(self._sdk.call_json(action, asked)["Response"])

    def snapshots(self, **asked: Any) -> list[dict[str, Any]]:
        """List snapshots: one page."""
        return list(self.call("DescribeSnapshots", **asked)["SnapshotSet"])

    def disks(self, **asked: Any) -> list[dict[str, Any]]:
        """List disks: one page."""
        return list(self.call("DescribeDisks", **asked)["DiskSet"])
