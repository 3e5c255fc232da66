"""Bad input for a workload that shall go to zero: nothing is scaled."""

from typing import Any, Final

from lab.refusals.case import CLOSED, Case, claims


def offline(claim: str, name: str, kind: str = "StatefulSet", **more: Any) -> dict[str, Any]:
    return claims(claim) | {"offline": {"scaleTargetRef": {"kind": kind, "name": name}, **more}}


WORKLOADS: Final = (
    Case(
        "workload-missing",
        "there is no such workload",
        offline("data-shelf", "nowhere", "Deployment"),
        "WorkloadNotFound",
        "no Deployment nowhere",
    ),
    Case(
        "workload-of-others",
        "other pods use the claim than the workload's",
        offline("data-shelf", "keeping"),
        "WorkloadUnsuitable",
        "doesn't belong to StatefulSet keeping",
    ),
    Case(
        "workload-loses-its-claims",
        "the workload's claims would be deleted at zero, and their disks",
        offline("data-shelf", "shedding"),
        "WorkloadUnsuitable",
        "whenScaled: Delete",
    ),
    Case(
        "workload-not-open",
        "the operator may scale nothing in this namespace",
        offline("data-shut", "keeping"),
        "ScaleForbidden",
        "may not scale StatefulSet keeping",
        namespace=CLOSED,
    ),
)
