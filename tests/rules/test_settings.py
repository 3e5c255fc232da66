"""The settings: what must be there, what is refused, and what is taken when nothing is said."""

from pathlib import Path

import pytest

from disksnapshot import settings

LEAST = {"DISKSNAPSHOT_REGION": "ap-guangzhou"}


def test_the_region_is_all_that_must_be_set() -> None:
    read = settings.read(LEAST)
    assert read.host_and_port == ("cbs.internal.tencentcloudapi.com", 443)
    assert (read.ca_bundle, read.freezer_enabled, read.probe_port) == (None, False, 8080)


def test_a_signature_is_valid_for_as_long_as_the_cloud_takes_it_unless_less_is_asked() -> None:
    assert settings.read(LEAST).signature_seconds == 300
    assert settings.read({**LEAST, "DISKSNAPSHOT_SIGNATURE_SECONDS": "60"}).signature_seconds == 60


def test_an_endpoint_may_name_its_port() -> None:
    read = settings.read({**LEAST, "DISKSNAPSHOT_ENDPOINT": "10.231.0.1:9443"})
    assert read.host_and_port == ("10.231.0.1", 9443)


def test_an_empty_value_counts_as_not_set() -> None:
    read = settings.read({**LEAST, "DISKSNAPSHOT_CA_BUNDLE": "", "DISKSNAPSHOT_ENDPOINT": ""})
    assert (read.ca_bundle, read.host_and_port[1]) == (None, 443)


POD = {
    "TKE_REGION": "ap-guangzhou",
    "TKE_PROVIDER_ID": "oidc-provider",
    "TKE_ROLE_ARN": "qcs::cam::uin/1:roleName/x",
    "TKE_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
}


def keys(mode: str, **more: str) -> settings.Keys:
    return settings.read({**LEAST, "DISKSNAPSHOT_CREDENTIALS_MODE": mode, **more}).keys


def test_the_keys_come_from_one_place_a_secret_unless_another_is_named() -> None:
    folder = Path("/etc/disksnapshot/credentials")
    assert settings.read({**LEAST, **POD}).keys == settings.KeysFromFiles(folder)
    assert keys("Secret", **POD) == settings.KeysFromFiles(folder)
    assert isinstance(keys("PodIdentity", **POD), settings.KeysFromPodIdentity)
    address = "http://metadata.tencentyun.com/latest/meta-data/"
    assert keys("CVMRole", **POD) == settings.KeysFromRole(address, "")


@pytest.mark.parametrize("name", POD)
def test_what_the_webhook_did_not_set_is_named(name: str) -> None:
    with pytest.raises(settings.SettingsError, match=f"^{name} not set: TKE's pod-identity"):
        keys("PodIdentity", **(POD | {name: ""}))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DISKSNAPSHOT_CREDENTIALS_MODE": "Guess"}, "Secret, PodIdentity or CVMRole"),
        (
            {
                **POD,
                "DISKSNAPSHOT_CREDENTIALS_MODE": "PodIdentity",
                "DISKSNAPSHOT_STS_ENDPOINT": "https://sts.test",
            },
            "STS_ENDPOINT must be host",
        ),
        ({"DISKSNAPSHOT_REGION": ""}, "DISKSNAPSHOT_REGION"),
        ({"DISKSNAPSHOT_ENDPOINT": "https://cbs.example.test"}, "DISKSNAPSHOT_ENDPOINT"),
        ({"DISKSNAPSHOT_ENDPOINT": "cbs.example.test:https"}, "ENDPOINT's port"),
        ({"DISKSNAPSHOT_PROBE_PORT": "many"}, "PROBE_PORT"),
        ({"DISKSNAPSHOT_SIGNATURE_SECONDS": "301"}, "SIGNATURE_SECONDS must be 60 to 300"),
        ({"DISKSNAPSHOT_SIGNATURE_SECONDS": "59"}, "SIGNATURE_SECONDS must be 60 to 300"),
        ({"DISKSNAPSHOT_LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingsError, match=named):
        settings.read({**LEAST, **changed})
