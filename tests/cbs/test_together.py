"""Questions that are asked together: nobody waits who needn't, and each gets his own answer."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from disksnapshot.cbs.calls import CloudProblem
from disksnapshot.cbs.together import Together

PATIENCE = 20


class Cloud:
    """Answers each id by its capital letters; `busy` keeps a call from being made."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.waiting = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()
        self.fail: Exception | None = None

    def ask(self, ids: Callable[[], Sequence[str]]) -> Mapping[str, str]:
        self.waiting.release()
        assert self.free.wait(PATIENCE)
        self.asked.append(list(ids()))
        if self.fail:
            raise self.fail
        return {known: known.upper() for known in ids() if not known.startswith("x")}


class Askers:
    """Threads that ask while the first one's call may not be made yet."""

    def __init__(self, cloud: Cloud, most: int = 10) -> None:
        self.together: Together[str] = Together(most, cloud.ask)
        self._cloud = cloud

    def ask(self, *questions: list[str]) -> list[Future[dict[str, str]]]:
        self._cloud.free.clear()
        with ThreadPoolExecutor(len(questions)) as pool:
            asked = [pool.submit(self.together.about, questions[0])]
            assert self._cloud.waiting.acquire(timeout=PATIENCE)
            asked += [pool.submit(self.together.about, each) for each in questions[1:]]
            wanted = sum(map(len, questions))
            while sum(map(len, self._known())) < wanted:
                threading.Event().wait(0.001)
            self._cloud.free.set()
        return asked

    def _known(self) -> list[list[str]]:
        open_one = self.together._open  # noqa: SLF001 - who has joined shows nowhere else
        return [list(open_one.ids)] if open_one else []


def test_who_asks_alone_asks_at_once_and_for_himself() -> None:
    cloud = Cloud()
    together: Together[str] = Together(10, cloud.ask)
    for name in ("a", "b"):
        assert together.about([name]) == {name: name.upper()}
    assert cloud.asked == [["a"], ["b"]]


def test_who_asks_while_a_call_is_kept_waiting_is_on_it_and_gets_his_own_answer() -> None:
    cloud = Cloud()
    first, second, third = Askers(cloud).ask(["a"], ["b", "xb"], ["c"])
    assert (first.result(), second.result(), third.result()) == (
        {"a": "A"},
        {"b": "B"},
        {"c": "C"},
    )
    assert [sorted(asked) for asked in cloud.asked] == [["a", "b", "c", "xb"]]


def test_all_who_were_on_a_call_are_told_why_it_failed_and_the_next_is_a_new_one() -> None:
    cloud = Cloud()
    cloud.fail = CloudProblem("RequestLimitExceeded", "too much")
    askers = Askers(cloud)
    for told in askers.ask(["a"], ["b"]):
        with pytest.raises(CloudProblem):
            told.result()
    cloud.fail = None
    assert askers.together.about(["c"]) == {"c": "C"}


def test_what_does_not_fit_is_asked_by_itself() -> None:
    cloud = Cloud()
    together: Together[str] = Together(2, cloud.ask)
    cloud.free.clear()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(together.about, each) for each in (["a", "b"], ["c"])]
        for _ in asked:
            assert cloud.waiting.acquire(timeout=PATIENCE)
        cloud.free.set()
    assert sorted(map(sorted, cloud.asked)) == [["a", "b"], ["c"]]
    assert asked[1].result() == {"c": "C"}
