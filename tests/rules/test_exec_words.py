"""A program's words reach the API server each as a word: nothing in one begins another."""

import socket
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import pytest

from disksnapshot.kube.exec import ApiAccess, ExecError, PodProgram

WORDS = ["printf", "a b", "$(id); `id`", "&command=sh", "?x#y", "%26command=sh", "ü\n", "--", ""]


def asked(words: list[str]) -> list[tuple[str, str]]:
    """Return the query with which a session is asked for; the server then hangs up."""
    lines: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up_after_the_first_line() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                lines.append(stream.readline())

        thread = threading.Thread(target=hang_up_after_the_first_line)
        thread.start()
        access = ApiAccess(f"http://127.0.0.1:{server.getsockname()[1]}", None)
        program = PodProgram(access, "shop", "mysql-0", "mysql")
        with pytest.raises(ExecError):
            program.open(words, time.monotonic() + 5)
        thread.join()
    target = urlsplit(lines[0].split(b" ")[1].decode("ascii"))
    assert target.path == "/api/v1/namespaces/shop/pods/mysql-0/exec"
    return parse_qsl(target.query, keep_blank_values=True)


def test_each_word_arrives_as_it_is_and_none_becomes_two() -> None:
    assert [value for key, value in asked(WORDS) if key == "command"] == WORDS


def test_no_word_changes_the_container_or_asks_for_a_terminal() -> None:
    query = asked(["x", "&container=other", "&tty=true"])
    assert [value for key, value in query if key in {"container", "tty"}] == ["mysql", "false"]
