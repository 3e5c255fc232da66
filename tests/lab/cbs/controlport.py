"""The control port: where the lab makes disks, attaches them, and asks what really happened."""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lab.cbs import attaching, marks, retouch
from lab.cbs.connections import Connection, HttpServer
from lab.cbs.errors import ApiError
from lab.cbs.faults import Fault
from lab.cbs.records import Disk, Snapshot, Token
from lab.cbs.service import Service
from lab.cbs.views import disk_document

ZONE = "ap-guangzhou-3"
Asked = Mapping[str, Any]


class ControlPort(HttpServer):
    """The control port's socket, and what can be asked there."""

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self._service = service
        self._cloud = service.cloud
        routes: dict[str, Callable[..., dict[str, Any]]] = {
            r"GET /health": self._health,
            r"GET /disks": self._disks,
            r"POST /disks": self._create_disk,
            r"GET /disks/([^/]+)": self._disk,
            r"POST /disks/([^/]+)": self._change_disk,
            r"POST /disks/([^/]+)/attach": self._attach,
            r"POST /disks/([^/]+)/detach": self._detach,
            r"DELETE /disks/([^/]+)": self._delete_disk,
            r"GET /snapshots": self._snapshots,
            r"POST /snapshots": self._add_snapshots,
            r"POST /snapshots/([^/]+)": self._change_snapshot,
            r"DELETE /snapshots/([^/]+)": self._vanish,
            r"GET /calls": self._calls,
            r"GET /calls/wait": self._wait_call,
            r"POST /faults": self._add_fault,
            r"DELETE /faults": self._clear_faults,
            r"POST /keys": self._issue_key,
            r"DELETE /keys": self._revoke_keys,
            r"GET /settings": self._settings,
            r"POST /settings": self._change_settings,
        }
        self._routes = [(re.compile(pattern), act) for pattern, act in routes.items()]
        super().__init__(address, ControlConnection)

    def act(self, question: str, asked: Asked) -> dict[str, Any]:
        """Do what a method and a path stand for."""
        for pattern, act in self._routes:
            found = pattern.fullmatch(question)
            if found is not None:
                return act(asked, *found.groups())
        raise LookupError(f"There is no {question} here.")

    def _health(self, _: Asked) -> dict[str, Any]:
        return {"status": "ok"}

    def _disks(self, _: Asked) -> dict[str, Any]:
        return {"disks": [self._shown(disk) for disk in self._cloud.disks()]}

    def _disk(self, _: Asked, disk_id: str) -> dict[str, Any]:
        return self._shown(self._cloud.disk(disk_id))

    def _create_disk(self, asked: Asked) -> dict[str, Any]:
        now = self._cloud.now()
        disk = Disk(
            id=self._cloud.new_id("disk"),
            name=marks.name(asked.get("DiskName") or "Unnamed"),
            size_gib=int(asked["SizeGiB"]),
            zone=asked.get("Zone") or ZONE,
            snapshot_ability=asked.get("SnapshotAbility", True),
            tags=asked.get("Tags", {}),
            created=now,
        )
        self._cloud.make_disks([disk], Token(id="", request="", disk_ids=[disk.id]), 0.0)
        return {"DiskId": disk.id, "Path": str(self._cloud.content.disk(disk.id))}

    def _change_disk(self, asked: Asked, disk_id: str) -> dict[str, Any]:
        return self._shown(self._cloud.change_disk(disk_id, retouch.disk(asked)))

    def _attach(self, asked: Asked, disk_id: str) -> dict[str, Any]:
        return self._shown(attaching.attach(self._cloud, disk_id, asked["InstanceId"]))

    def _detach(self, _: Asked, disk_id: str) -> dict[str, Any]:
        return self._shown(attaching.detach(self._cloud, disk_id))

    def _delete_disk(self, _: Asked, disk_id: str) -> dict[str, Any]:
        self._cloud.delete_disk(disk_id)
        return {}

    def _snapshots(self, _: Asked) -> dict[str, Any]:
        return {"snapshots": [self._truth(snapshot) for snapshot in self._cloud.snapshots()]}

    def _change_snapshot(self, asked: Asked, snapshot_id: str) -> dict[str, Any]:
        return self._truth(self._cloud.change_snapshot(snapshot_id, retouch.snapshot(asked)))

    def _add_snapshots(self, asked: Asked) -> dict[str, Any]:
        now = self._cloud.now()
        made = [
            Snapshot(
                id=self._cloud.new_id("snap"),
                disk_id=asked["disk"],
                name=f"{asked['name']}-{number}",
                size_gib=1,
                zone=ZONE,
                began=now,
                creation_seconds=0.0,
                visibility_seconds=0.0,
                tags=asked.get("tags", {}),
                accepted=now,
            )
            for number in range(int(asked["count"]))
        ]
        self._cloud.add_snapshots(made)
        return {"ids": [snapshot.id for snapshot in made]}

    def _vanish(self, _: Asked, snapshot_id: str) -> dict[str, Any]:
        self._cloud.vanish(self._cloud.snapshot(snapshot_id))
        return {}

    def _calls(self, asked: Asked) -> dict[str, Any]:
        since = int(asked.get("since", 0))
        calls = self._service.calls.since(since)
        return {"calls": calls, "next": calls[-1]["n"] + 1 if calls else since}

    def _wait_call(self, asked: Asked) -> dict[str, Any]:
        since, timeout = int(asked.get("since", 0)), float(asked.get("timeout", 30))
        call = self._service.calls.wait(asked["action"], since, timeout)
        if call is None:
            raise TimeoutError(f"No {asked['action']} acted within {timeout:g} s.")
        return call

    def _add_fault(self, asked: Asked) -> dict[str, Any]:
        fault, seconds = Fault.asked(asked), asked.get("seconds")
        times = int(asked.get("times", 1))
        self._service.faults.add(
            asked["action"], fault, times, None if seconds is None else float(seconds)
        )
        return {}

    def _clear_faults(self, _: Asked) -> dict[str, Any]:
        self._service.faults.clear()
        return {}

    def _issue_key(self, asked: Asked) -> dict[str, Any]:
        session = self._service.keys.issue(int(self._cloud.now() + asked["seconds"]))
        return {
            "secretId": session.secret_id,
            "secretKey": session.key.secret,
            "token": session.key.token,
            "expires": session.expires,
        }

    def _revoke_keys(self, _: Asked) -> dict[str, Any]:
        self._service.keys.revoke_temporary()
        return {}

    def _settings(self, _: Asked) -> dict[str, Any]:
        return self._cloud.settings.document()

    def _change_settings(self, asked: Asked) -> dict[str, Any]:
        self._cloud.settings = self._cloud.settings.changed(asked)
        return self._cloud.settings.document()

    def _shown(self, disk: Disk) -> dict[str, Any]:
        count = sum(snapshot.disk_id == disk.id for snapshot in self._cloud.snapshots())
        document = disk_document(disk, count, self._cloud.now(), self._cloud.settings)
        return {**document, "Path": str(self._cloud.content.disk(disk.id))}

    def _truth(self, snapshot: Snapshot) -> dict[str, Any]:
        now = self._cloud.now()
        return {
            "id": snapshot.id,
            "disk": snapshot.disk_id,
            "name": snapshot.name,
            "tags": snapshot.tags,
            "state": snapshot.state(now),
            "percent": snapshot.percent(now),
            "visible": snapshot.is_visible(now),
            "deleting": snapshot.gone_from is not None,
            "deadline": snapshot.deadline,
            "images": list(snapshot.images),
            "shares": snapshot.shares,
            "locked": snapshot.locked,
            "cutStartTime": snapshot.cut_started,
            "cutTime": snapshot.cut_ended,
            "path": str(self._cloud.content.snapshot(snapshot.id)),
        }


class ControlConnection(Connection):
    """One client of the control port."""

    server: ControlPort

    def do_GET(self) -> None:  # noqa: N802 - the base class finds methods by this name
        self._answer()

    def do_POST(self) -> None:  # noqa: N802
        self._answer()

    def do_DELETE(self) -> None:  # noqa: N802
        self._answer()

    def _answer(self) -> None:
        status, content = self._act()
        self.reply(status, json.dumps(content).encode())

    def _act(self) -> tuple[int, Any]:
        target, body = urlsplit(self.path), self.body()
        try:
            asked = {**dict(parse_qsl(target.query)), **(json.loads(body) if body else {})}
            return HTTPStatus.OK, self.server.act(f"{self.command} {target.path}", asked)
        except KeyError as error:
            return HTTPStatus.BAD_REQUEST, {"error": f"The question lacks {error}."}
        except LookupError as error:
            return HTTPStatus.NOT_FOUND, {"error": str(error)}
        except ApiError as error:
            missing = error.code.endswith(".NotFound")
            status = HTTPStatus.NOT_FOUND if missing else HTTPStatus.CONFLICT
            return status, {"error": error.message}
        except TimeoutError as error:
            return HTTPStatus.REQUEST_TIMEOUT, {"error": str(error)}
        except (TypeError, ValueError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
