"""Turn a window's facts into the status's account of the hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from disksnapshot.reasons import Reason
from disksnapshot.snapshot.draft import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from disksnapshot.window.hold import Facts, StepFacts


# The schema's own (crds/disksnapshots.yaml).
LIMITS = {"gtid": 262144, "binlogFile": 512, "serverVersion": 256}


def quiesce_status(facts: Facts) -> dict[str, Any]:
    """Return `status.quiesce`: times in UTC with microseconds, spans in milliseconds."""
    times = facts.times
    over = _all_let_go(facts)
    held_at = _moments(facts, ("locked", "frozen"), "held")
    ends = _moments(facts, ("thawed", "unlocked"), "released")
    quiesce: dict[str, Any] = {
        "proven": facts.proven,
        "cutEvidence": _evidence(facts),
        "steps": [_step(step) for step in facts.steps],
        "timeline": [
            {"name": name, "time": _time(moment)}
            for name, moment in sorted(times.items(), key=lambda item: item[1])
        ],
    }
    moments = {
        "startedTime": times.get("lockSent"),
        "heldTime": max(held_at, default=None),
        "cutTime": times.get("cutSent"),
        "resumedTime": max(ends, default=None) if over else None,
    }
    quiesce |= {name: _time(moment) for name, moment in moments.items() if moment}
    if "lockSent" in times and ends and over:
        quiesce["holdMilliseconds"] = round((max(ends) - times["lockSent"]) / 1e6, 3)
    if not facts.proven:
        quiesce["reason"] = str(facts.refusal.reason if facts.refusal else Reason.PROOF_FAILED)
    return quiesce


def _all_let_go(facts: Facts) -> bool:
    """Tell whether every hold was seen to end: a silent freezer may still freeze."""
    kinds, times = {step.kind for step in facts.steps}, facts.times
    commands = [step.name for step in facts.steps if step.kind == "exec"]
    freeze_asked = "freeze" in kinds and (
        ("mysql" not in kinds or "locked" in times)
        and all(f"{name} held" in times for name in commands)
    )
    thawed = not freeze_asked or "thawed" in times
    # A command that failed, or that didn't answer, may hold all the same.
    released = all(f"{name} released" in times for name in commands if f"{name} sent" in times)
    return thawed and released and ("locked" not in times or "unlocked" in times)


def _moments(facts: Facts, names: Sequence[str], of_command: str) -> list[int]:
    commands = [f"{step.name} {of_command}" for step in facts.steps if step.kind == "exec"]
    return [facts.times[name] for name in (*names, *commands) if name in facts.times]


def _evidence(facts: Facts) -> str:
    if not facts.cut_while_held:
        return "None"
    return "Visible" if all(disk.visible for disk in facts.disks) else "Accepted"


def _step(step: StepFacts) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": step.name,
        "kind": step.kind,
        "acquireMilliseconds": round(step.acquire_milliseconds, 3),
        "releaseMilliseconds": round(step.release_milliseconds, 3),
        "proven": step.proven,
    }
    if step.reason:
        said["reason"] = step.reason[:128]
    if step.kind == "mysql" and step.detail:
        # A status that breaks a bound of the schema is refused whole, and the record with it.
        said["mysql"] = {
            key: value[: LIMITS.get(key, 256)] if isinstance(value, str) else value
            for key, value in step.detail.items()
        }
    if step.kind == "freeze" and step.detail:
        said["freeze"] = {"devices": _devices(step.detail)}
    return said


def _devices(detail: dict[str, Any]) -> list[dict[str, Any]]:
    """Join the answers of all freezers; two nodes may number their devices alike."""
    devices: dict[str, dict[str, Any]] = {}
    answers = zip(detail["ready"], detail["frozen"], detail["thawed"], strict=False)
    for freezer, (ready, frozen, thawed) in enumerate(answers):
        for index, number in enumerate(ready["devices"]):
            device = number if number not in devices else f"{number}@{freezer}"
            devices[device] = {
                "device": device,
                "freezeMilliseconds": frozen["freezeMilliseconds"][index],
                "thawMilliseconds": thawed["thawMilliseconds"],
                "writesUnchanged": thawed["writesUnchanged"][index],
            }
    return list(devices.values())


def _time(moment: int) -> str:
    return stamp(datetime.fromtimestamp(moment / 1e9, UTC))
