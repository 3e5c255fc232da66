"""The CAM role of the machine: its temporary keys, from the metadata address."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from disksnapshot.cbs import intime, sdk
from disksnapshot.cbs.temporary import TemporaryKeys
from disksnapshot.errors import CloudUnavailable

if TYPE_CHECKING:
    from disksnapshot.cbs.clock import CloudClock

CONNECT_SECONDS, READ_SECONDS = 3, 5
FOLDER = "cam/security-credentials/"


class MachineRole:
    """What the SDK's CVMRoleCredential asks, but with a time-out, and with an answer in words.

    That class waits without a limit under a lock, and swallows errors: it signs with None.
    """

    def __init__(self, address: str, role: str, clock: CloudClock) -> None:
        self._hear = sdk.hearing(clock)
        self._folder = f"{address.rstrip('/')}/{FOLDER}"
        self._role = role

    def fetch(self) -> TemporaryKeys:
        """Return the keys that the machine has now; it renews them by itself."""
        role = self._role or self._ask("").strip()
        if not role or "\n" in role:
            raise CloudUnavailable(
                "the machine's metadata names no single CAM role: bind one to the node, or name "
                "it in the settings"
            )
        answer = json.loads(self._ask(quote(role, safe="")))
        if answer.get("Code") != "Success":
            code = str(answer.get("Code"))[:100]
            raise CloudUnavailable(f"the machine's metadata gives no keys for role {role}: {code}")
        return TemporaryKeys.of(answer, answer["ExpiredTime"])

    def _ask(self, path: str) -> str:
        url = self._folder + path
        with requests.Session() as session:
            session.trust_env = False  # a proxy is another machine, with another role
            intime.limit(session)
            session.hooks["response"].append(self._hear)
            try:
                response = session.get(
                    url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
                )
            except (OSError, HTTPError) as error:
                message = f"the metadata address {url} doesn't answer ({type(error).__name__})"
                raise CloudUnavailable(message) from None
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise CloudUnavailable(
                f"the machine has no CAM role{f' {self._role}' if self._role else ''} "
                f"({url} was not found): bind one to the node"
            )
        if response.status_code != HTTPStatus.OK:
            raise CloudUnavailable(f"the metadata address {url} said HTTP {response.status_code}")
        return response.text
