"""The settings: what must be there, what is refused, and what is taken when nothing is said."""

import pytest

from disksnapshot import settings

LEAST = {"DISKSNAPSHOT_REGION": "ap-guangzhou"}


def test_the_region_is_all_that_must_be_set() -> None:
    read = settings.read(LEAST)
    assert read.host_and_port == ("cbs.internal.tencentcloudapi.com", 443)
    assert (read.ca_bundle, read.freezer_enabled, read.probe_port) == (None, False, 8080)


def test_an_endpoint_may_name_its_port() -> None:
    read = settings.read({**LEAST, "DISKSNAPSHOT_ENDPOINT": "10.231.0.1:9443"})
    assert read.host_and_port == ("10.231.0.1", 9443)


def test_an_empty_value_counts_as_not_set() -> None:
    read = settings.read({**LEAST, "DISKSNAPSHOT_CA_BUNDLE": "", "DISKSNAPSHOT_ENDPOINT": ""})
    assert (read.ca_bundle, read.host_and_port[1]) == (None, 443)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DISKSNAPSHOT_REGION": ""}, "DISKSNAPSHOT_REGION"),
        ({"DISKSNAPSHOT_ENDPOINT": "https://cbs.example.test"}, "DISKSNAPSHOT_ENDPOINT"),
        ({"DISKSNAPSHOT_ENDPOINT": "cbs.example.test:https"}, "ENDPOINT's port"),
        ({"DISKSNAPSHOT_PROBE_PORT": "many"}, "PROBE_PORT"),
        ({"DISKSNAPSHOT_LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingsError, match=named):
        settings.read({**LEAST, **changed})
