"""Temporary keys: who gives them, for how long they are good, and what refuses them."""

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from lab.cbs.caller import Caller, client
from lab.cbs.control import Control
from lab.cbs.server import Emulator

ANY_PORT = "127.0.0.1:0"
ASSUMED = {
    "ProviderId": "oidc-provider",
    "WebIdentityToken": "a token",
    "RoleArn": "qcs::cam::uin/100000000001:roleName/snapshots",
    "RoleSessionName": "test",
    "DurationSeconds": 7200,
}


@dataclass(frozen=True, slots=True)
class Place:
    """An emulator that gives temporary keys, and its CA."""

    emulator: Emulator
    control: Control
    ca: Path

    def assume(self, **asked: Any) -> dict[str, Any]:
        """Ask STS as the SDK does for a pod: unsigned."""
        transport = HttpProfile(
            endpoint=self.emulator.sts_endpoint, reqTimeout=5, certification=str(self.ca)
        )
        sts = CommonClient(
            "sts",
            "2018-08-13",
            credential=None,
            region="ap-guangzhou",
            profile=ClientProfile(httpProfile=transport),
        )
        asked = {**ASSUMED, **asked}
        options = {"SkipSign": True}
        answer = sts.call_json("AssumeRoleWithWebIdentity", asked, options=options)
        return dict(answer["Response"])

    def caller(self, key: Mapping[str, Any]) -> Caller:
        """Give a caller with the key in the form of STS and of the metadata address."""
        return Caller(
            client(
                self.emulator.endpoint,
                key["TmpSecretId"],
                key["TmpSecretKey"],
                self.ca,
                token=key["Token"],
            )
        )

    def ask(self, path: str) -> tuple[int, str]:
        """Ask the metadata address for a path below the roles' keys."""
        address = urlsplit(self.emulator.metadata_url)
        connection = HTTPConnection(address.netloc, timeout=5)
        try:
            connection.request("GET", f"{address.path}cam/security-credentials/{path}")
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@pytest.fixture
def place(files: Any) -> Iterator[Place]:
    pairs = json.loads(files.secrets.read_text())
    with Emulator(
        files.store,
        ANY_PORT,
        files.cert,
        files.key,
        ANY_PORT,
        pairs,
        sts=ANY_PORT,
        metadata=ANY_PORT,
    ) as running:
        yield Place(running, Control(running.control_url), files.ca)


def refused(code: str) -> Any:
    return pytest.raises(TencentCloudSDKException, check=lambda error: error.code == code)


def jwt(**claims: Any) -> str:
    parts: tuple[dict[str, Any], ...] = ({"alg": "RS256"}, claims, {})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join(text.rstrip("=") for text in texts)


def test_a_web_identity_gives_a_key_that_is_good_until_it_expires(place: Place) -> None:
    assumed = place.assume(DurationSeconds=600)
    cloud = place.caller(assumed["Credentials"])
    cloud.disks()
    assert 590 < assumed["ExpiredTime"] - time.time() <= 600
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", assumed["Expiration"])


def test_a_key_that_has_expired_is_refused(place: Place) -> None:
    place.control.settings(sessionSeconds=1)
    assumed = place.assume()
    cloud = place.caller(assumed["Credentials"])
    time.sleep(max(0.0, assumed["ExpiredTime"] - time.time()))
    with refused("AuthFailure.TokenFailure"):
        cloud.disks()


def test_a_key_is_good_with_its_own_token_alone(place: Place) -> None:
    first, second = (place.assume()["Credentials"] for _ in range(2))
    for token in (second["Token"], None):
        with refused("AuthFailure.TokenFailure"):
            place.caller({**first, "Token": token}).disks()


def test_keys_that_were_revoked_are_known_no_more(place: Place) -> None:
    cloud = place.caller(place.assume()["Credentials"])
    place.control.revoke_temporary_keys()
    with refused("AuthFailure.SecretIdNotFound"):
        cloud.disks()


def test_a_test_can_make_a_key_by_itself(place: Place) -> None:
    made = place.control.issue_key(60)
    names = {"TmpSecretId": "secretId", "TmpSecretKey": "secretKey", "Token": "token"}
    place.caller({name: made[ours] for name, ours in names.items()}).disks()


@pytest.mark.parametrize(
    "asked",
    [
        {"WebIdentityToken": "another token"},
        {"WebIdentityToken": " "},
    ],
)
def test_a_web_identity_that_isn_t_the_one_set_is_refused(
    place: Place, asked: dict[str, Any]
) -> None:
    place.control.settings(webIdentityToken="a token")
    place.assume()
    with refused("InvalidParameter.WebIdentityTokenError"):
        place.assume(**asked)


def test_a_web_identity_is_compared_with_a_file_as_it_is_now(place: Place, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    place.control.settings(webIdentityFile=str(tmp_path / "token"))
    place.assume(WebIdentityToken="first")
    (tmp_path / "token").write_text("second\n")
    with refused("InvalidParameter.WebIdentityTokenError"):
        place.assume(WebIdentityToken="first")
    place.assume(WebIdentityToken="second")


def test_a_web_identity_that_says_it_has_expired_is_refused(place: Place) -> None:
    place.assume(WebIdentityToken=jwt(exp=int(time.time()) + 60))
    with refused("InvalidParameter.WebIdentityTokenError"):
        place.assume(WebIdentityToken=jwt(exp=int(time.time()) - 1))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"DurationSeconds": 43201}, "InvalidParameter"),
        ({"ProviderID": "misspelled"}, "UnknownParameter"),
        ({"RoleArn": None}, "InvalidParameter"),
    ],
)
def test_a_role_that_is_asked_for_wrongly_is_refused(
    place: Place, asked: dict[str, Any], code: str
) -> None:
    with refused(code):
        place.assume(**asked)


def test_sts_meets_faults_and_its_calls_are_noted_without_the_token(place: Place) -> None:
    place.control.error("AssumeRoleWithWebIdentity", "InternalError")
    with refused("InternalError"):
        place.assume()
    place.assume(WebIdentityToken="canary")
    calls, _ = place.control.calls()
    assert [call["code"] for call in calls] == ["InternalError", None]
    assert "canary" not in json.dumps(calls)


def test_cbs_takes_no_request_without_a_signature(place: Place) -> None:
    transport = HttpProfile(endpoint=place.emulator.endpoint, certification=str(place.ca))
    profile = ClientProfile(httpProfile=transport)
    anybody = CommonClient("cbs", "2017-03-12", None, "ap-guangzhou", profile=profile)
    with refused("AuthFailure.InvalidAuthorization"):
        anybody.call_json("DescribeDisks", {}, options={"SkipSign": True})


def test_the_sdk_takes_a_machines_key_from_the_metadata_address(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        credential.CVMRoleCredential,
        "_role_endpoint",
        f"{place.emulator.metadata_url}cam/security-credentials/",
    )
    secret_id, secret_key, token = credential.CVMRoleCredential().get_credential_info()
    key = {"TmpSecretId": secret_id, "TmpSecretKey": secret_key, "Token": token}
    place.caller(key).disks()


def test_the_metadata_address_tells_the_role_and_its_key(place: Place) -> None:
    place.control.settings(sessionSeconds=400)
    assert place.ask("") == (200, "lab-role")
    status, text = place.ask("lab-role")
    document = json.loads(text)
    assert (status, document["Code"]) == (200, "Success")
    assert 390 < document["ExpiredTime"] - time.time() <= 400


def test_a_machine_without_a_role_gets_no_key(place: Place) -> None:
    assert place.ask("another-role")[0] == 404
    place.control.settings(roleName="")
    assert [place.ask(path)[0] for path in ("", "lab-role")] == [404, 404]


def test_the_metadata_address_can_hang_or_answer_badly(place: Place) -> None:
    place.control.fault("Metadata", "Html")
    assert place.ask("lab-role")[1].startswith("<html>")
    place.control.fault("Metadata", "ReplyLost")
    address = urlsplit(place.emulator.metadata_url)
    connection = HTTPConnection(address.netloc, timeout=0.5)
    connection.request("GET", f"{address.path}cam/security-credentials/lab-role")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert place.ask("")[0] == 200
