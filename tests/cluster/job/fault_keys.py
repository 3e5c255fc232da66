"""The operator with the keys of a role: snapshots before and after the end of temporary keys."""

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cluster.waiting import until
from lab.demo import stage
from lab.demo.shop import Shop
from lab.layout import METADATA_ADDRESS, REGION, STS_ENDPOINT

SHORT_SECONDS = 8  # long enough for one snapshot beside other tests
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
ROLE = "qcs::cam::uin/100000000001:roleName/snapshots"
# What TKE's webhook would put into the pod; here the pod's usual token is the proof.
WEBHOOK = {
    "TKE_REGION": REGION,
    "TKE_PROVIDER_ID": "oidc-provider",
    "TKE_ROLE_ARN": ROLE,
    "TKE_WEB_IDENTITY_TOKEN_FILE": TOKEN,
}
POD_IDENTITY = {"mode": "PodIdentity", "roleARN": ROLE, "stsEndpoint": STS_ENDPOINT}
CVM_ROLE = {"mode": "CVMRole", "metadataURL": f"http://{METADATA_ADDRESS}/latest/meta-data/"}
# Keys, tokens, and what is made with them, however they were come by.
SECRET = re.compile(r"AKIDtmp|Signature=|TmpSecretKey|X-TC-Token|\beyJ[\w-]{20}")


@pytest.fixture
def short_keys(shop: Shop) -> Iterator[None]:
    shop.lab.cbs.settings(sessionSeconds=SHORT_SECONDS)
    yield
    shop.lab.cbs.settings(sessionSeconds=0)
    stage.install_operator(shop.lab, [shop.namespace])


def install(shop: Shop, credentials: dict[str, Any]) -> None:
    tencent = {
        "endpoint": shop.lab.cbs_endpoint,
        "region": REGION,
        "caBundle": shop.lab.ca_file.read_text(),
        "credentials": credentials,
    }
    environment = [{"name": name, "value": value} for name, value in WEBHOOK.items()]
    chosen = {"tencent": tencent, "extraEnv": environment, "logLevel": "DEBUG"}
    stage.install_operator(shop.lab, [shop.namespace], **chosen)


@pytest.mark.usefixtures("short_keys")
def test_snapshots_are_taken_with_a_role_across_the_end_of_its_keys_which_show_nowhere(
    shop: Shop,
) -> None:
    for credentials, asked in (
        (POD_IDENTITY, "AssumeRoleWithWebIdentity"),
        (CVM_ROLE, "Metadata"),
    ):
        install(shop, credentials)
        _, since = shop.lab.cbs.calls()
        shop.ready(shop.snapshot())
        ends = time.time() + SHORT_SECONDS
        until(lambda end=ends: time.time() > end, "the first keys have ended")  # type: ignore[misc]  # end is bound here
        body = shop.snapshot()
        told = json.dumps(shop.ready(body))
        told += json.dumps(shop.events("DiskSnapshot", body["metadata"]["name"]))
        calls, _ = shop.lab.cbs.calls(since)
        assert [call["action"] for call in calls].count(asked) >= 2
        log = shop.lab.kubectl("-n", stage.OPERATOR_NAMESPACE, "logs", stage.DEPLOYMENT)
        assert "DEBUG" in log
        assert not SECRET.search(log + told)
        assert not [word for word in password(shop) if word in log + told]


def password(shop: Shop) -> tuple[str, str]:
    """Return the database account's password, as it is and as a Secret has it."""
    name = f"{shop.database.pod}-snapshot"
    encoded = stage.get(shop.lab, shop.namespace, name, "secret")["data"]["password"]
    return encoded, base64.b64decode(encoded).decode()
