"""Give bad input to the cluster, wait for its reason, and ask what there is of it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lab.cluster.errors import LabError
from lab.cluster.waiting import until
from lab.demo import taken
from lab.demo.shop import condition, word
from lab.refusals.case import CLOSED, GONE, NAMESPACE, UNKNOWN, Case
from lab.refusals.rows import Row
from lab.refusals.scene import Scene

_SECONDS_TO_END: Final = 90
_SECONDS_TO_DELETE: Final = 30
_UIDS: Final = 'jsonpath={.metadata.uid}{" "}'
_WORDS: Final = (UNKNOWN, "FilesystemConsistent")  # of objects that are Ready


@dataclass
class _Given:
    """One case on its way."""

    case: Case
    uid: str
    body: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    gone: bool = False

    @property
    def word(self) -> str:
        """What the object says: its reason, or what it is called once it is Ready."""
        return GONE if self.gone else word(self.body)

    @property
    def ended(self) -> bool:
        return bool(self.printed)


def refuse(scene: Scene, cases: Sequence[Case]) -> Iterator[Row]:
    """Give those together that don't disturb each other, and then each of the others."""
    together = [case for case in cases if not case.alone]
    batches = [together] if together else []
    batches += [[case] for case in cases if case.alone]
    for batch in batches:
        yield from _batch(scene, batch)


def _batch(scene: Scene, cases: Sequence[Case]) -> list[Row]:
    _, since = scene.lab.cbs.calls()
    with ExitStack() as moments:
        for case in cases:
            moments.enter_context(case.meanwhile(scene))
        given = _give(scene, cases)
        with suppress(LabError):  # what has not ended is told in its row
            until(lambda: _look(scene, given), "An end of all cases", seconds=_SECONDS_TO_END)
        rows = [_row(scene, one, since) for one in given]
        # No later attempt of theirs shall be at work when it is asked what is held.
        for namespace in (NAMESPACE, CLOSED):
            scene.lab.kubectl("-n", namespace, "delete", "dsnap", "--all", "--timeout=60s")
    held, version = scene.held(), versions(scene)
    return [replace(row, held=held, versions=version) for row in rows]


def _give(scene: Scene, cases: Sequence[Case]) -> list[_Given]:
    listed = {"apiVersion": "v1", "kind": "List", "items": [_body(case) for case in cases]}
    made = scene.lab.kubectl("create", "-f", "-", "-o", _UIDS, stdin=json.dumps(listed))
    for case in cases:
        if case.reason == GONE:
            scene.lab.kubectl("-n", case.namespace, "delete", "dsnap", case.key, "--wait=false")
    return [_Given(case, uid) for case, uid in zip(cases, made.split(), strict=True)]


def _body(case: Case) -> dict[str, Any]:
    return {
        "apiVersion": "disksnapshot.io/v1alpha1",
        "kind": "DiskSnapshot",
        "metadata": {"name": case.key, "namespace": case.namespace},
        "spec": case.spec,
    }


def _look(scene: Scene, given: Sequence[_Given]) -> bool:
    for namespace in (NAMESPACE, CLOSED):
        listed = json.loads(scene.lab.kubectl("-n", namespace, "get", "dsnap", "-o", "json"))
        bodies = {item["metadata"]["uid"]: item for item in listed["items"]}
        for one in given:
            if one.case.namespace == namespace and not one.ended:
                _see(scene, one, bodies.get(one.uid))
    return all(one.ended for one in given)


def _see(scene: Scene, one: _Given, body: dict[str, Any] | None) -> None:
    if body is None:
        one.gone, one.printed = True, _printed(scene, one.case)
        return
    one.body = body
    if one.word == one.case.reason:
        printed = _printed(scene, one.case)
        # The next look may show it where this line came a moment later.
        if one.word in _WORDS or one.word in printed:
            one.printed = printed


def _printed(scene: Scene, case: Case) -> str:
    """Return what kubectl prints, as it does."""
    get = ("-n", case.namespace, "get", "dsnap", case.key)
    try:
        return scene.lab.kubectl(*get).strip()
    except LabError as error:
        return str(error).partition(": ")[2]


def _row(scene: Scene, one: _Given, since: int) -> Row:
    case = one.case
    with suppress(LabError):  # what is left then is counted
        until(
            lambda: len(taken.in_the_cloud(scene.lab, one.uid)) == case.left,
            f"{case.left} snapshots of {case.key}",
            seconds=_SECONDS_TO_DELETE,
        )
    calls, _ = scene.lab.cbs.calls(since)
    cuts = [c for c in calls if c["action"] == "CreateSnapshot" and one.uid in json.dumps(c)]
    return Row(
        key=case.key,
        what=case.what,
        wanted=case.reason,
        word=one.word,
        says=case.says,
        message=_message(one.body),
        printed=one.printed,
        cuts=len(cuts),
        may_cut=case.cuts,
        left=len(taken.in_the_cloud(scene.lab, one.uid)),
        may_leave=case.left,
    )


def _message(body: dict[str, Any]) -> str:
    """Return what the object says, and why its hold was no proof where that is told apart."""
    said = str(condition(body, "Ready").get("message", ""))
    why = str(body.get("status", {}).get("quiesce", {}).get("reason", ""))
    return f"{said} (status.quiesce.reason: {why})" if why and why not in said else said


def versions(scene: Scene) -> str:
    said = json.loads(scene.lab.kubectl("version", "-o", "json"))
    return f"Kubernetes {said['serverVersion']['gitVersion']}"
