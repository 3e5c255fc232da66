"""A refusal that broke a promise is named, and the page shows what kubectl showed."""

from dataclasses import replace

import pytest

from lab.refusals.case import GONE
from lab.refusals.catalogue import CASES
from lab.refusals.denials import DENIALS
from lab.refusals.page import page
from lab.refusals.rows import Row

HEADINGS = "NAME    READY   STATUS          CONSISTENCY   HOLD-MS   SNAPSHOT   PROGRESS   AGE"
LINE = "no-pod  False   PodNotFound                                                       2s"
SHORT = HEADINGS.replace("NAME    ", "NAME   ") + "\n" + LINE.replace("no-pod  ", "x      ")
KEPT = Row(
    key="no-pod",
    what="no pod mounts it",
    wanted="PodNotFound",
    word="PodNotFound",
    message="no running pod mounts data | or files",
    says="no running pod",
    printed=f"{HEADINGS}\n{LINE}",
    versions="Kubernetes v1",
    taken="2026-03-01T12:00:00+00:00",
)


def test_a_refusal_that_kept_every_promise_is_not_called_broken() -> None:
    assert KEPT.broken == []


@pytest.mark.parametrize(
    ("difference", "named"),
    [
        ({"word": "HoldLost"}, "it says HoldLost instead of PodNotFound"),
        ({"word": ""}, "it says nothing instead of PodNotFound"),
        ({"message": "something went wrong"}, "doesn't name 'no running pod'"),
        ({"cuts": 1}, "1 snapshots were asked for"),
        ({"left": 1}, "1 snapshots are in the cloud instead of 0"),
        ({"held": "the database was locked"}, "at the end the database was locked"),
    ],
)
def test_a_promise_that_was_broken_is_named(difference: dict[str, object], named: str) -> None:
    broken = replace(KEPT, **difference)  # type: ignore[arg-type]  # fields of a row, by name
    assert len(broken.broken) == 1
    assert named in broken.broken[0]
    assert named in page({"Pods": [broken]}, {})


def test_the_lines_of_kubectl_stand_under_one_heading_with_their_empty_cells() -> None:
    other = replace(KEPT, key="x", printed=SHORT)
    written = page({"Pods": [KEPT, other]}, {"Rights": []})
    first, second, third = written.partition("```console\n")[2].split("\n")[:3]
    assert first.split() == HEADINGS.split()
    assert second.split() == ["no-pod", "False", "PodNotFound", "2s"]
    assert [
        line.index(word) for line, word in ((first, "AGE"), (second, "2s"), (third, "2s"))
    ] == [first.index("AGE")] * 3


def test_an_object_that_is_gone_has_no_line_and_says_so() -> None:
    gone = replace(KEPT, wanted=GONE, word=GONE, says="", message="", printed="NotFound")
    assert gone.broken == []
    assert "there is no object any more" in page({"Deadlines": [gone]}, {})


def test_a_bar_in_a_message_doesnt_end_a_cell_of_the_table() -> None:
    assert "data \\| or files |" in page({"Pods": [KEPT]}, {})


def test_a_message_of_many_lines_stays_in_its_cell() -> None:
    many = replace(KEPT, message="no running pod:\n* this\n* that")
    assert "| no running pod:<br>* this<br>* that |" in page({"Pods": [many]}, {})


def test_no_key_of_the_catalogue_stands_twice() -> None:
    keys = [*(case.key for case in CASES), *(denial.key for denial in DENIALS)]
    assert len(keys) == len(set(keys)) > 60
