"""The API server: JSON in, JSON out, each call limited in time, errors sorted by remedy."""

from __future__ import annotations

import copy
import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from disksnapshot.errors import Conflict, Forbidden, Gone, Unavailable
from disksnapshot.kube.exec import ApiAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_SECONDS, READ_SECONDS = 3, 7
TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Invalid(Exception):  # noqa: N818 - it names what the API server said
    """The API server refused the content, or a test of a JSON Patch failed."""


_ERRORS: Mapping[int, type[Exception]] = {
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: Gone,
    HTTPStatus.GONE: Gone,  # a version that is no longer remembered
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
}


class Api:
    """A thin client for raw objects; typed models would drop fields that they don't know."""

    def __init__(
        self,
        configuration: client.Configuration,
        limit: float | tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self._configuration = configuration = copy.copy(configuration)
        # Else urllib3 sends again by itself, 3 times: a read that met its limit, any call that met
        # an error of TLS, also a write that was done; and it sleeps as long as Retry-After says.
        configuration.retries = False
        self._client = client.ApiClient(configuration)
        self._limit = limit

    def limited(self, seconds: float) -> Api:
        """Return the same API over connections of its own, each call over after so long."""
        return Api(self._configuration, seconds)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read one object or list."""
        return self._call("GET", path, query=query)

    def history(self, path: str, since: str) -> list[dict[str, Any]]:
        """Return what happened to the objects of a list since a version, as the events of a watch.

        What is remembered comes at once; a second ends the watch that would go on.
        """
        query = {"watch": "1", "resourceVersion": since, "timeoutSeconds": "1"}
        lines = self._send("GET", path, query=query).splitlines()
        return [_object("GET", path, line) for line in lines]

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create one object."""
        return self._call("POST", path, body=body)

    def patch(self, path: str, body: object, content_type: str) -> dict[str, Any]:
        """Patch one object, and return it as it is now."""
        return self._call("PATCH", path, body=body, content_type=content_type)

    def _call(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        return _object(method, path, self._send(method, path, **sent))

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> bytes:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            request = self._client.param_serialize(
                method, path, query_params=list((query or {}).items()), header_params=headers,
                body=body, auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._client.call_api(*request, _request_timeout=self._limit)
            content: bytes = response.read()  # type: ignore[no-untyped-call]  # half typed
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            # The library makes an ApiException of an error of TLS alone.
            raise Unavailable(f"{method} {path}: {error}") from error
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            after = response.getheader("Retry-After")  # type: ignore[no-untyped-call]  # the same
            raise _translate(response.status, method, path, content, after)
        return content


def _object(method: str, path: str, content: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as error:
        # A proxy's page, say. A write may have been done all the same.
        raise Unavailable(f"{method} {path}: an answer that is no object") from error


def _translate(
    status: int, method: str, path: str, content: bytes, after: str | None
) -> Exception:
    try:
        message = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {status}"
    message = f"{method} {path}: {message}"
    kind = _ERRORS.get(status)
    # Kubernetes writes Retry-After in seconds; a proxy's date is as good as nothing.
    seconds = float(after) if after and after.isdecimal() else 0.0
    return kind(message) if kind else Unavailable(message, after=seconds)


def token_of(file: Path) -> Callable[[client.Configuration], None]:
    """Return the hook by which the client library asks for the token of each call.

    Its own reads the file by the machine's clock: not for hours, once that is set back.
    """

    def read(configuration: client.Configuration) -> None:
        configuration.api_key["BearerToken"] = f"Bearer {file.read_text('ascii').strip()}"

    return read


def connect() -> tuple[Api, ApiAccess]:
    """Return the API of the cluster that this process runs in, or else of the kubeconfig."""
    configuration = client.Configuration()
    token_file: str | None = TOKEN_FILE
    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # the same
        hook: Any = token_of(Path(TOKEN_FILE))  # the library types the place for it as None
        configuration.refresh_api_key_hook = hook
    except config.ConfigException:
        config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # the same
        token_file = None
    files = None
    if configuration.cert_file and configuration.key_file:
        files = (configuration.cert_file, configuration.key_file)
    access = ApiAccess(configuration.host, configuration.ssl_ca_cert, token_file, files)
    return Api(configuration), access
