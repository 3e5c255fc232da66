"""A cloud in memory behind the API's own words: it lists late, acts late, and forgets nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from campaign.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from campaign.clock import Clock

VALID_SECONDS = 300
SHORTEST_DEADLINE_SECONDS = 86400.0
PER_SECOND, DEFAULT_PER_SECOND = {"DescribeDisks": 100.0}, 20.0


class Refusal(Exception):  # noqa: N818 - it names what the API says
    """An error code of the API."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(kw_only=True)
class Made:
    """One snapshot, and what was true when it was cut."""

    id: str
    name: str
    disk_id: str
    tags: dict[str, str]
    at: float
    held: bool
    creation_seconds: float
    listed_after: float
    foreign: bool = False
    gone_from: float | None = None  # asked to be deleted; there, and listed, until then
    deadline: float | None = None  # by its own clock; it deletes it by itself then
    state: str = ""  # in place of what its age says
    percent: int | None = None


@dataclass
class Cloud:
    """The account in one region. `disks` are the documents that DescribeDisks shows."""

    clock: Clock
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    creation_seconds: float = 12.0
    listed_after: float = 0.0
    deletion_seconds: float = 4.0
    tags_stick: bool = True
    ahead: float = 0.0  # of the operator's clock
    elsewhere: bool = False  # it is asked with keys of another account, which has nothing
    took: list[str] = field(default_factory=list)  # the snapshots that it was told to delete
    number: int = 0
    acts_after: float = 0.0  # the next request is done so much later; nobody hears of it
    ever: list[Made] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    deleted: list[Made] = field(default_factory=list)
    ended: list[Made] = field(default_factory=list)  # by their deadlines
    late: list[tuple[float, Mapping[str, str], bytes]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)  # action, disk or snapshot
    tokens: dict[str, tuple[float, float]] = field(default_factory=dict)  # left, and when
    too_fast: set[str] = field(default_factory=set)  # actions that it would have throttled
    is_held: Callable[[str], bool] = lambda _: False
    cuts_when_listed: bool = False  # the answer comes before the cut: Visible is there for that

    def answer(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request of the API, as the documentation says."""
        if self.acts_after:
            after, self.acts_after = self.acts_after, 0.0
            self.late.append((self.clock.seconds + after, headers, body))
            self.clock.alarm(after)
            return Reply()
        asked, action = json.loads(body), headers["x-tc-action"]
        self._count(action)
        self.calls.append((action, str(asked.get("DiskId") or asked.get("SnapshotIds") or "")))
        try:
            self._check_age(float(headers["x-tc-timestamp"]))
            said = self._act(action, asked)
        except Refusal as refusal:
            return self.refuse(refusal.code)
        return self._reply(said)

    def refuse(self, code: str) -> Reply:
        return self._reply({"Error": {"Code": code, "Message": f"it says {code}"}})

    def now(self) -> float:
        return self.clock.now().timestamp() + self.ahead

    def pass_time(self) -> None:
        now = self.clock.seconds
        gone = [one for one in self.made if one.gone_from is not None and one.gone_from <= now]
        self.made = [one for one in self.made if one not in gone]
        self.deleted += gone
        over = [
            one for one in self.made if one.deadline is not None and one.deadline <= self.now()
        ]
        self.made = [one for one in self.made if one not in over]
        self.ended += over
        for one in self.made:
            if self.cuts_when_listed and now <= one.at + one.listed_after:
                one.held = self.is_held(one.disk_id)
        due = [one for one in self.late if one[0] <= self.clock.seconds]
        self.late = [one for one in self.late if one[0] > self.clock.seconds]
        for _, headers, body in due:
            self.answer(headers, body)

    def listed(self) -> list[Made]:
        if self.elsewhere:
            return []
        return [one for one in self.made if self.clock.seconds >= one.at + one.listed_after]

    def vanish(self, snapshot_id: str) -> None:
        """Somebody deletes it by hand."""
        self.made = [one for one in self.made if one.id != snapshot_id]

    def _count(self, action: str) -> None:
        """Take a token of the action's bucket, which is filled evenly; note when there is none."""
        limit = PER_SECOND.get(action, DEFAULT_PER_SECOND)
        left, at = self.tokens.get(action, (limit, 0.0))
        left = min(limit, left + (self.clock.seconds - at) * limit)
        if left < 1:
            self.too_fast.add(action)
        self.tokens[action] = (left - 1, self.clock.seconds)

    def _check_age(self, signed: float) -> None:
        if abs(self.now() - signed) > VALID_SECONDS:
            raise Refusal("AuthFailure.SignatureExpire")

    def _reply(self, said: Mapping[str, Any]) -> Reply:
        date = self.clock.now().timestamp() + self.ahead
        return Reply.of(
            {"Response": {**said, "RequestId": f"r-{len(self.calls)}"}}, Date=_http_date(date)
        )

    def _act(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        match action:
            case "CreateSnapshot":
                return self._create(asked)
            case "DeleteSnapshots":
                return self._delete(asked)
            case "DescribeSnapshots":
                found = [one for one in self.listed() if self._is_asked_for(one, asked)]
                start = asked.get("Offset", 0)
                page = found[start : start + asked.get("Limit", 20)]
                return {"TotalCount": len(found), "SnapshotSet": [*map(self._document, page)]}
            case "DescribeDisks":
                there = {} if self.elsewhere else self.disks
                ids = [item for item in asked["DiskIds"] if item in there]
                return {"TotalCount": len(ids), "DiskSet": [self.disks[item] for item in ids]}
            case "DescribeSnapshotOverview":
                return {"TotalNums": len(self.listed())}
            case "ModifySnapshotAttribute":
                self._find(asked["SnapshotId"]).deadline = self._deadline(asked)
                return {}
        raise Refusal("InvalidAction")

    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        disk_id = asked["DiskId"]
        if self.elsewhere or disk_id not in self.disks:
            raise Refusal("InvalidDiskId.NotFound")
        if any(one.disk_id == disk_id and self.state(one) == "CREATING" for one in self.made):
            raise Refusal("InvalidDisk.SnapshotCreating")
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", ())}
        self.number += 1
        made = Made(
            id=f"snap-{self.number:08}",
            name=asked["SnapshotName"],
            disk_id=disk_id,
            tags=tags if self.tags_stick else {},
            at=self.clock.seconds,
            held=self.is_held(disk_id),
            creation_seconds=self.creation_seconds,
            listed_after=self.listed_after,
            deadline=self._deadline(asked),
        )
        self.clock.alarm(self.listed_after)
        self.made.append(made)
        self.ever.append(made)
        return {"SnapshotId": made.id}

    def _deadline(self, asked: Mapping[str, Any]) -> float | None:
        if "Deadline" not in asked:
            return None
        deadline = datetime.fromisoformat(asked["Deadline"]).timestamp()
        left = deadline - self.now()
        if left < SHORTEST_DEADLINE_SECONDS:
            raise Refusal("InvalidParameterValue")
        self.clock.alarm(left)
        return deadline

    def _delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = [self._find(snapshot_id) for snapshot_id in asked["SnapshotIds"]]
        for one in found:
            if self.state(one) != "NORMAL":
                creating = self.state(one) == "CREATING"
                kind = "ResourceUnavailable.SnapshotCreating"
                raise Refusal(kind if creating else "InvalidSnapshot.NotSupported")
        for one in found:
            self.took.append(one.id)
            # Asked twice, the first deletion goes on.
            one.gone_from = one.gone_from or self.clock.seconds + self.deletion_seconds
            self.clock.alarm(self.deletion_seconds)
        return {}

    def _find(self, snapshot_id: str) -> Made:
        for one in self.made:
            if one.id == snapshot_id and not self.elsewhere:
                return one
        raise Refusal("InvalidSnapshotId.NotFound")

    def _is_asked_for(self, one: Made, asked: Mapping[str, Any]) -> bool:
        filters = {item["Name"]: item["Values"] for item in asked.get("Filters", ())}
        return (
            one.id in asked.get("SnapshotIds", (one.id,))
            and one.disk_id in filters.get("disk-id", (one.disk_id,))
            and self.state(one) in filters.get("snapshot-state", (self.state(one),))
        )

    def state(self, one: Made) -> str:
        complete = self.clock.seconds >= one.at + one.creation_seconds
        return one.state or ("NORMAL" if complete else "CREATING")

    def is_complete(self, one: Made) -> bool:
        """Tell whether all of it is copied."""
        return self.state(one) == "NORMAL" and self._percent(one) == 100

    def _percent(self, one: Made) -> int:
        share = min(1.0, (self.clock.seconds - one.at) / max(one.creation_seconds, 0.001))
        return int(100 * share) if one.percent is None else one.percent

    def _document(self, one: Made) -> dict[str, Any]:
        return {
            "SnapshotId": one.id,
            "SnapshotName": one.name,
            "DiskId": one.disk_id,
            "SnapshotState": self.state(one),
            "Percent": self._percent(one),
            "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
        }


def disk(disk_id: str, **differing: Any) -> dict[str, Any]:
    """Return a disk as DescribeDisks shows it."""
    usual = {"DiskState": "ATTACHED", "SnapshotAbility": True, "DiskSize": 10, "Encrypt": False}
    return {"DiskId": disk_id, "InstanceId": "ins-00000001", **usual, **differing}


def _http_date(seconds: float) -> str:

    return formatdate(int(seconds), usegmt=True)
