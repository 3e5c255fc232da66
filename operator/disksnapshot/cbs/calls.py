"""Make calls of the cloud: within its rates, counted, and with what each answer means heeded."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from disksnapshot.cbs.errors import Meaning, Remedy, meaning
from disksnapshot.cbs.gate import Admission, Gate
from disksnapshot.cbs.temporary import TemporaryCredential
from disksnapshot.errors import CloudUnavailable, Problem
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from tencentcloud.common.credential import Credential

    from disksnapshot.cbs.clock import CloudClock
    from disksnapshot.cbs.limits import Limits

CREATE = "CreateSnapshot"
_NUMBER = re.compile(r" \(request [^)]*\)")  # as _translate writes it


def shown(error: Exception) -> Problem:
    """Return what people are told of an error that a call to the cloud has met."""
    return error if isinstance(error, Problem) else Problem(Reason.CLOUD_ERROR, str(error))


def unnumbered(message: str) -> str:
    """Return a message without the number of its request, which is another one each time."""
    return _NUMBER.sub("", message)


class CloudProblem(Problem):
    """The cloud answered with an error code, which means what the table says.

    But for one thing: only windows ask for snapshots, so that nothing whose outcome could be
    unknown was asked for here. What may have acted is then an error of the cloud, as silence is.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.meaning: Meaning = meaning(code)
        unclear = self.meaning.remedy is Remedy.LOOK_UP
        super().__init__(
            Reason.CLOUD_ERROR if unclear else self.meaning.reason,
            message,
            final=self.meaning.remedy is Remedy.FINAL,
            slow=self.meaning.needs_person,
        )


class Calls:
    """What all calls of one account and region share."""

    def __init__(
        self,
        keys: Credential,
        limits: Limits,
        clock: CloudClock,
        called: Callable[[str, str, float], None],
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._clock = clock
        self._called = called
        self._gate = Gate()

    def make(self, action: str, act: Callable[[], Any]) -> Any:
        """Return the SDK's answer, or raise CloudProblem or CloudUnavailable."""
        ahead = self._clock.ahead
        try:
            return self._once(action, act)
        except CloudProblem as problem:
            used = self._key(problem)
            self.hear(action, problem.code)
            if self._clock.ahead == ahead and self._key(problem) == used:
                raise
            if problem.meaning.remedy is not Remedy.CREDENTIALS:
                raise
        # It was refused for who asked, or when: nothing was done, and that is mended now.
        try:
            return self._once(action, act)
        except CloudProblem as problem:
            self.hear(action, problem.code)
            raise

    def hear(self, action: str, code: str, message: str = "") -> None:
        """Take what a call came to; no code: it did what was asked."""
        said = meaning(code)
        if said.remedy is Remedy.CREDENTIALS and isinstance(self._keys, TemporaryCredential):
            self._keys.distrust()
        elif not code and action == CREATE:
            self._gate.succeed()
        elif said.remedy is Remedy.SEND_AGAIN:
            # Bare, it is this action's rate; each detail is about more than one action.
            self._limits.slow_down(action, whole_account="." in code)
        elif said.remedy is Remedy.QUOTA and action == CREATE:
            self._gate.refuse(said, f"{code}: {message}", self._clock.now())

    def require_room(self, count: Callable[[], int | None]) -> None:
        """Raise the Problem that stops captures, while there is one.

        `count` tells how many snapshots there are in the region; it is asked now and then.
        """
        admission = self._gate.ask(self._clock.now())
        if admission is Admission.ENTER:
            return
        if admission is Admission.LOOK_FIRST:
            total = count()
            if total is not None and self._gate.count(total):
                return
        if why := self._gate.why:
            raise why

    def _once(self, action: str, act: Callable[[], Any]) -> Any:
        self._limits.wait(action)
        began, code = time.monotonic(), "OK"
        try:
            answer = act()
        except TencentCloudSDKException as error:
            code = str(error.code)
            raise _translate(action, error) from error
        finally:
            self._called(action, code, time.monotonic() - began)
        # The SDK takes any JSON for an answer, each field of which may be missing; what isn't
        # known to be empty must not be read as "there is none".
        if None in {getattr(answer, "TotalCount", 0), getattr(answer, "TotalNums", 0)}:
            raise CloudUnavailable(f"{action}: an answer without a count")
        if not getattr(answer, "RequestId", True):
            raise CloudUnavailable(f"{action}: an answer without the number of its request")
        return answer

    def _key(self, refused: CloudProblem) -> str:
        """Return which temporary key is in use; nothing for others, or if it is not at fault."""
        at_fault = refused.meaning.remedy is Remedy.CREDENTIALS
        if not at_fault or not isinstance(self._keys, TemporaryCredential):
            return ""
        return self.keys

    @property
    def keys(self) -> str:
        """The id of the keys in use; raises CloudUnavailable if there are none at the moment."""
        return str(self._keys.get_credential_info()[0])


def _translate(action: str, error: TencentCloudSDKException) -> Exception:
    code, request_id = str(error.code), str(error.requestId or "")
    message = f"{action}: {code}: {str(error.message)[:300]} (request {request_id or 'unknown'})"
    if "." not in code and not request_id:
        return CloudUnavailable(message)  # the SDK's own codes: network, HTTP status, broken body
    return CloudProblem(code, message)
