"""The action of STS that gives a pod its temporary key: AssumeRoleWithWebIdentity."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.cbs.actions import Action, Api
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.keys import Keys, Session
from lab.cbs.parameters import INTEGER, TEXT, Structure
from lab.cbs.settings import Settings

USUAL_SECONDS = 7200
MOST_SECONDS = 43200
_ASSUME = Structure(
    {"ProviderId": TEXT, "WebIdentityToken": TEXT, "RoleArn": TEXT, "RoleSessionName": TEXT},
    {"DurationSeconds": INTEGER},
)


def api(keys: Keys) -> Api:
    """Give the part of STS that is emulated; its keys are good for CBS."""

    def assume(cloud: Cloud, asked: dict[str, Any]) -> dict[str, Any]:
        seconds = asked.get("DurationSeconds", USUAL_SECONDS)
        if not 1 <= seconds <= MOST_SECONDS:
            raise ApiError("InvalidParameter", f"DurationSeconds is 1 to {MOST_SECONDS}.")
        _check_token(cloud.settings, asked["WebIdentityToken"], cloud.now())
        session = keys.issue(expiry(cloud, seconds))
        credentials = {
            "TmpSecretId": session.secret_id,
            "TmpSecretKey": session.key.secret,
            "Token": session.key.token,
        }
        return {"Credentials": credentials, **expiration(session)}

    name = "AssumeRoleWithWebIdentity"
    return Api(
        service="sts",
        version="2018-08-13",
        actions={name: Action(_ASSUME, assume)},
        unsigned=frozenset({name}),
        unlogged=frozenset({"WebIdentityToken"}),
    )


def expiry(cloud: Cloud, seconds: int) -> int:
    """Return when a key ends that is issued now; a setting goes before what was asked for."""
    return int(cloud.now() + (cloud.settings.session_seconds or seconds))


def expiration(session: Session) -> dict[str, Any]:
    """Show the end of a temporary key in both forms that the services show."""
    moment = datetime.fromtimestamp(session.expires, UTC)
    return {
        "ExpiredTime": session.expires,
        "Expiration": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _check_token(settings: Settings, given: str, now: float) -> None:
    """Refuse a token that isn't the one set, or that says of itself that it has expired."""
    expected = settings.web_identity_token
    if settings.web_identity_file:
        expected = Path(settings.web_identity_file).read_text()
    if not given.strip() or (expected and given.strip() != expected.strip()):
        raise _refused("The web identity token isn't valid.")
    if _claims(given).get("exp", now) < now:
        raise _refused("The web identity token has expired.")


def _claims(token: str) -> Mapping[str, Any]:
    """Read what a JWT says, unverified; nothing if it is none."""
    parts = token.strip().split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _refused(message: str) -> ApiError:
    return ApiError("InvalidParameter.WebIdentityTokenError", message)
