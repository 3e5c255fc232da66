"""Parse a DiskSnapshot's metadata and spec into what is asked, or say which field is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from disksnapshot import naming
from disksnapshot.errors import Problem
from disksnapshot.naming import FINALIZER, GIVE_UP
from disksnapshot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# The cloud wants a deadline at least a day ahead; that it is later leaves the telling to us.
BACK_STOP = timedelta(days=1, minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlTls:
    """The Secret with the CA to trust, and the name that the server's certificate must carry."""

    ca_secret_name: str
    server_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LongStatement:
    """Which statements are waited for before the lock, and how long."""

    threshold_seconds: int
    wait_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MysqlStep:
    """Lock a database server in the pod that mounts the claims."""

    name: str
    secret_name: str
    selector: str
    container: str | None
    port: int
    lock: str
    tls: MysqlTls | None
    long_statement: LongStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTarget:
    """Which of the pods that mount the claims, and which container of them."""

    selector: str = ""
    container: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecStep:
    """Run the user's own commands in the pods that mount the claims."""

    name: str
    target: PodTarget
    acquire: tuple[str, ...]
    release: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStep:
    """Write dirty pages of all claims out; `target` is for the method Exec."""

    name: str
    method: str
    target: PodTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeStep:
    """Freeze the file systems of all claims; `target` is for the method Exec."""

    name: str
    method: str
    target: PodTarget = field(default_factory=PodTarget)


Step: TypeAlias = MysqlStep | ExecStep | SyncStep | FreezeStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiesce:
    """How writers are held; `max_hold_seconds` is 5..60."""

    max_hold_seconds: int
    failure_policy: str
    release_when: str
    steps: tuple[Step, ...]

    @property
    def allows_crash_consistent(self) -> bool:
        """Whether a cut without a proven hold is wanted rather than none."""
        return self.failure_policy == "AllowCrashConsistent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """Which workload is at zero while its disks are cut; `seconds` bound its way there."""

    kind: str
    name: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the user asks for, and the identity of the object that says so."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool
    has_finalizer: bool
    gives_up: bool
    claims: tuple[str, ...]  # with a selector, those of its attempt; none before there is one
    quiesce: Quiesce | None
    deletion_policy: str
    expire_after: timedelta | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    when_not_mounted: str = "Fail"
    offline: Offline | None = None
    claim_selector: str = ""

    @property
    def label(self) -> str:
        """The object, for logs."""
        return f"{self.namespace}/{self.name}"

    def expires(self, signed: datetime | None) -> datetime | None:
        """Return when a snapshot expires whose request was signed then, just before the cut."""
        return signed + self.expire_after if signed and self.expire_after else None

    def deadline(self, signed: datetime | None) -> datetime | None:
        """Return when the cloud shall delete it by itself, should nobody have done it by then."""
        expires = self.expires(signed)
        return expires + BACK_STOP if expires else None


def parse(body: Mapping[str, Any]) -> Ask:
    """Return what is asked; raise Problem(SpecInvalid) with the path of the wrong field.

    The API server checks the schema; this holds where an older schema let more pass.
    """
    metadata = body["metadata"]
    try:
        spec = body["spec"]
        return Ask(
            **_identity(metadata),
            claims=_claims(spec["source"], body.get("status") or {}),
            claim_selector=_selector(spec["source"].get("claimSelector") or {}),
            quiesce=_quiesce(spec.get("quiesce")),
            deletion_policy=spec.get("deletionPolicy", "Retain"),
            expire_after=_seconds(spec.get("expireAfterSeconds")),
            tags=_tags(spec.get("tags", {})),
            when_not_mounted=spec.get("whenNotMounted", "Fail"),
            offline=_offline(spec.get("offline")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"spec can't be read: {type(error).__name__} at {error}"
        raise Problem(Reason.SPEC_INVALID, message, final=True) from error


def _claims(source: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the claims: by their names, or those that a selector chose for the first attempt."""
    if "claimSelector" not in source:
        return tuple(claim["name"] for claim in source["claims"])
    recorded = [volume.get("claimName") for volume in status.get("volumes", [])]
    return tuple(filter(None, recorded or status.get("claims", "").split(",")))


def unreadable(body: Mapping[str, Any]) -> Ask:
    """Return what can be told of an object whose spec can't be parsed: it can still be deleted."""
    metadata, spec = body["metadata"], body.get("spec")
    policy = spec.get("deletionPolicy") if isinstance(spec, dict) else None
    return Ask(
        **_identity(metadata),
        claims=(),
        quiesce=None,
        deletion_policy="Delete" if policy == "Delete" else "Retain",
    )


def _seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=int(number))


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    fault = naming.tag_fault(tags)
    if fault:
        raise Problem(Reason.SPEC_INVALID, f"spec.tags{fault}", final=True)
    return dict(tags)


def _identity(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return whose spec it is, which needs no spec to be read."""
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "generation": int(metadata.get("generation", 0)),
        "deleting": "deletionTimestamp" in metadata,
        "has_finalizer": FINALIZER in metadata.get("finalizers", []),
        # Its own uid alone counts: a manifest that is copied or restored gives up nothing.
        "gives_up": (metadata.get("annotations") or {}).get(GIVE_UP) == metadata["uid"],
    }


def _quiesce(spec: Mapping[str, Any] | None) -> Quiesce | None:
    if spec is None:
        return None
    steps = tuple(_step(index, step) for index, step in enumerate(spec["steps"]))
    return Quiesce(
        max_hold_seconds=int(spec.get("maxHoldSeconds", 10)),
        failure_policy=spec.get("failurePolicy", "Abort"),
        release_when=spec.get("releaseWhen", "Visible"),
        steps=steps,
    )


def _offline(spec: Mapping[str, Any] | None) -> Offline | None:
    if spec is None:
        return None
    target = spec["scaleTargetRef"]
    return Offline(
        kind=target["kind"], name=target["name"], seconds=int(spec.get("timeoutSeconds", 300))
    )


def _step(index: int, step: Mapping[str, Any]) -> Step:
    if "mysql" in step:
        return _mysql(f"{index}-mysql", step["mysql"])
    if "exec" in step:
        return _exec(f"{index}-exec", step["exec"])
    if "sync" in step:
        sync = step["sync"]
        method, target = sync.get("method", "Agent"), _target(sync)
        return SyncStep(name=f"{index}-sync", method=method, target=target)
    if "freeze" in step:
        freeze = step["freeze"]
        return FreezeStep(name=f"{index}-freeze", method=freeze["method"], target=_target(freeze))
    raise Problem(
        Reason.SPEC_INVALID,
        f"spec.quiesce.steps[{index}] is none of mysql, exec, sync and freeze",
        final=True,
    )


def _mysql(name: str, mysql: Mapping[str, Any]) -> MysqlStep:
    target, tls = mysql.get("target") or {}, mysql.get("tls")
    long = mysql.get("longStatement") or {}
    return MysqlStep(
        name=name,
        secret_name=mysql["credentialsSecretRef"]["name"],
        selector=_selector(target.get("podSelector") or {}),
        container=target.get("container"),
        port=int(mysql.get("port", 3306)),
        lock=mysql.get("lock", "Auto"),
        tls=None
        if tls is None
        else MysqlTls(
            ca_secret_name=tls["caSecretRef"]["name"], server_name=tls.get("serverName", "")
        ),
        long_statement=LongStatement(
            threshold_seconds=int(long.get("thresholdSeconds", 5)),
            wait_seconds=int(long.get("waitSeconds", 30)),
        ),
    )


def _exec(name: str, step: Mapping[str, Any]) -> ExecStep:
    return ExecStep(
        name=name,
        target=_target(step),
        acquire=tuple(step["acquire"]),
        release=tuple(step["release"]),
        seconds=int(step.get("timeoutSeconds", 1)),
    )


def _target(step: Mapping[str, Any]) -> PodTarget:
    target = step.get("target") or {}
    selector = _selector(target.get("podSelector") or {})
    return PodTarget(selector=selector, container=target.get("container"))


def _selector(selector: Mapping[str, Any]) -> str:
    """Write a label selector in the API's query form."""
    words = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    for wanted in selector.get("matchExpressions", []):
        key, values = wanted["key"], ",".join(wanted.get("values", []))
        match wanted["operator"]:
            case "In":
                words.append(f"{key} in ({values})")
            case "NotIn":
                words.append(f"{key} notin ({values})")
            case "Exists":
                words.append(key)
            case _:
                words.append(f"!{key}")
    return ",".join(words)
