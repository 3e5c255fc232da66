"""The address inside a machine of the cloud that gives its role's temporary key."""

import json
import time
import uuid
from http import HTTPStatus

from lab.cbs import replies, sts
from lab.cbs.calls import Call
from lab.cbs.cloud import Cloud
from lab.cbs.connections import Connection, HttpServer
from lab.cbs.faults import ERRORS, Fault
from lab.cbs.keys import Keys
from lab.cbs.service import Service

ACTION = "Metadata"  # the name by which its faults are asked for, and its calls noted
_PATH = "/latest/meta-data/cam/security-credentials/"


class MetadataServer(HttpServer):
    """The metadata address, by plain HTTP, as in a machine; its path alone is emulated."""

    def __init__(self, address: tuple[str, int], service: Service, keys: Keys) -> None:
        self.service = service
        self.keys = keys
        super().__init__(address, MetadataConnection)


class MetadataConnection(Connection):
    """One client of the metadata address."""

    server: MetadataServer

    def do_GET(self) -> None:  # noqa: N802 - the base class finds methods by this name
        """Answer with the role's name, or with a new key for it."""
        fault = self._fault()
        status, content = self._answer(fault)
        self._note(status, fault)
        if fault is not None and fault.kind not in ERRORS:
            replies.spoil(self, content, fault)
        else:
            # Plain text also for the key: the service sends no JSON type here.
            self.wfile.write(self.head(status, len(content), "text/plain") + content)

    def _fault(self) -> Fault | None:
        faults = self.server.service.faults
        return faults.take(ACTION, acted=False) or faults.take(ACTION, acted=True)

    def _answer(self, fault: Fault | None) -> tuple[HTTPStatus, bytes]:
        cloud = self.server.service.cloud
        role = cloud.settings.role_name
        if fault is not None and fault.kind in ERRORS:
            return HTTPStatus.OK, json.dumps({"Code": fault.code}).encode()
        if role and self.path == _PATH:
            return HTTPStatus.OK, role.encode()
        if role and self.path == _PATH + role:
            return HTTPStatus.OK, _document(cloud, self.server.keys)
        return HTTPStatus.NOT_FOUND, b"404 page not found"

    def _note(self, status: HTTPStatus, fault: Fault | None) -> None:
        self.server.service.calls.note(
            Call(
                time=time.time(),
                seconds=0.0,
                action=ACTION,
                params={"path": self.path},
                code=None if status is HTTPStatus.OK else str(status.value),
                request_id=str(uuid.uuid4()),
                acted=status is HTTPStatus.OK,
                fault=None if fault is None else fault.name,
            )
        )


def _document(cloud: Cloud, keys: Keys) -> bytes:
    session = keys.issue(sts.expiry(cloud, sts.USUAL_SECONDS))
    document = {
        "TmpSecretId": session.secret_id,
        "TmpSecretKey": session.key.secret,
        "Token": session.key.token,
        "Code": "Success",
        **sts.expiration(session),
    }
    return json.dumps(document).encode()
