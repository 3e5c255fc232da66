"""The API server in trouble: a call is made once, ends in time, and its error says the remedy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from disksnapshot.errors import Conflict, Unavailable
from disksnapshot.kube.api import MERGE, Api, token_of
from disksnapshot.kube.lease import LOOK_SECONDS, Lease
from rules.troubled import Fate, Troubled, break_off, garble, hang_up, say

PATH = "/apis/disksnapshot.io/v1alpha1/namespaces/shop/disksnapshots/orders"
LIMIT = 0.5

TROUBLES: dict[str, Fate] = {
    "it hangs up": hang_up,
    "it breaks off": break_off,
    "what comes is no TLS": garble,
    "it is overloaded": say(429, Retry_After="30"),
    "it is not there": say(503, Retry_After="30"),
    "it is not there, in a proxy's words": say(502, b"<html>"),
    "it doesn't know who asks": say(401),
    "a proxy answers in its place": say(200, b"<html>", Content_Type="text/html"),
    "a proxy sends us elsewhere": say(302, Location="/elsewhere"),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Troubled]:
    with Troubled(tmp_path, say(200, {"metadata": {"resourceVersion": "2"}})).serving() as one:
        yield one


def api(server: Troubled) -> Api:
    configuration = client.Configuration(host=server.url)
    configuration.ssl_ca_cert = server.ca_file
    return Api(configuration, LIMIT)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_read_in_trouble_is_made_once_and_is_to_be_tried_later(
    server: Troubled, trouble: str
) -> None:
    server.fates = [TROUBLES[trouble]]
    with pytest.raises(Unavailable):
        api(server).get(PATH)
    assert server.asked == [f"GET {PATH}"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_write_in_trouble_is_never_sent_twice(server: Troubled, trouble: str) -> None:
    server.fates = [TROUBLES[trouble]]
    with pytest.raises(Unavailable):
        api(server).patch(PATH, {"metadata": {}}, MERGE)
    assert server.asked == [f"PATCH {PATH}"]


def test_a_server_that_says_nothing_costs_one_limit_and_no_more(server: Troubled) -> None:
    server.fates = [server.fall_silent] * 4
    with pytest.raises(Unavailable):
        api(server).get(PATH)
    assert len(server.asked) == 1


def test_a_storm_of_conflicts_is_told_as_such_each_time(server: Troubled) -> None:
    server.fates = [say(409, {"message": "the object has been modified"})] * 5
    for _ in range(5):
        with pytest.raises(Conflict):
            api(server).patch(PATH, {"metadata": {}}, MERGE)
    assert api(server).patch(PATH, {"metadata": {}}, MERGE)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_trouble_ends_the_thread_that_keeps_the_lease(server: Troubled, trouble: str) -> None:
    server.fates = [TROUBLES[trouble]]
    assert Lease(api(server), "system", "a").keep() == LOOK_SECONDS


def test_a_token_that_the_kubelet_has_renewed_is_used_at_once_whatever_the_clock_says(
    server: Troubled, tmp_path: Path
) -> None:
    token, configuration = tmp_path / "token", client.Configuration(host=server.url)
    configuration.ssl_ca_cert = server.ca_file
    configuration.api_key["BearerToken"] = "of the start"
    configuration.refresh_api_key_hook = token_of(token)  # type: ignore[assignment]  # the library types it None
    api = Api(configuration, LIMIT)
    for content in ("first", "second"):
        token.write_text(f"{content}\n")
        api.get(PATH)
        api.limited(LIMIT).get(PATH)
    assert server.askers == ["Bearer first"] * 2 + ["Bearer second"] * 2
    token.unlink()
    with pytest.raises(Unavailable):
        api.get(PATH)
