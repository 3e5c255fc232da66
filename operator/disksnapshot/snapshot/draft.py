"""Write down what has been done: the next status, of facts and never of beliefs."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from disksnapshot.reasons import Reason
from disksnapshot.snapshot import down
from disksnapshot.snapshot.status import (
    OWN,
    QUIESCED,
    READY,
    RECONCILING,
    RECORDED,
    RESUMED,
    SETTLED,
    STALLED,
    TAKEN,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from disksnapshot.snapshot.proof import Verdict
    from disksnapshot.snapshot.spec import Ask
    from disksnapshot.snapshot.status import Intent

MESSAGE_LIMIT, MINIMAL_MESSAGE = 1024, 200  # several conditions say the same
NOTHING_LEFT = frozenset({Reason.SNAPSHOT_LOST, Reason.EXPIRED})


class Draft:
    """The next status, made from the last one; `body` is what is to be written."""

    def __init__(self, last: Mapping[str, Any], ask: Ask, now: datetime) -> None:
        self.body: dict[str, Any] = copy.deepcopy(dict(last))
        self._ask = ask
        self._now = now
        self.body["observedGeneration"] = ask.generation
        self.body["claims"] = ",".join(ask.claims)[:4096]

    def waiting(self, reason: str, message: str, retry: datetime | None = None) -> Draft:
        """Say what is being done or waited for."""
        self._set(READY, "False", reason, message)
        self._set(RECONCILING, "True", reason, message)
        self._set(STALLED, "False", reason, message)
        for kind in (QUIESCED, TAKEN, RESUMED):
            self._set_default(kind, reason)
        self.body.pop("retryTime", None)
        if retry:
            self.body["retryTime"] = stamp(retry)
        return self

    def ready(self, message: str) -> Draft:
        """Say that the snapshot can be used."""
        self.body.pop("retryTime", None)
        self.body["progressPercent"] = 100
        self._set(READY, "True", Reason.READY, message)
        self._set(RECONCILING, "False", Reason.READY, message)
        self._set(STALLED, "False", Reason.READY, message)
        return self._taken()

    def failed(self, reason: str, message: str) -> Draft:
        """Say that this object will not become Ready."""
        self.body.pop("retryTime", None)
        self._set(READY, "False", reason, message)
        # kstatus reads the list in order: Reconciling must not hide the failure.
        self._set(RECONCILING, "False", reason, message)
        self._set(STALLED, "True", reason, message)
        for kind in (QUIESCED, TAKEN, RESUMED):
            self._set_default(kind, reason)
        if reason in NOTHING_LEFT:
            self._set(TAKEN, "False", reason, message)
        return self

    def acknowledge(self) -> Draft:
        """Say that each condition holds for the spec as it is now, and when it expires by that."""
        self.expiring(parse(self.body).signed)
        for condition in self._own_conditions():
            condition["observedGeneration"] = self._ask.generation
        return self

    def minimal(self) -> Draft:
        """Leave out what isn't needed to go on, for a schema that refuses some of it."""
        self.body.pop("quiesce", None)
        kept = ("claimName", "diskID", "snapshotID", "snapshotName")
        volumes = self.body.get("volumes", [])
        self.body["volumes"] = [{key: v[key] for key in kept if key in v} for v in volumes]
        for condition in self._own_conditions():
            condition["message"] = condition["message"][:MINIMAL_MESSAGE]
        return self

    def _own_conditions(self) -> Iterator[dict[str, Any]]:
        """Yield those that the operator writes: others may have theirs in the same list."""
        yield from (one for one in self.body.get("conditions", []) if one["type"] in OWN)

    def intend(self, intent: Intent, volumes: Sequence[Mapping[str, Any]]) -> Draft:
        """Write down the attempt, before anything can come of it."""
        self._write_intent(intent)
        self.body["volumes"] = [dict(volume) for volume in volumes]
        for key in ("snapshotID", "progressPercent", "quiesce", "consistency"):
            self.body.pop(key, None)
        self.expiring(intent.signed).deadline(self._ask.deadline(intent.signed))
        return self.waiting(Reason.HOLDING, f"holding writers, attempt {intent.attempt}")

    def reopen(self, intent: Intent) -> Draft:
        """Say that nothing is known of an attempt but what the cloud shows."""
        self._write_intent(intent)
        message = "part of the status was lost; looking in the cloud for what the attempt made"
        return self.waiting(Reason.OUTCOME_UNKNOWN, message)

    def _write_intent(self, intent: Intent) -> None:
        self.body["intent"] = {
            "attempt": intent.attempt,
            "state": intent.state,
            "nonce": intent.nonce,
            "diskIDs": list(intent.disk_ids),
            "signedTime": stamp(intent.signed),
            "notAfterTime": stamp(intent.not_after),
        }

    def expiring(self, signed: datetime | None) -> Draft:
        """Write when it expires."""
        return self._moment("expireTime", self._ask.expires(signed))

    def deadline(self, moment: datetime | None) -> Draft:
        """Write when the cloud deletes it by itself."""
        return self._moment("deadlineTime", moment)

    def _moment(self, key: str, moment: datetime | None) -> Draft:
        self.body.pop(key, None)
        if moment:
            self.body[key] = stamp(moment, "seconds")
        return self

    def expired(self, message: str) -> Draft:
        """Say that its time is over; when that was stays written."""
        self.settle().deadline(None)
        return self.failed(Reason.EXPIRED, message)

    def settle(self) -> Draft:
        """Say that the attempt left nothing in the cloud."""
        self.body["intent"]["state"] = SETTLED
        for volume in self.body.get("volumes", []):
            for key in ("snapshotID", "state", "progressPercent"):
                volume.pop(key, None)
        for key in ("snapshotID", "progressPercent", "consistency", "fileSystem", "application"):
            self.body.pop(key, None)
        self._set(TAKEN, "False", self._reason, "nothing was left in the cloud")
        return self

    def record(self, snapshots: Mapping[str, str]) -> Draft:
        """Name the snapshot of each disk."""
        self.body["intent"]["state"] = RECORDED
        known = {volume.get("diskID"): volume for volume in self.body.get("volumes", [])}
        if not set(snapshots) <= set(known):
            # The list was lost. The disks of an attempt are in the order of the claims.
            disks = self.body["intent"]["diskIDs"]
            known_by = self._ask.claims or [f"claim of {disk}" for disk in disks]
            pairs = zip(known_by, disks, strict=True)
            self.body["volumes"] = [{"claimName": name, "diskID": disk} for name, disk in pairs]
        for volume in self.body["volumes"]:
            volume["snapshotID"] = snapshots[volume["diskID"]]
            volume.setdefault("state", "CREATING")
            volume.setdefault("progressPercent", 0)
        self.body["snapshotID"] = self.body["volumes"][0]["snapshotID"]
        self.body.setdefault("progressPercent", 0)
        return self._taken()

    def call_it(self, words: Verdict) -> Draft:
        """Write what the snapshot may be called."""
        named = {
            "consistency": words.consistency,
            "fileSystem": words.file_system,
            "application": words.application,
        }
        for key, word in named.items():
            self.body.pop(key, None)
            if word:
                self.body[key] = word
        return self

    def quiesced(self, quiesce: Mapping[str, Any]) -> Draft:
        """Write the measurements and the proof of the hold."""
        self.body["quiesce"] = dict(quiesce)
        proven = bool(quiesce.get("proven"))
        reason = Reason.PROVEN if proven else quiesce.get("reason", Reason.PROOF_FAILED)
        message = "writers were held over the cut" if proven else "the hold is not proven"
        if proven and quiesce.get("cutEvidence") == "Accepted":
            # A cloud may answer first and cut later.
            message += ", by the cloud's answer alone: they went on before it listed the snapshot"
        self._set(QUIESCED, "True" if proven else "False", reason, message)
        if "startedTime" in quiesce and "resumedTime" not in quiesce:
            message = "a hold's end was not seen; each lets go by itself at its bound"
            self._set(RESUMED, "Unknown", Reason.HOLD_LOST, message)
        else:
            self._set(RESUMED, "True", Reason.RESUMED, "writers go on")
        return self

    def not_held(self, reason: str, message: str) -> Draft:
        """Say that no writer was held."""
        self._set(QUIESCED, "False", reason, message)
        self._go_on(reason, message)
        return self

    def stood_still(self, why_not: str) -> Draft:
        """Say that there was no writer to hold, and whether that is proven; `why_not` if not."""
        message = "no pod mounts the claims; their disks were detached before and after the cut"
        if why_not:
            return self.not_held(Reason.NOT_HELD, f"no writer was held: {why_not}")
        self._set(QUIESCED, "True", Reason.PROVEN, message)
        self._go_on(Reason.NOT_HELD, message)
        return self

    def offline(self, facts: down.Down) -> Draft:
        """Write how far a workload is that goes to zero; writers go on once that is over."""
        self.body["offline"] = down.write(facts, self._ask.namespace)
        if facts.over:
            self._set(RESUMED, "True", Reason.RESUMED, facts.farewell)
        else:
            message = f"{facts.label} goes to zero until its disks are cut"
            self._set(RESUMED, "False", Reason.OFFLINE, message)
        return self

    def unseen(self, message: str) -> Draft:
        """Say that a hold was taken whose end the operator did not see."""
        for kind in (QUIESCED, RESUMED):
            self._set(kind, "Unknown", Reason.OUTCOME_UNKNOWN, message)
        return self

    def progress(self, states: Mapping[str, tuple[str, int]]) -> Draft:
        """Write the cloud's word and percent of each snapshot, by disk."""
        for volume in self.body["volumes"]:
            if volume["diskID"] in states:
                volume["state"], volume["progressPercent"] = states[volume["diskID"]]
        self.body["progressPercent"] = min(
            volume.get("progressPercent", 0) for volume in self.body["volumes"]
        )
        return self

    def _taken(self) -> Draft:
        self._set(TAKEN, "True", Reason.TAKEN, "the cloud has made the snapshot")
        return self

    @property
    def is_cleanly_down(self) -> bool:
        """A workload is at zero whose pods are proven to have ended by themselves."""
        facts = down.parse(self.body.get("offline"))
        return facts is not None and facts.clean

    def _go_on(self, reason: str, message: str) -> None:
        """Say that writers go on, as they do unless a workload is still at zero."""
        facts = down.parse(self.body.get("offline"))
        if facts is None or facts.over:
            self._set(RESUMED, "True", reason, message)

    @property
    def attempt(self) -> int:
        """The number of the attempt that is written down."""
        return int(self.body["intent"]["attempt"])

    @property
    def _reason(self) -> str:
        for condition in self.body.get("conditions", []):
            if condition["type"] == READY:
                return str(condition["reason"])
        return Reason.PENDING

    def _set_default(self, kind: str, reason: str) -> None:
        present = {item["type"] for item in self.body.get("conditions", [])}
        if kind not in present:
            self._set(kind, "Unknown", reason, "not yet")

    def _set(self, kind: str, status: str, reason: str, message: str) -> None:
        conditions = self.body.setdefault("conditions", [])
        last = next((item for item in conditions if item["type"] == kind), None)
        changed = last is None or last["status"] != status
        condition = {
            "type": kind,
            "status": status,
            "reason": str(reason),
            "message": message[:MESSAGE_LIMIT],
            "observedGeneration": self._ask.generation,
            # It moves only when the status does (API conventions).
            "lastTransitionTime": stamp(self._now, "seconds")
            if changed or last is None
            else last["lastTransitionTime"],
        }
        if last is None:
            conditions.append(condition)
        else:
            last.update(condition)


def stamp(moment: datetime, precision: str = "microseconds") -> str:
    """Write a time as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
