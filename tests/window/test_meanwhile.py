"""What `make demo` shows while Kubernetes compiles: two cuts of a local database, judged."""

import re
from io import StringIO

import pytest
from rich.console import Console

from lab.demo import meanwhile


@pytest.fixture(scope="module")
def shown() -> str:
    screen = StringIO()
    meanwhile.play(Console(file=screen, width=120))
    return screen.getvalue()


def about(shown: str, title: str) -> str:
    """Return what is said of one copy, up to its verdict."""
    _, _, after = shown.partition(title)
    said, verdict, rest = after.partition("Verdict: ")
    return said + verdict + rest.splitlines()[0]


def test_it_says_that_there_is_no_kubernetes_yet_and_quotes_no_timing(shown: str) -> None:
    assert "No Kubernetes yet, so no timings" in shown
    assert not re.search(r"\d ms\b", shown)


def test_the_held_copy_is_clean(shown: str) -> None:
    assert about(shown, "The copy, held at the cut").endswith("Verdict: clean")


def test_the_copy_with_nothing_held_is_not_and_says_what_it_lacks(shown: str) -> None:
    said = about(shown, "The copy, nothing held")
    assert "Verdict: not clean" in said
    assert "journal needs replay" in said


def test_the_held_copy_comes_first_and_then_kubernetes_is_back(shown: str) -> None:
    order = [
        "Meanwhile, without Kubernetes",
        "held at the cut",
        "nothing held",
        "Back to Kubernetes",
    ]
    places = [shown.index(words) for words in order]
    assert places == sorted(places)
