"""What users may ask for (V1 to V30), where it gets past the API server's own checks."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from campaign.cases import FAILED, READY, WAITS, Case
from campaign.points import Fault
from campaign.situation import CLAIM, NAMESPACE, QUIESCE, VOLUME
from campaign.world import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign.world import World

V = "V1-V30, what users ask for"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/mysql-snapshot"
FREEZE = {"freeze": {"method": "Agent"}}
MYSQL: dict[str, Any] = {"credentialsSecretRef": {"name": "mysql-snapshot"}}


@dataclass(frozen=True, kw_only=True)
class Input:
    """A spec, and what else differs: parts of objects by path; None stands for no object."""

    ends: tuple[str, ...]
    spec: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, dict[str, Any] | None] = field(default_factory=dict)


def _mysql(**differing: Any) -> dict[str, Any]:
    return {"quiesce": {**QUIESCE, "steps": [{"mysql": {**MYSQL, **differing}}, FREEZE]}}


def _tags(**tags: str) -> Input:
    return Input(ends=(READY,), spec={"tags": tags})


def _secret(**data: str) -> dict[str, dict[str, Any] | None]:
    return {SECRET: {"data": data}}


def _handle(handle: str, driver: str = "com.tencent.cloud.csi.cbs") -> Input:
    csi = {"driver": driver, "volumeHandle": handle}
    return Input(ends=(FAILED,), objects={VOLUME: {"spec": {"csi": csi}}})


def _text(word: bytes) -> str:
    return base64.b64encode(word).decode()


REFUSED, WAITING = (FAILED,), (WAITS,)
INPUTS = {
    "a shell's words in a tag": Input(ends=REFUSED, spec={"tags": {"team": "$(id); rm -rf /"}}),
    "a newline in a tag": Input(ends=REFUSED, spec={"tags": {"team": "a\nb"}}),
    "right-to-left letters in a tag": _tags(team="צוות"),
    "a tag of one letter": _tags(a="b"),
    "a tag that is too long": Input(ends=REFUSED, spec={"tags": {"team": "x" * 256}}),
    "a key that is too long": Input(ends=REFUSED, spec={"tags": {"k" * 128: "x"}}),
    "an empty key": Input(ends=REFUSED, spec={"tags": {"": "x"}}),
    "a tag of ours": Input(ends=REFUSED, spec={"tags": {"disksnapshot.io/uid": "another"}}),
    "a tag that is nearly ours": _tags(**{" Disksnapshot.io/uid": "another"}),
    "more tags than the cloud takes": Input(
        ends=REFUSED, spec={"tags": {f"key-{number}": "x" for number in range(21)}}
    ),
    "a selector that fits nobody": Input(
        ends=WAITING, spec=_mysql(target={"podSelector": {"matchLabels": {"app": "none"}}})
    ),
    "a container that is not there": Input(ends=WAITING, spec=_mysql(target={"container": "x"})),
    "the only container": Input(ends=(READY,), spec=_mysql(target={"container": "main"})),
    "a Secret that is not there": Input(ends=WAITING, objects={SECRET: None}),
    "a Secret without a password": Input(ends=WAITING, objects=_secret(username=_text(b"snap"))),
    "a Secret that is no text": Input(
        ends=WAITING, objects=_secret(username=_text(b"\xff\xfe"), password=_text(b"x"))
    ),
    "a Secret that is no base64": Input(
        ends=WAITING, objects={SECRET: {"data": {"username": "%%%", "password": "%%%"}}}
    ),
    "a Secret without a username": Input(
        ends=WAITING, objects=_secret(username="", password=_text(b"x"))
    ),
    "quotes and dashes in a username": Input(
        ends=(READY,), objects=_secret(username=_text(b"'; DROP--"), password=_text(b"x"))
    ),
    "a TLS Secret that is not there": Input(
        ends=WAITING, spec=_mysql(tls={"caSecretRef": {"name": "no-such-secret"}})
    ),
    "a claim that is not there": Input(ends=WAITING, objects={CLAIM: None}),
    "a claim that is not bound": Input(
        ends=WAITING, objects={CLAIM: {"spec": {}, "status": {"phase": "Pending"}}}
    ),
    "a volume that is another claim's": Input(
        ends=WAITING, objects={VOLUME: {"spec": {"claimRef": {"uid": "another"}}}}
    ),
    "a volume of another driver": _handle("disk-aaaaaaaa", "ebs.csi.aws.com"),
    "a volume over several disks": _handle("disk-aaaaaaaa,disk-bbbbbbbb"),
    "a handle that is a shell's words": _handle("disk-$(id)aa"),
    "a disk that the cloud doesn't know": Input(
        ends=(FAILED, WAITS),
        objects={
            VOLUME: {
                "spec": {
                    "csi": {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": "disk-zzzzzzzz"}
                }
            }
        },
    ),
    "a raw block device, to be frozen": Input(
        ends=REFUSED, objects={VOLUME: {"spec": {"volumeMode": "Block"}}}
    ),
    "a step of no known kind": Input(
        ends=REFUSED, spec={"quiesce": {**QUIESCE, "steps": [{"dance": {}}]}}
    ),
    "the shortest bound": Input(ends=(READY,), spec={"quiesce": {**QUIESCE, "maxHoldSeconds": 5}}),
    "nothing to be held": Input(ends=(READY,), spec={"quiesce": None}),
}


def cases() -> Iterator[Case]:
    """One a sort of input; it has come through when the operator reads the object."""
    for name, given in INPUTS.items():
        spec = {"deletionPolicy": "Delete", **given.spec}
        yield Case(
            name=f"asked with {name}", family=V, ends=given.ends, seconds=HOUR,
            spec=spec,
            arrange=partial(_arrange, given),
        )  # fmt: skip


def _arrange(given: Input, world: World) -> list[Fault]:
    for path, parts in given.objects.items():
        if parts is None:
            world.server.remove(path)
            continue
        for part, value in parts.items():
            merged = world.server.objects[path]
            keeps = value and part != "data"
            merged[part] = {**merged.get(part, {}), **value} if keeps else value
    return [Fault(meet=lambda act: act(), named="GET object")]
