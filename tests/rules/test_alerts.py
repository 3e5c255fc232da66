"""The alerts and the page on metrics name what the operator exports, and nothing else."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
import yaml
from prometheus_client import generate_latest

from disksnapshot import VERSION
from disksnapshot.metrics import Metrics

REPOSITORY: Final = Path(__file__).resolve().parents[2]
CHART: Final = REPOSITORY / "charts" / "disksnapshot-operator"
ALERTS: Final = (CHART / "templates" / "alerts.yaml").read_text(encoding="utf-8")
PAGE: Final = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
MAIN: Final = (REPOSITORY / "operator" / "disksnapshot" / "__main__.py").read_text("utf-8")
ASKED: Final = re.compile(r"\bdisksnapshot_\w+")


def exported() -> set[str]:
    """Return the names of what can be scraped; of a histogram, without its parts."""
    lines = generate_latest(Metrics().registry).decode().splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE disksnapshot_")}
    return names | {f"disksnapshot_{name}" for name in re.findall(r'show\("(\w+)"', MAIN)}


def expressions() -> list[str]:
    return [line.partition("expr:")[2] for line in ALERTS.splitlines() if " expr:" in line]


@pytest.mark.parametrize("expression", expressions())
def test_an_alert_asks_for_metrics_that_the_operator_exports(expression: str) -> None:
    asked = set(ASKED.findall(expression))
    assert asked
    assert asked <= exported()


def test_every_metric_is_on_the_page_and_no_other() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    alerts = set(re.findall(r"- alert: (\w+)", ALERTS))
    assert {f"disksnapshot_{name}" for name in told - alerts} == exported_without_made()
    assert told & alerts == alerts


def exported_without_made() -> set[str]:
    """Leave out the times of creation, which the library adds to each counter."""
    return {name for name in exported() if not name.endswith("_created")}


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert {project["project"]["version"], chart["version"], chart["appVersion"]} == {VERSION}


def test_the_page_of_metrics_tells_the_version() -> None:
    line = f'disksnapshot_build_info{{version="{VERSION}"}} 1.0'
    assert line in generate_latest(Metrics().registry).decode().splitlines()
