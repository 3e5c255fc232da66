"""Ask a component whether it is well, over HTTPS with the lab's CA and past any proxy."""

import http.client
import ssl
from pathlib import Path
from urllib.parse import urlsplit


def answers(url: str, *, ca_file: Path | None = None) -> bool:
    """Say whether a GET gives 200; no connection is a plain no."""
    parts = urlsplit(url)
    connection = _connection(parts.netloc, ca_file)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(address: str, ca_file: Path | None) -> http.client.HTTPConnection:
    if ca_file is None:
        return http.client.HTTPConnection(address, timeout=2)
    context = ssl.create_default_context(cafile=str(ca_file))
    return http.client.HTTPSConnection(address, timeout=2, context=context)
