"""Log lines as JSON: keys that a machine can rely on."""

import json
import logging

import pytest

from disksnapshot import logs


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    caplog.handler.setFormatter(logs.JsonFormatter())
    caplog.set_level(logging.INFO)
    return logging.getLogger("disksnapshot.test")


def last(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    return dict(json.loads(caplog.handler.format(caplog.records[-1])))


def test_a_line_says_when_how_bad_who_and_what(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logger.warning("it took %d s\nand more", 5)
    line = last(caplog)
    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "WARNING", "logger": "disksnapshot.test", "msg": "it took 5 s\nand more",
    }  # fmt: skip


def test_a_line_names_the_object_that_it_is_about_and_no_other(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(logs.JsonFormatter())
    with logs.about(namespace="shop", name="orders"):
        logger.info("ready")
        line = last(caplog)
    assert (line["namespace"], line["name"]) == ("shop", "orders")
    logger.info("stopping")
    assert "name" not in last(caplog)


def test_the_clouds_request_id_is_a_key_of_its_own(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logger.info("DeleteSnapshots: ResourceBusy: busy (request 1bd35eca-0000-4000-8000-aaaa)")
    assert last(caplog)["requestId"] == "1bd35eca-0000-4000-8000-aaaa"
    logger.info("no answer (request unknown)")
    assert "requestId" not in last(caplog)


def test_an_exception_stays_on_one_line(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        int("broken")
    except ValueError:
        logger.exception("unexpected")
    written = caplog.handler.format(caplog.records[-1])
    assert "\n" not in written
    assert "ValueError: invalid literal" in json.loads(written)["exception"]
