"""What a Secret must hold: each key that lacks text is named, its content never."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.kube import pods
from rules.apiserver import serving


def refused(read: Callable[..., object], data: dict[str, bytes]) -> tuple[str, str]:
    """Return the reason and the message with which a Secret is refused."""
    with pytest.raises(Problem) as problem, serving(secret(data)) as api:
        read(api, "shop", "account")
    return problem.value.reason, str(problem.value)


def secret(data: dict[str, bytes]) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    found = {"metadata": {"name": "account"}, **({"data": encoded} if data else {})}
    return {"/api/v1/namespaces/shop/secrets/account": found}


def test_an_account_is_read() -> None:
    with serving(secret({"username": b"snapshot", "password": b"pass"})) as api:
        assert pods.account(api, "shop", "account") == ("snapshot", "pass")


def test_a_secret_that_is_missing_is_another_reason_than_one_that_lacks_something() -> None:
    with pytest.raises(Problem) as problem, serving({}) as api:
        pods.account(api, "shop", "account")
    assert problem.value.reason == "SecretNotFound"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "username"),
        ({"user": b"snapshot", "password": b"pass"}, "username"),
        ({"username": b"snapshot", "pass": b"pass"}, "password"),
        ({"username": b"", "password": b"pass"}, "username"),
        ({"username": b"\xff\xfe", "password": b"pass"}, "username"),
    ],
    ids=["empty", "another-key-for-the-name", "another-key-for-the-password", "no-name", "bytes"],
)
def test_a_secret_that_lacks_something_says_which_key(data: dict[str, bytes], key: str) -> None:
    reason, message = refused(pods.account, data)
    assert reason == "SecretIncomplete"
    assert message.endswith(f"has no text under the key {key}")


def test_a_password_may_be_empty_since_an_account_may_have_none() -> None:
    with serving(secret({"username": b"snapshot", "password": b""})) as api:
        assert pods.account(api, "shop", "account") == ("snapshot", "")


@pytest.mark.parametrize("content", [b"", b" \n"], ids=["empty", "blank"])
def test_an_authority_of_nothing_is_refused_since_a_public_one_would_take_its_place(
    content: bytes,
) -> None:
    assert refused(pods.authority, {"ca.crt": content})[0] == "SecretIncomplete"
