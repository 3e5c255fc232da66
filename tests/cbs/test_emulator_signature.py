"""What the emulated cloud lets in: requests signed with TC3-HMAC-SHA256, in time, for CBS."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from typing import Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from lab.cbs import signature
from lab.cbs.caller import Caller, client
from lab.cbs.control import Control
from lab.cbs.keys import Key
from lab.cbs.server import Emulator

EXAMPLE_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
EXAMPLE_SIGNATURE = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
EXAMPLE_BODY = (
    rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
)


def published_example(**changed: str) -> dict[str, str]:
    """Give the request that Tencent's documentation of the signature shows."""
    return {
        "authorization": "TC3-HMAC-SHA256 "
        "Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={EXAMPLE_SIGNATURE}",
        "content-type": "application/json; charset=utf-8",
        "host": "cvm.tencentcloudapi.com",
        "x-tc-timestamp": "1551113065",
        **changed,
    }


def verify_example(headers: dict[str, str], body: bytes = EXAMPLE_BODY, late: float = 0) -> str:
    return signature.verify(
        headers,
        body,
        find={"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE": Key(secret=EXAMPLE_KEY)}.get,
        now=1551113065 + late,
        service="cvm",
    )


COMMON = {
    "content-type": "application/json",
    "x-tc-action": "DescribeDisks",
    "x-tc-version": "2017-03-12",
    "x-tc-region": "ap-guangzhou",
}


def signed(
    emulator: Emulator,
    files: Any,
    body: bytes = b"{}",
    *,
    service: str = "cbs",
    days: int = 0,
    covers: tuple[str, ...] = ("content-type", "host", "x-tc-action"),
    **changed: str,
) -> dict[str, str]:
    """Sign a request for CBS as any client may: with one more header in the signature."""
    [(secret_id, key)] = json.loads(files.secrets.read_text()).items()
    now = datetime.now(UTC)
    headers = {**COMMON, "host": emulator.endpoint, "x-tc-timestamp": str(int(now.timestamp()))}
    headers |= {f"x-tc-{name}": value for name, value in changed.items()}
    claim = signature.Authorization(
        secret_id=secret_id,
        date=(now + timedelta(days=days)).date().isoformat(),
        service=service,
        signed_headers=covers,
        signature="",
    )
    right = signature.sign(key, claim, headers, body, int(now.timestamp()))
    headers["authorization"] = (
        f"TC3-HMAC-SHA256 Credential={secret_id}/{claim.date}/{service}/tc3_request, "
        f"SignedHeaders={';'.join(covers)}, Signature={right}"
    )
    return headers


def post(
    emulator: Emulator, ca: Path, headers: dict[str, str], body: bytes
) -> tuple[HTTPResponse, dict[str, Any]]:
    connection = HTTPSConnection(
        emulator.endpoint, context=create_default_context(cafile=ca), timeout=10
    )
    try:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        return response, json.loads(response.read())["Response"]
    finally:
        connection.close()


def refused(code: str) -> Any:
    return pytest.raises(Exception, check=lambda error: getattr(error, "code", None) == code)


def test_the_published_example_is_accepted() -> None:
    assert verify_example(published_example()) == "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"


@pytest.mark.parametrize(
    ("headers", "late", "code"),
    [
        (published_example(host="cbs.tencentcloudapi.com"), 0, "AuthFailure.SignatureFailure"),
        (
            published_example(**{"content-type": "text/plain"}),
            0,
            "AuthFailure.SignatureFailure",
        ),
        (
            published_example(**{"x-tc-timestamp": "1551113066"}),
            0,
            "AuthFailure.SignatureFailure",
        ),
        (published_example(**{"x-tc-token": "t"}), 0, "AuthFailure.TokenFailure"),
        (published_example(), 301, "AuthFailure.SignatureExpire"),
        (published_example(), -301, "AuthFailure.SignatureExpire"),
        (published_example(authorization=""), 0, "AuthFailure.InvalidAuthorization"),
        (
            published_example(authorization="HmacSHA256 abc"),
            0,
            "AuthFailure.InvalidAuthorization",
        ),
        (published_example(**{"x-tc-timestamp": "now"}), 0, "AuthFailure.InvalidAuthorization"),
    ],
    ids=[
        "another host",
        "another content type",
        "another second",
        "a token of nobody",
        "too late",
        "too early",
        "no signature",
        "an older kind of signature",
        "no time",
    ],
)
def test_the_published_example_is_refused_with_one_thing_changed(
    headers: dict[str, str], late: float, code: str
) -> None:
    with refused(code):
        verify_example(headers, late=late)


def test_the_published_example_is_good_for_five_minutes() -> None:
    verify_example(published_example(), late=300)


def test_another_body_breaks_the_signature() -> None:
    with refused("AuthFailure.SignatureFailure"):
        verify_example(published_example(), EXAMPLE_BODY.replace(b"1", b"2"))


def test_a_client_may_sign_more_headers_than_it_must(emulator: Emulator, files: Any) -> None:
    headers = signed(emulator, files)
    _, response = post(emulator, files.ca, headers, b"{}")
    assert response["TotalCount"] == 0
    headers["x-tc-action"] = "DescribeSnapshots"
    _, response = post(emulator, files.ca, headers, b"{}")
    assert response["Error"]["Code"] == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(
    "otherwise",
    [
        {"service": "cvm"},
        {"days": -1},
        {"covers": ("content-type",)},
        {"covers": ("host", "content-type")},
        {"covers": ("content-type", "host", "x-absent")},
    ],
    ids=["another service", "another day", "too little", "out of order", "a header not sent"],
)
def test_a_signature_with_the_right_key_and_the_wrong_cover_is_refused(
    emulator: Emulator, files: Any, otherwise: dict[str, Any]
) -> None:
    headers = signed(emulator, files, **otherwise)
    _, response = post(emulator, files.ca, headers, b"{}")
    assert response["Error"]["Code"] == "AuthFailure.SignatureFailure"


def test_a_wrong_key_is_refused(emulator: Emulator, files: Any) -> None:
    [secret_id] = json.loads(files.secrets.read_text())
    cloud = Caller(client(emulator.endpoint, secret_id, "another key", files.ca))
    with refused("AuthFailure.SignatureFailure"):
        cloud.disks()


def test_an_unknown_secret_id_is_refused(emulator: Emulator, files: Any) -> None:
    cloud = Caller(client(emulator.endpoint, "AKIDnobody", "a key", files.ca))
    with refused("AuthFailure.SecretIdNotFound"):
        cloud.disks()


def test_a_client_whose_clock_is_wrong_is_refused_and_can_see_it(
    emulator: Emulator, files: Any, cloud: Caller, control: Control
) -> None:
    control.settings(clockOffsetSeconds=301)
    with refused("AuthFailure.SignatureExpire"):
        cloud.disks()
    response, _ = post(emulator, files.ca, {}, b"{}")
    shown = parsedate_to_datetime(str(response.headers["Date"]))
    assert 299 < (shown - datetime.now(UTC)).total_seconds() < 302


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"action": "MakeTea"}, "InvalidAction"),
        ({"version": "2016-01-01"}, "NoSuchVersion"),
        ({"region": "ap-nowhere"}, "UnsupportedRegion"),
        ({"region": ""}, "MissingParameter"),
    ],
)
def test_an_unknown_action_version_or_region_is_refused(
    emulator: Emulator, files: Any, changed: dict[str, Any], code: str
) -> None:
    _, response = post(emulator, files.ca, signed(emulator, files, **changed), b"{}")
    assert response["Error"]["Code"] == code


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_a_body_that_is_no_json_object_is_refused(
    emulator: Emulator, files: Any, body: bytes
) -> None:
    _, response = post(emulator, files.ca, signed(emulator, files, body), body)
    assert response["Error"]["Code"] == "InvalidRequest"


def test_an_error_comes_with_200_and_the_headers_of_the_service(
    emulator: Emulator, files: Any
) -> None:
    response, content = post(emulator, files.ca, {"Content-Type": "application/json"}, b"{}")
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Server"] == "nginx"
    assert re.fullmatch(r"AuthFailure\.\w+", content["Error"]["Code"])
    assert str(uuid.UUID(content["RequestId"])) == content["RequestId"]


def test_a_connection_is_kept_for_the_next_call(emulator: Emulator, files: Any) -> None:
    connection = HTTPSConnection(
        emulator.endpoint, context=create_default_context(cafile=files.ca), timeout=10
    )
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/", b"{}")
        connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_without_the_right_ca_nobody_calls_it(emulator: Emulator) -> None:
    import certifi  # noqa: PLC0415 - the public authorities, needed here alone

    cloud = Caller(client(emulator.endpoint, "AKID", "key", Path(certifi.where())))
    with pytest.raises(TencentCloudSDKException, match="CERTIFICATE_VERIFY_FAILED"):
        cloud.disks()


def test_a_reply_can_lack_its_date(emulator: Emulator, files: Any, control: Control) -> None:
    control.fault("DescribeDisks", "NoDate")
    dates = [
        post(emulator, files.ca, signed(emulator, files), b"{}")[0].headers["Date"]
        for _ in range(2)
    ]
    assert dates[0] is None
    assert dates[1] is not None
