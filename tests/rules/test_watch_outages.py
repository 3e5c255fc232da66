"""The watch in an outage of the API server: it never ends by itself, and sees what it missed."""

import gc
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from disksnapshot.sight import Key
from disksnapshot.watch import Watch, _settings
from rules.troubled import Fate, Troubled, break_off, garble, hang_up, say

LIST = "/apis/disksnapshot.io/v1alpha1/disksnapshots"
PATIENCE = 15
# kopf leaves sockets to the collector, which is called while this holds.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

VERBS = ["get", "list", "watch", "patch"]
NAMESPACES = {"name": "namespaces", "singularName": "namespace", "kind": "Namespace"}
OURS = {"name": "disksnapshots", "singularName": "disksnapshot", "kind": "DiskSnapshot"}
KINDS = {
    "/api/v1": NAMESPACES | {"namespaced": False, "verbs": VERBS},
    "/apis/disksnapshot.io/v1alpha1": OURS | {"namespaced": True, "verbs": VERBS},
}
EXPIRED = {
    "type": "ERROR",
    "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"},
}


class Cluster:
    """An API server with DiskSnapshots, each told to whoever lists or watches."""

    def __init__(self, folder: Path) -> None:
        self.server = Troubled(folder, self._answer)
        self.watches: list[Fate] = []  # what the next watches meet
        self.lists: list[Fate] = []
        self.objects: list[dict[str, Any]] = []
        self._change = threading.Condition()
        self._config = folder / "kubeconfig"

    def make(self, name: str) -> Key:
        with self._change:
            version = str(len(self.objects) + 1)
            metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version}
            self.objects.append({"kind": "DiskSnapshot", "metadata": metadata})
            self._change.notify_all()
        return Key("shop", name)

    def config(self) -> Path:
        """Write how it is reached."""
        cluster = {"server": self.server.url, "certificate-authority": self.server.ca_file}
        context = {"cluster": "it", "user": "operator"}
        content = {
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "operator", "user": {"token": "a-token"}}],
            "contexts": [{"name": "it", "context": context}],
        }
        self._config.write_text(json.dumps(content))
        return self._config

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path != LIST:
            say(200, _discovered(path))(request)
        elif "watch" in query:
            self._next_fate()(request)
        elif self.lists:
            self.lists.pop(0)(request)
        else:
            with self._change:
                items, version = list(self.objects), str(len(self.objects))
            say(200, {"metadata": {"resourceVersion": version}, "items": items})(request)

    def has_troubled(self) -> bool:
        """Wait until watches have met all that they were to meet."""
        with self._change:
            return self._change.wait_for(lambda: not self.watches, PATIENCE)

    def _next_fate(self) -> Fate:
        with self._change:
            self._change.notify_all()
            return self.watches.pop(0) if self.watches else self._stream

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        """Tell of each object since the version that is asked for, until the end."""
        [since] = parse_qs(urlsplit(request.path).query)["resourceVersion"]
        told = int(since)
        begin_stream(request)
        while not self.server.over.is_set():
            for item in self._fresh(told):
                tell(request, {"type": "ADDED", "object": item})
                told += 1

    def _fresh(self, told: int) -> list[dict[str, Any]]:
        with self._change:
            self._change.wait_for(lambda: len(self.objects) > told, 0.1)
            return self.objects[told:]


def begin_stream(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    request.close_connection = True


def tell(request: BaseHTTPRequestHandler, event: dict[str, Any]) -> None:
    request.wfile.write(json.dumps(event).encode() + b"\n")


def expire(request: BaseHTTPRequestHandler) -> None:
    begin_stream(request)
    tell(request, EXPIRED)


def _discovered(path: str) -> dict[str, Any]:
    if path == "/apis":
        version = {"groupVersion": "disksnapshot.io/v1alpha1", "version": "v1alpha1"}
        group = {"name": "disksnapshot.io", "versions": [version], "preferredVersion": version}
        return {"groups": [group]}
    return {"resources": [KINDS[path]]} if path in KINDS else {"versions": ["v1"]}


class Seen:
    """What the watch has said to look at."""

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self.last: list[Mapping[str, Any]] = []  # how objects were that are gone
        self._change = threading.Condition()

    def __call__(self, key: Key) -> None:
        with self._change:
            self._keys.append(key)
            self._change.notify_all()

    def went(self, body: Mapping[str, Any]) -> None:
        self.last.append(body)

    def has(self, key: Key, times: int = 1) -> bool:
        with self._change:
            return self._change.wait_for(lambda: self._keys.count(key) >= times, PATIENCE)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    one = Cluster(tmp_path)
    # The library reads the variable when it is imported.
    where = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(where, str(one.config()))
    with one.server.serving():
        yield one


Watching = Callable[..., Seen]


@pytest.fixture
def watching() -> Iterator[Watching]:
    begun: list[Watch] = []

    def begin(silent_seconds: float = 70) -> Seen:
        seen = Seen()
        begun.append(Watch(seen, seen.went, silent_seconds))
        begun[-1].start()
        return seen

    yield begin
    for watch in begun:
        watch.stop()
        watch.join(PATIENCE)
        assert not watch.is_alive()
    gc.collect()


TROUBLES: dict[str, Fate] = {
    "it hangs up": hang_up,
    "it breaks off": break_off,
    "what comes is no TLS": garble,
    "it is overloaded": say(429, Retry_After="1"),
    "it is not there": say(503),
    "it doesn't know yet who asks": say(401),
    "it doesn't know yet who may do what": say(403),
    "a proxy answers in its place": say(200, b"<html>", Content_Type="text/html"),
    "the version is too old": expire,
    "it ends at once": begin_stream,
}


OF_A_WATCH = {"the version is too old", "it ends at once"}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_watch_in_trouble_goes_on_and_shows_what_was_made_meanwhile(
    cluster: Cluster, watching: Watching, trouble: str
) -> None:
    first = cluster.make("first")
    cluster.watches = [TROUBLES[trouble], TROUBLES[trouble]]
    seen = watching()
    assert seen.has(first)
    assert cluster.has_troubled()
    assert seen.has(cluster.make("second"))


@pytest.mark.parametrize("trouble", sorted(TROUBLES.keys() - OF_A_WATCH))
def test_a_list_in_trouble_is_asked_for_again(
    cluster: Cluster, watching: Watching, trouble: str
) -> None:
    cluster.lists = [TROUBLES[trouble]]
    assert watching().has(cluster.make("first"))
    assert cluster.lists == []


def test_a_watch_that_falls_silent_is_given_up_and_another_shows_what_was_missed(
    cluster: Cluster, watching: Watching
) -> None:
    first = cluster.make("first")
    cluster.watches = [begin_and_be_silent(cluster), cluster.server.fall_silent]
    seen = watching(silent_seconds=1.0)
    assert seen.has(first)
    assert seen.has(cluster.make("second"))


def test_a_watch_that_tells_twice_and_of_the_past_only_has_the_object_looked_at_again(
    cluster: Cluster, watching: Watching
) -> None:
    first = cluster.make("first")
    second = cluster.make("second")
    cluster.watches = [tell_again(cluster)]
    seen = watching()
    assert cluster.has_troubled()
    assert seen.has(second)
    assert seen.has(first, times=3)
    assert seen.has(cluster.make("third")), "and the watch goes on"


def tell_again(cluster: Cluster) -> Fate:
    """Tell of the newer object, then of the older one, twice, and end."""

    def befall(request: BaseHTTPRequestHandler) -> None:
        begin_stream(request)
        older, newer = cluster.objects
        for told in (newer, older, older):
            tell(request, {"type": "MODIFIED", "object": told})

    return befall


def begin_and_be_silent(cluster: Cluster) -> Fate:
    def befall(request: BaseHTTPRequestHandler) -> None:
        begin_stream(request)
        request.wfile.flush()
        cluster.server.over.wait()

    return befall


def test_an_object_that_goes_is_shown_as_it_was_just_before(
    cluster: Cluster, watching: Watching
) -> None:
    key, spec = Key("shop", "gone"), {"deletionPolicy": "Retain"}
    metadata = {"name": "gone", "namespace": "shop", "uid": "gone", "resourceVersion": "1"}

    def go(request: BaseHTTPRequestHandler) -> None:
        begin_stream(request)
        gone = {"kind": "DiskSnapshot", "metadata": metadata, "spec": spec}
        tell(request, {"type": "DELETED", "object": gone})

    cluster.watches = [go]
    seen = watching()
    assert seen.has(key)
    assert [body["spec"] for body in seen.last] == [spec]


def test_an_outage_is_never_too_long_and_its_end_is_noticed_soon() -> None:
    backoffs: Any = _settings(70).networking.error_backoffs
    pauses = list(itertools.islice(backoffs, 1000))
    assert len(pauses) == 1000
    assert max(pauses) <= 5


def test_a_kind_that_is_gone_ends_the_watch(cluster: Cluster) -> None:
    cluster.watches = [say(404)]
    seen = Seen()
    watch = Watch(seen, seen.went)
    watch.start()
    watch.join(PATIENCE)
    assert not watch.is_alive()
    gc.collect()
