"""A shop: what a test does with the operator and a database, and what it sees from outside."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cluster import Lab
from lab.cluster.waiting import until
from lab.demo import kill, stage, taken
from lab.demo.stage import Database
from lab.demo.taken import NET


@dataclass(frozen=True)
class Shop:
    """What a test does with the operator, and what it sees from outside."""

    lab: Lab
    database: Database

    @property
    def namespace(self) -> str:
        return self.database.namespace

    def snapshot(self, **spec: Any) -> dict[str, Any]:
        """Return a new DiskSnapshot of the database, changed as asked."""
        return stage.disk_snapshot(self.database, f"s-{secrets.token_hex(3)}", **spec)

    def mysql(self, **changed: Any) -> dict[str, Any]:
        """Return a quiesce part with a mysql step, changed as asked, and a freeze."""
        mysql = {"credentialsSecretRef": {"name": f"{self.database.pod}-snapshot"}} | changed
        return {"steps": [{"mysql": mysql}, {"freeze": {"method": "Agent"}}]}

    def apply(self, body: Mapping[str, Any]) -> None:
        stage.apply(self.lab, body)

    def get(self, body: Mapping[str, Any]) -> dict[str, Any]:
        metadata = body["metadata"]
        return stage.get(self.lab, metadata["namespace"], metadata["name"])

    def ready(self, body: Mapping[str, Any], seconds: int = NET) -> dict[str, Any]:
        """Apply, wait until Ready, return the object."""
        return dict(taken.take(self.lab, body, seconds).body)

    def until_reason(
        self, body: Mapping[str, Any], reason: str, seconds: float = NET
    ) -> dict[str, Any]:
        """Wait until the Ready condition says `reason`; return the object."""
        seen: dict[str, Any] = {}
        said: list[str] = []

        def says() -> bool:
            seen.update(self.get(body))
            ready = condition(seen, "Ready")
            line = f"{ready.get('reason')}: {ready.get('message')}"
            said.extend([line] if line not in said[-1:] else [])
            return ready.get("reason") == reason

        name = body["metadata"]["name"]
        until(says, f"{name} says {reason}", seconds=seconds, instead=said)
        return seen

    def held_without_reply(self, **spec: Any) -> dict[str, Any]:
        """Apply a DiskSnapshot whose reply never comes, and return it while it is held."""
        self.lab.cbs.fault("CreateSnapshot", "ReplyLostAfterAct", times=1)
        body = self.snapshot(**spec)
        self.apply_until_sent(body)
        assert kill.frozen_devices(self.lab)
        return body

    def lose_proof(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """End the session of the database in a hold; return the object as applied and as seen."""
        # Listed late in the hold: until then a busy machine has time to end the session.
        self.lab.cbs.settings(visibilityDelayMilliseconds=5000, creationMilliseconds=500)
        body = self.snapshot()
        self.apply_until_sent(body)
        assert self.kill_sessions("snapshot") > 0
        return body, self.until_reason(body, "ProofFailed")

    def apply_until_sent(self, body: Mapping[str, Any]) -> None:
        """Apply, and return as soon as the cloud has acted on the request for the cut."""
        _, since = self.lab.cbs.calls()
        self.apply(body)
        self.lab.cbs.wait_call("CreateSnapshot", since=since, timeout=NET)

    def complete(self, body: Mapping[str, Any]) -> None:
        """Let the cloud's copies of an object be complete now, however long they were to take."""
        for snapshot in self.in_the_cloud(body):
            self.lab.cbs.change_snapshot(snapshot["id"], percent=100)

    def in_the_cloud(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return taken.in_the_cloud(self.lab, self.get(body)["metadata"]["uid"])

    def finalizers(self) -> list[str]:
        """Return those of all objects in the cluster."""
        found = json.loads(self.lab.kubectl("get", "dsnap", "--all-namespaces", "-o", "json"))
        return [name for item in found["items"] for name in item["metadata"].get("finalizers", [])]

    def events(self, kind: str, name: str) -> list[dict[str, Any]]:
        selector = f"involvedObject.kind={kind},involvedObject.name={name}"
        where = ("-n", self.namespace, "get", "events", "--field-selector", selector, "-o", "json")
        return list(json.loads(self.lab.kubectl(*where))["items"])

    def kill_sessions(self, user: str) -> int:
        """End all sessions of a database user, as a DBA might; return how many."""
        with self.database.connect() as session, session.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE user = %s", (user,)
            )
            found = [row[0] for row in cursor.fetchall()]
            for number in found:
                cursor.execute("KILL %s", (number,))
        return len(found)

    def writes_go_on(self) -> None:
        """Write a row and have it acknowledged: nothing is locked and nothing is frozen."""
        with self.database.connect(read_timeout=5) as session, session.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS free")
            cursor.execute("CREATE TABLE IF NOT EXISTS free.proof (id INT) ENGINE=InnoDB")
            cursor.execute("INSERT INTO free.proof VALUES (1)")


def is_ready(body: Mapping[str, Any]) -> bool:
    return condition(body, "Ready").get("status") == "True"


def at_rest(body: Mapping[str, Any]) -> bool:
    """Say whether nothing more is tried for an object, whatever comes of the world around it."""
    return is_ready(body) or condition(body, "Stalled").get("status") == "True"


def word(body: Mapping[str, Any]) -> str:
    """Return what an object calls its snapshot, or the reason why it is not Ready."""
    if is_ready(body):
        return str(body["status"]["consistency"])
    return str(condition(body, "Ready").get("reason", ""))


def condition(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    conditions = body.get("status", {}).get("conditions", [])
    return next((dict(item) for item in conditions if item["type"] == kind), {})
