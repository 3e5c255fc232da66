"""From a claim to its disk: whose disk it is says the volume, never the claim."""

from typing import Any

import pytest

from disksnapshot.errors import Gone, Problem
from disksnapshot.kube import claims

CLAIM_UID, OTHER_UID = (
    "aaaaaaaa-0000-0000-0000-000000000001",
    "bbbbbbbb-0000-0000-0000-00000000002",
)
BOUND: dict[str, Any] = {"namespace": "shop", "name": "data", "uid": CLAIM_UID}


class Cluster:
    """One claim and one volume."""

    def __init__(self, bound_to: dict[str, Any] | None) -> None:
        self._bound_to = bound_to

    def get(self, path: str, **_: str) -> dict[str, Any]:
        if path == "/api/v1/namespaces/shop/persistentvolumeclaims/data":
            return {
                "metadata": {"name": "data", "uid": CLAIM_UID},
                "spec": {"volumeName": "pv-data"},
                "status": {"phase": "Bound"},
            }
        if path == "/api/v1/persistentvolumes/pv-data":
            source = {"driver": "com.tencent.cloud.csi.cbs", "volumeHandle": "disk-aaaaaaaa"}
            spec: dict[str, Any] = {"csi": source}
            if self._bound_to is not None:
                spec["claimRef"] = self._bound_to
            return {"metadata": {"name": "pv-data"}, "spec": spec}
        raise Gone(path)


def resolved(bound_to: dict[str, Any] | None) -> str:
    return claims.resolve(Cluster(bound_to), "shop", "data").disk_id  # type: ignore[arg-type]  # the part that is used


def test_a_volume_that_is_bound_to_the_claim_is_its_disk() -> None:
    assert resolved(BOUND) == "disk-aaaaaaaa"


@pytest.mark.parametrize(
    "bound_to",
    [{**BOUND, "uid": OTHER_UID}, {"namespace": "shop", "name": "data"}, {}, None],
    ids=[
        "an earlier claim of the same name, or another's",
        "reserved by name only",
        "bound to nobody",
        "without a reference",
    ],
)
def test_a_volume_that_is_not_bound_to_this_very_claim_is_nobodys_to_cut(
    bound_to: dict[str, Any] | None,
) -> None:
    with pytest.raises(Problem, match="is not bound to claim data") as refused:
        resolved(bound_to)
    assert refused.value.reason == "ClaimNotBound"
