"""The first operator there was and this one work at once, without a Lease between them."""

import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.bench.builds import Build
from lab.bench.operating import operating
from lab.demo.shop import Shop

# As it was when the first chart was made: no release is older. It knows no Lease.
FIRST = Path(__file__).parents[1] / "first-chart" / "operator-0.1.0.tgz"
OBJECTS = 6


@pytest.fixture
def both(shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    with tarfile.open(FIRST) as archive:
        archive.extractall(tmp_path, filter="data")
    build = Build(name="the first operator", tree=tmp_path / "operator")
    with operating(build, shop.lab):
        yield shop


def test_an_old_and_a_new_operator_at_once_make_one_snapshot_an_object(both: Shop) -> None:
    bodies = [both.snapshot() for _ in range(OBJECTS)]
    for body in bodies:
        both.apply(body)
    ends = [both.ready(body, seconds=200) for body in bodies]
    made = Counter(end["metadata"]["name"] for end in ends for _ in both.in_the_cloud(end))
    assert made == {body["metadata"]["name"]: 1 for body in bodies}
    for end in ends:
        assert [one["id"] for one in both.in_the_cloud(end)] == [end["status"]["snapshotID"]]
