"""Carry HTTP in memory: from the Kubernetes client and from Tencent's SDK to what answers."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from kubernetes import client

from disksnapshot.kube.api import Api

if TYPE_CHECKING:
    from collections.abc import Mapping

    from campaign.apiserver import ApiServer
    from campaign.cloud import Cloud
    from campaign.points import Tap


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: object, status: int = 200, **headers: str) -> Reply:
        return cls(status=status, body=json.dumps(document).encode(), headers=headers)

    def read(self) -> bytes:
        """Return the body, as the Kubernetes client asks for it."""
        return self.body

    def getheader(self, name: str) -> str | None:
        """Return a header, as the Kubernetes client asks for it."""
        return self.headers.get(name)


class KubeWire:
    """In the place of the Kubernetes client's sockets."""

    def __init__(self, server: ApiServer, tap: Tap) -> None:
        self._server, self._tap = server, tap

    def request(self, method: str, url: str, *, headers: Mapping[str, str], **sent: Any) -> Reply:
        content = headers.get("Content-Type", "")
        where = urlsplit(url)
        # What really goes over the wire is text: nothing of it may be shared.
        body = json.loads(json.dumps(sent.get("body")))

        def act() -> Reply:
            return self._server.answer(method, where.path, where.query, body, content)

        answer: Reply = self._tap.effect(f"{method} {_short(where.path)}", act)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def api(server: ApiServer, tap: Tap) -> Api:
    """Return the operator's own client of the API server."""
    made = Api(client.Configuration(host="http://api"))
    instead: Any = KubeWire(server, tap)
    made._client.rest_client = instead  # noqa: SLF001 - the library has no place to hand one in
    return made


def _short(path: str) -> str:
    parts = path.strip("/").split("/")
    if parts[-1] == "scale":
        return "scale"
    if "disksnapshots" in parts:
        return "status" if parts[-1] == "status" else "object"
    return parts[-2] if parts[-2] in {"secrets", "persistentvolumes"} else _kind(parts)


def _kind(parts: list[str]) -> str:
    return parts[4] if "namespaces" in parts and len(parts) > 4 else parts[-1]


class CloudWire(requests.adapters.BaseAdapter):
    """In the place of the sockets of Tencent's SDK."""

    def __init__(self, cloud: Cloud, tap: Tap) -> None:
        super().__init__()
        self._cloud, self._tap = cloud, tap

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        text: Any = request.body or b""
        body = text if isinstance(text, bytes) else str(text).encode()

        def act() -> Reply:
            return self._cloud.answer(headers, body)

        answer: Reply = self._tap.effect(headers["x-tc-action"], act)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is open."""


def _response(request: requests.PreparedRequest, answer: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.request, response.url = request, str(request.url)
    response.headers.update({"Content-Type": "application/json", **answer.headers})
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(answer.body), dict(answer.headers), answer.status, preload_content=False
    )
    return response


def sent_by_window(payload: bytes) -> tuple[dict[str, str], bytes]:
    """Take apart a request that was signed early: its headers, in lower case, and its body."""
    head, _, body = payload.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.split(": ", 1) for line in lines)
    return {name.lower(): value for name, value in pairs}, body
