"""The nine guarantees, asked of a world by name: while it goes on, and when it is over."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from campaign.operators import SECRET_KEY
from campaign.situation import NEIGHBOUR, PASSWORD, RIGHT_PLACES, UIDS
from campaign.workload import REPLICAS
from disksnapshot.reasons import Reason
from rules.schema import faults

if TYPE_CHECKING:
    from campaign.cloud import Made
    from campaign.world import World
    from disksnapshot.snapshot.status import Done

GUARANTEES = (
    "One", "Tracked", "Bounded", "Ours", "True", "Converge", "Clear", "Calm", "Isolated",
)  # fmt: skip
CREATE = "window CreateSnapshot"
BOUND_SECONDS = 10.0
OUTAGE_SECONDS = 310.0  # what the user allows a workload to be at zero, and a look
REST_SECONDS = 60.0  # between two attempts that touch writers
ATTEMPTS = 3  # that touch writers; written here again, as what the code says is what is doubted
LOOKS_AN_HOUR = 400.0  # a look every ten seconds, which is the quickest pause that lasts
LOOKS_TO_BEGIN_WITH = 60.0
STATUS_BYTES = 8192  # of an object with one claim
NEIGHBOUR_SECONDS = 60.0  # twelve of which the cloud takes
PROVEN = ("ApplicationConsistent", "FilesystemConsistent")


@dataclass
class Oracles:
    """Watches one world; what breaks a guarantee is noted under its name."""

    world: World
    violations: dict[str, list[str]] = field(default_factory=dict)
    policy_at_deletion: str = ""
    _seen: set[str] = field(default_factory=set)
    _policies: set[str] = field(default_factory=set)
    _messages: list[str] = field(default_factory=list)
    _intents: set[tuple[str, int]] = field(default_factory=set)  # uid and attempt
    _ready_at: float | None = None

    def __post_init__(self) -> None:
        self.world.points.after_each = self.see
        self.world.clock.passing.append(self.see)

    def broken(self, guarantee: str, how: str) -> None:
        said = self.violations.setdefault(guarantee, [])
        if how not in said:
            said.append(how)

    def see(self) -> None:
        """After each effect, and whenever time has passed."""
        for uid in (*self.world.uids, UIDS[NEIGHBOUR]):
            live = Counter(one.disk_id for one in self.of(uid))
            if max(live.values(), default=0) > 1:
                self.broken("One", f"{uid} has {max(live.values())} live snapshots")
        if self._ready_at is None and self.world.done(NEIGHBOUR).ready == "True":
            self._ready_at = self.world.clock.seconds
        self._policies.add(self.world.policy)
        body = self.world.body()
        if body is None:
            if self._wants_deletion and any(map(self.is_left, self.of(self._uid))):
                self.broken("Tracked", "the object is gone, and a snapshot of it is left")
        elif body["metadata"]["resourceVersion"] not in self._seen:
            self._seen.add(body["metadata"]["resourceVersion"])
            self._read(body)
        if self.world.points.names.count(CREATE) > len(self._intents) * len(self.world.disks):
            self.broken("One", "a snapshot was asked for that no intent tells of")
        self._is_ready_of(body)

    def is_left(self, one: Made) -> bool:
        """By wrong keys nobody sees that a deletion, which the cloud has begun, isn't over yet."""
        unseen = self.world.cloud.elsewhere and one.gone_from is not None
        return bool(one.tags) and not unseen

    @property
    def neighbour_was_ready(self) -> bool:
        return self._ready_at is not None

    def _is_ready_of(self, body: dict[str, Any] | None) -> None:
        """Who reads Ready of an object that stays may restore from all that it names."""
        if body is None or "deletionTimestamp" in body["metadata"]:
            return
        done, cloud = self.world.done(), self.world.cloud
        named = [one for one in cloud.made if one.id in done.snapshots.values()]
        if done.ready == "True" and any(one.gone_from is not None for one in named):
            self.broken("True", "it is called Ready while its snapshot is deleted")
        if done.ready == "True" and any(one.id in done.snapshots.values() for one in cloud.ended):
            self.broken("True", "it is called Ready, and the cloud was told to delete it by now")
        if done.ready == "True" and not all(map(cloud.is_complete, named)):
            self.broken("True", "it is called Ready before its snapshot is complete")

    def of(self, uid: str) -> list[Made]:
        digits = uid.replace("-", "")[:10]
        return [one for one in self.world.cloud.made if digits in one.name and not one.foreign]

    @property
    def _uid(self) -> str:
        return self.world.uids[-1]

    @property
    def _wants_deletion(self) -> bool:
        return self.world.policy == "Delete"

    def _read(self, body: dict[str, Any]) -> None:
        """Read what a write has put into the object."""
        done = self.world.done()
        self._keep_secrets(json.dumps(body))
        self._messages.append(done.message)
        for fault in faults(body.get("status", {})):
            self.broken("Clear", fault)
        if (size := _own_size(body.get("status", {}))) > STATUS_BYTES:
            self.broken("Clear", f"the status has {size} bytes")
        if done.reason and done.reason not in set(Reason):
            self.broken("Clear", f"{done.reason} is no reason of the list")
        self._is_true(body, done)
        if done.intent:
            self._intents.add((body["metadata"]["uid"], done.intent.attempt))
            if done.intent.attempt > ATTEMPTS:
                self.broken("Calm", f"attempt {done.intent.attempt}")

    def _is_true(self, body: dict[str, Any], done: Done) -> None:
        there = {one.id: one for one in self.world.cloud.ever}
        for disk_id, snapshot_id in done.snapshots.items():
            if snapshot_id in there and there[snapshot_id].disk_id != disk_id:
                self.broken("True", f"{snapshot_id} is called one of {disk_id}")
        if done.consistency in PROVEN or body.get("status", {}).get("fileSystem") == "Clean":
            for snapshot_id in done.snapshots.values():
                if snapshot_id not in there or not there[snapshot_id].held:
                    self.broken("True", f"{snapshot_id} is called {done.consistency}")

    def _keep_secrets(self, text: str) -> None:
        for secret in (SECRET_KEY, PASSWORD):
            if secret in text:
                self.broken("Clear", "a secret is in what the operator writes")

    def heard(self, words: str) -> None:
        """Ask whether a person could read these words, in the status or in the log."""
        told = (*self._messages, *self.world.heard.lines)
        if words and not any(words in text for text in told):
            self.broken("Clear", f"nobody was told: {words}")

    def end(self, *, wide: bool) -> None:
        """When all is over: what can only be asked then."""
        world = self.world
        if world.writers.longest > BOUND_SECONDS:
            self.broken("Bounded", f"writers stood still for {world.writers.longest:.1f} s")
        if world.workload and world.workload.replicas != REPLICAS:
            self.broken("Converge", f"the workload is at {world.workload.replicas} replicas")
        if world.workload and world.workload.longest_outage > OUTAGE_SECONDS + world.stopped:
            how = f"the workload was away for {world.workload.longest_outage:.0f} s"
            self.broken("Bounded", how)
        if world.writers.held:
            self.broken("Bounded", "something is still held")
        self._ours()
        self._tracked()
        self._calm()
        self._told()
        if world.unexpected:
            self.broken("Clear", f"an error that nobody has thought of: {world.unexpected[0]}")
        for text in (*map(json.dumps, world.server.events), *world.heard.lines):
            self._keep_secrets(text)
        self._isolated(wide=wide)

    def _isolated(self, *, wide: bool) -> None:
        """The neighbour waits only for what befalls all, or for who was stopped or killed."""
        if self._ready_at is None:
            self.broken("Isolated", "the neighbour is never Ready")
        elif not wide and self._ready_at > NEIGHBOUR_SECONDS + self.world.stopped:
            self.broken("Isolated", f"the neighbour is Ready after {self._ready_at:.0f} s")

    def _ours(self) -> None:
        world = self.world
        uids = {*world.uids, *world.others}
        for one in world.cloud.deleted:
            if one.foreign or one.tags.get("disksnapshot.io/uid") not in uids:
                self.broken("Ours", f"{one.id} was deleted, and doesn't carry our tags")
        if strange := world.writers.places - RIGHT_PLACES:
            self.broken("Ours", f"{', '.join(sorted(strange))} was touched")

    def _calm(self) -> None:
        world = self.world
        taken = world.writers.taken
        if any(b - a < REST_SECONDS for a, b in itertools.pairwise(taken)):
            self.broken("Calm", "writers were touched twice within a minute")
        if len(taken) > ATTEMPTS:
            self.broken("Calm", f"writers were touched {len(taken)} times")
        if world.cloud.too_fast:
            self.broken("Calm", f"too fast for the cloud: {', '.join(world.cloud.too_fast)}")
        if world.hot:
            self.broken("Calm", "it acts and acts, and no time passes")
        hours = world.clock.seconds / 3600
        if world.looks > LOOKS_TO_BEGIN_WITH + LOOKS_AN_HOUR * hours:
            self.broken("Calm", f"{world.looks} looks in {hours:.1f} h")

    def _told(self) -> None:
        """Events carry reasons of the list, each once a start: a retry writes none."""
        events = self.world.server.events
        for reason in {event["reason"] for event in events} - set(Reason):
            self.broken("Clear", f"an event's {reason} is no reason of the list")
        about = Counter(map(_about, events))
        for (reason, name, uid), times in about.items():
            born = {one for _, known, one in about if known == name and not one.startswith("uid-")}
            # Of a claim, each object of that name tells; and all that is set back comes again.
            lives = len(born) if uid.startswith("uid-") else 1
            most = self._starts * max(1, lives) + (self._fired if reason == Reason.ORPHANED else 0)
            if times > most:
                self.broken("Calm", f"{times} events {reason} of {name} on {uid}")

    @property
    def _starts(self) -> int:
        """How often somebody began to follow an object: at each start, and what was set back."""
        world = self.world
        return len(world.operators) + world.deaths + world.server.set_back

    @property
    def _fired(self) -> int:
        return sum(fault.fired for fault in self.world.points.faults)

    def _tracked(self) -> None:
        """What lacks our tags can't be deleted; that it is left must have been said."""
        unmarked = [one.id for one in self.of(self._uid) if not one.tags]
        told = " ".join(str(event["message"]) for event in self.world.server.events)
        for snapshot_id in unmarked:
            if self.world.policy == "Delete" and f"{snapshot_id} lost" not in told:
                self.broken("Tracked", f"{snapshot_id} is left, and nobody was told")

    def orphans(self) -> None:
        """Ask the operator's own sweep whether anything is left over."""
        reported = len(self.world.server.events)
        operator = self.world.operators[0]
        operator.tap.counted = False
        operator.sweep.turn()
        told = [
            event["reason"]
            for event in self.world.server.events[reported:]
            if event["involvedObject"]["uid"] in self.world.uids
        ]
        if self._is_left_by_another:
            if Reason.ORPHANED not in told:
                self.broken("Tracked", "nobody was told of what another of this name has left")
        # A later change of the policy can't be told to the cloud, so that such a report is right.
        elif Reason.ORPHANED in told and len(self._policies) == 1:
            self.broken("Tracked", "the sweep reports an orphan")

    @property
    def _is_left_by_another(self) -> bool:
        """An object that was torn away has left what it would have deleted."""
        left = any(self.of(uid) for uid in self.world.uids[:-1])
        return left and self._wants_deletion

    def deleted(self) -> None:
        """Before a Ready object is deleted: nobody else's deletion has hit its snapshot."""
        if not any(one.gone_from is None for one in self.of(self._uid)):
            self.broken("Ours", "it is Ready, and its snapshot was deleted")


def _about(event: dict[str, Any]) -> tuple[str, str, str]:
    """Return an event's reason, the DiskSnapshot it tells of, and the uid of what it is on."""
    subject = event["involvedObject"]
    of_claim = subject["kind"] == "PersistentVolumeClaim"
    told = event["message"].partition(":")[0].removeprefix("DiskSnapshot ")
    return event["reason"], told if of_claim else subject["name"], subject["uid"]


def _own_size(status: dict[str, Any]) -> int:
    """Return the bytes of what the operator writes; others' conditions have a domain's name."""
    conditions = [one for one in status.get("conditions", ()) if "/" not in one["type"]]
    return len(json.dumps({**status, "conditions": conditions}))
