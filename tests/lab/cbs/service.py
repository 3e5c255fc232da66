"""Answer one request of the API: check it, act, and note what happened."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lab.cbs import signature
from lab.cbs.actions import Action, Api
from lab.cbs.calls import Call, Calls
from lab.cbs.cloud import Cloud
from lab.cbs.errors import ApiError
from lab.cbs.faults import ERRORS, FATES, Fault, Faults, Kind
from lab.cbs.keys import Keys
from lab.cbs.rates import Rates

UNSIGNED = "SKIP"  # in place of a signature
MAX_BODY = 10 << 20
_STUCK_PERCENT = 42


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply's body, and the fault that its sending meets."""

    body: bytes
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a request: what is told of it, and what is true."""

    asked: Mapping[str, Any]
    told: Mapping[str, Any]
    code: str | None = None  # the error that is told
    acted: bool = False
    snapshot_id: str | None = None
    fault: Fault | None = None


class Service:
    """One service's API in front of the cloud."""

    def __init__(
        self, cloud: Cloud, keys: Keys, faults: Faults, calls: Calls, region: str, api: Api
    ) -> None:
        self.cloud = cloud
        self.keys = keys
        self.faults = faults
        self.calls = calls
        self._region = region
        self._api = api
        self._rates = Rates()

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a POST on /; header names are in lower case."""
        started, request_id = time.time(), str(uuid.uuid4())
        outcome = self._perform(headers, body)
        self.calls.note(
            Call(
                time=started,
                seconds=time.time() - started,
                action=headers.get("x-tc-action", ""),
                params=self._loggable(outcome.asked),
                code=outcome.code,
                request_id=request_id,
                acted=outcome.acted,
                snapshot_id=outcome.snapshot_id,
                fault=None if outcome.fault is None else outcome.fault.name,
            )
        )
        response = {"Response": {**outcome.told, "RequestId": request_id}}
        return Answer(json.dumps(response, ensure_ascii=False).encode(), outcome.fault)

    def _perform(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Check, act, and meet the fault that was asked for: before the act, or after it."""
        asked: dict[str, Any] = {}
        try:
            action = self._admit(headers, body)
            asked, name = _parse(body), headers["x-tc-action"]
            fault = self.faults.take(name, acted=False)
            if fault is not None and fault.kind is not Kind.ACT_LATE:
                return _with_fault(Outcome(asked=asked, told={}), fault)
            if fault is not None:
                time.sleep(fault.milliseconds / 1000)
            taken = asked
            if self.cloud.settings.unknown_parameters:
                taken = action.takes.known(asked)
            action.takes.check(taken)
            result = action.act(self.cloud, taken)
        except ApiError as error:
            return Outcome(asked=asked, told=_refusal(error.code, error.message), code=error.code)
        made = result.get("SnapshotId")
        outcome = Outcome(asked=asked, told=result, acted=True, snapshot_id=made, fault=fault)
        after = self.faults.take(name, acted=True)
        if after is not None and made is not None and after.kind in FATES:
            self._doom(made, after)
        return outcome if after is None else _with_fault(outcome, after)

    def _loggable(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        hidden = self._api.unlogged
        return {name: "(not logged)" if name in hidden else asked[name] for name in asked}

    def _doom(self, snapshot_id: str, fault: Fault) -> None:
        """Give a snapshot that was made the fate that the fault stands for."""
        if fault.kind is Kind.VANISH:
            self.cloud.vanish(self.cloud.snapshot(snapshot_id))
            return
        states = {Kind.STUCK_CREATING: "CREATING", Kind.TO_RECYCLE: "TORECYCLE"}
        state = states.get(fault.kind, fault.state)
        percent = _STUCK_PERCENT if fault.kind is Kind.STUCK_CREATING else None
        self.cloud.change_snapshot(
            snapshot_id,
            lambda made: replace(made, shown_state=state, shown_percent=percent),
        )

    def _admit(self, headers: Mapping[str, str], body: bytes) -> Action:
        """Let a request for a known action of this version and region through, if it is signed."""
        name, region = headers.get("x-tc-action", ""), headers.get("x-tc-region", "")
        if name not in self._api.unsigned or headers.get("authorization") != UNSIGNED:
            signature.verify(
                headers,
                body,
                find=self.keys.find,
                now=self.cloud.now(),
                service=self._api.service,
            )
        if name not in self._api.actions:
            raise ApiError("InvalidAction", f"The action `{name}` isn't found.")
        if headers.get("x-tc-version") != self._api.version:
            raise ApiError("NoSuchVersion", f"The version must be `{self._api.version}`.")
        if not region:
            raise ApiError("MissingParameter", "The request is missing X-TC-Region.")
        if region != self._region:
            raise ApiError("UnsupportedRegion", f"The region `{region}` isn't served here.")
        if len(body) > MAX_BODY:
            raise ApiError("RequestSizeLimitExceeded", "The body is larger than 10 MB.")
        self._rates.take(name, self.cloud.settings)
        return self._api.actions[name]


def _parse(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise ApiError("InvalidRequest", "The body isn't JSON.") from error
    if not isinstance(asked, dict):
        raise ApiError("InvalidRequest", "The body isn't a JSON object.")
    return asked


def _with_fault(outcome: Outcome, fault: Fault) -> Outcome:
    """Tell what the fault tells, where it changes the words and not only their way."""
    if fault.kind in ERRORS:
        told = _refusal(fault.code, fault.message)
        return replace(outcome, told=told, code=fault.code, fault=fault)
    if fault.kind is Kind.NULL_SNAPSHOT_ID:
        return replace(outcome, told={"SnapshotId": None}, fault=fault)
    return replace(outcome, fault=fault)


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}}
