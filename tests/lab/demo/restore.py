"""Restore a snapshot as its users would: a new disk by the cloud's API, a claim, a pod."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lab.cbs.caller import Caller, client
from lab.cluster import Lab
from lab.demo import stage
from lab.layout import ZONE

if TYPE_CHECKING:
    import pymysql

_GIB: Final = 2


def new_disk(lab: Lab, snapshot_id: str) -> str:
    """Create a disk from a snapshot, by Tencent's own SDK; return its id."""
    sdk = client(lab.cbs_endpoint, lab.secret_id, lab.secret_key, lab.ca_file)
    made = Caller(sdk).call(
        "CreateDisks",
        Placement={"Zone": ZONE},
        DiskChargeType="POSTPAID_BY_HOUR",
        DiskType="CLOUD_PREMIUM",
        DiskSize=_GIB,
        SnapshotId=snapshot_id,
    )
    return str(made["DiskIdSet"][0])


@contextmanager
def restored(
    lab: Lab, namespace: str, name: str, snapshot_id: str, password: str
) -> Iterator["pymysql.Connection[Any]"]:
    """Run a database pod on a disk made from a snapshot, and connect to it."""
    disk = new_disk(lab, snapshot_id)
    database = stage.start_database(lab, namespace, name, disk_id=disk, password=password)
    try:
        with database.connect() as connection:
            yield connection
    finally:
        stage.remove_database(lab, database)
