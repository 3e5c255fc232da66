"""Answer one request of the API: check it, act, and note what happened."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cbs import signature
from lab.cbs.actions import ACTIONS, Action
from lab.cbs.calls import Call, Calls
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.faults import Fault, Faults

VERSION = "2017-03-12"
MAX_BODY = 10 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply's body, and the fault that keeps it from the caller."""

    body: bytes
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a request."""

    asked: Mapping[str, Any]
    result: Mapping[str, Any]
    code: str | None = None  # why it was refused
    fault: Fault | None = None


class Service:
    """The API in front of one cloud."""

    def __init__(
        self, cloud: Cloud, secrets: Mapping[str, str], faults: Faults, calls: Calls, region: str
    ) -> None:
        self.cloud = cloud
        self.faults = faults
        self.calls = calls
        self._secrets = secrets
        self._region = region

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a POST on /; header names are in lower case."""
        started, request_id = time.time(), str(uuid.uuid4())
        outcome = self._perform(headers, body)
        self.calls.note(
            Call(
                time=started,
                seconds=time.time() - started,
                action=headers.get("x-tc-action", ""),
                params=outcome.asked,
                code=outcome.code,
                request_id=request_id,
                snapshot_id=outcome.result.get("SnapshotId"),
                fault=outcome.fault,
            )
        )
        response = {"Response": {**outcome.result, "RequestId": request_id}}
        return Answer(json.dumps(response, ensure_ascii=False).encode(), outcome.fault)

    def _perform(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Check and act; the fault is taken after the act, as one before it would be no act."""
        asked: dict[str, Any] = {}
        try:
            action = self._admit(headers, body)
            asked = _parse(body)
            action.takes.check(asked)
            result = action.act(self.cloud, asked)
        except ApiError as error:
            refusal = {"Error": {"Code": error.code, "Message": error.message}}
            return Outcome(asked=asked, result=refusal, code=error.code)
        return Outcome(asked=asked, result=result, fault=self.faults.take(headers["x-tc-action"]))

    def _admit(self, headers: Mapping[str, str], body: bytes) -> Action:
        """Let a signed request for a known action of this version and region through."""
        signature.verify(headers, body, secrets=self._secrets, now=self.cloud.now())
        name, region = headers.get("x-tc-action", ""), headers.get("x-tc-region", "")
        if name not in ACTIONS:
            raise ApiError("InvalidAction", f"The action `{name}` isn't found.")
        if headers.get("x-tc-version") != VERSION:
            raise ApiError("NoSuchVersion", f"The version must be `{VERSION}`.")
        if not region:
            raise ApiError("MissingParameter", "The request is missing X-TC-Region.")
        if region != self._region:
            raise ApiError("UnsupportedRegion", f"The region `{region}` isn't served here.")
        if len(body) > MAX_BODY:
            raise ApiError("RequestSizeLimitExceeded", "The body is larger than 10 MB.")
        return ACTIONS[name]


def _parse(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise ApiError("InvalidRequest", "The body isn't JSON.") from error
    if not isinstance(asked, dict):
        raise ApiError("InvalidRequest", "The body isn't a JSON object.")
    return asked
