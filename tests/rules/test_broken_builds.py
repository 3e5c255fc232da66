"""The bad builds that the budgets must catch: each still fits the code that it breaks."""

from pathlib import Path

import pytest

from lab.bench.builds import Build

BROKEN = Path(__file__).resolve().parents[1] / "broken"
NAMES = sorted(patch.stem for patch in BROKEN.glob("*.patch"))


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_build_differs_from_the_true_one_in_what_its_patch_says(
    tmp_path: Path, name: str
) -> None:
    made = Build.broken(name, tmp_path)
    true = Build.true()
    sources = [file.relative_to(made.tree) for file in made.tree.rglob("*.py")]
    differing = [
        s for s in sources if (made.tree / s).read_bytes() != (true.tree / s).read_bytes()
    ]
    assert len(differing) == 1
