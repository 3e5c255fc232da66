"""A small API server: it answers with the objects that a test has written down, as raw JSON.

The real one drops fields that only TKE's fork knows, such as qcloudCbs.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from kubernetes import client

from disksnapshot.kube.api import Api

NAMESPACE = "shop"
ZONE = "topology.com.tencent.cloud.csi.cbs/zone"


@contextmanager
def serving(objects: Mapping[str, Any], port: int = 0) -> Iterator[Api]:
    """Serve each object under its path, at any port unless one is given."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            found = objects.get(path)
            content = json.dumps(found or {"message": f"{path} not found"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        configuration = client.Configuration()
        configuration.host = f"http://127.0.0.1:{server.server_port}"
        try:
            yield Api(configuration)
        finally:
            server.shutdown()
            thread.join()


def csi(handle: str) -> dict[str, Any]:
    return {"csi": {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": handle}}


def bound(name: str, source: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a claim and its volume, by path."""
    uid, volume = f"uid-{name}", f"pv-{name}"
    claim = {
        "metadata": {"name": name, "uid": uid},
        "spec": {"volumeName": volume},
        "status": {"phase": "Bound"},
    }
    spec = {"claimRef": {"uid": uid}, **source}
    return {
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{name}": claim,
        f"/api/v1/persistentvolumes/{volume}": {
            "metadata": {"name": volume, **metadata},
            "spec": spec,
        },
    }


def pod(*claims: str, name: str = "db", phase: str = "Running", node: str = "n1") -> Any:
    """Return a pod that names claims."""
    ready = [{"type": "Ready", "status": "True"}] if phase == "Running" else []
    return {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {
            "nodeName": node,
            "volumes": [{"persistentVolumeClaim": {"claimName": claim}} for claim in claims],
        },
        "status": {"phase": phase, "podIP": "10.0.0.1", "conditions": ready},
    }


def pods(*items: Any, namespace: str = NAMESPACE) -> dict[str, Any]:
    return {f"/api/v1/namespaces/{namespace}/pods": {"items": list(items)}}
