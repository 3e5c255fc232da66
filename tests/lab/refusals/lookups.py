"""Bad input that is found by looking things up: claims, pods, Secrets, and the way to a server."""

from typing import Any, Final

from lab.refusals.case import CLOSED, FREEZE, Case, asking, at, claims, command, mysql


def chosen(**labels: str) -> dict[str, Any]:
    return {"source": {"claimSelector": {"matchLabels": labels}}, "quiesce": {"steps": [FREEZE]}}


CLAIMS: Final = (
    Case(
        "claim-missing",
        "the claim doesn't exist",
        asking("nowhere", FREEZE),
        "ClaimNotFound",
        "nowhere",
    ),
    Case(
        "claims-none-chosen",
        "no claim has the labels",
        chosen(app="nowhere"),
        "ClaimNotFound",
        "spec.source.claimSelector",
    ),
    Case(
        "claims-too-many",
        "17 claims have the labels",
        chosen(kept="empty"),
        "TooManyClaims",
        "17 claims fit spec.source.claimSelector",
    ),
    Case(
        "claim-unbound",
        "the claim waits for its volume",
        asking("unbound", FREEZE),
        "ClaimNotBound",
        "unbound",
    ),
    Case(
        "claim-thief",
        "the claim names the volume of another",
        asking("thief", FREEZE),
        "ClaimNotBound",
        "claim thief is not bound",
    ),
    Case(
        "volume-on-the-node",
        "the volume is a folder of the node",
        asking("folder", FREEZE),
        "NotACbsVolume",
        "driver none",
    ),
    Case(
        "volume-nfs",
        "the volume is an NFS share",
        asking("share", FREEZE),
        "NotACbsVolume",
        "driver none",
    ),
    Case(
        "volume-of-another-driver",
        "the volume is of another CSI driver",
        asking("alien", FREEZE),
        "NotACbsVolume",
        "driver cfs.csi.example",
    ),
    Case(
        "volume-striped",
        "the volume is striped over two disks",
        asking("striped", FREEZE),
        "NotACbsVolume",
        "striped over several disks",
    ),
    Case(
        "disk-unknown",
        "the cloud doesn't know the disk",
        asking("lapsed", FREEZE),
        "DiskUnusable",
        "knows no disk disk-00000000",
    ),
    Case(
        "disk-twice",
        "two claims stand for one disk",
        claims("data-shelf", "double") | {"quiesce": {"steps": [FREEZE]}},
        "DiskUnusable",
        "stand for the same disk",
    ),
    Case(
        "volume-block",
        "the volume is a raw block device, and there is nothing to freeze",
        asking("raw", FREEZE),
        "FreezeRefused",
        "raw block device",
    ),
)

PODS: Final = (
    Case(
        "no-pod",
        "no pod mounts the claim",
        asking("idle", FREEZE),
        "PodNotFound",
        "no running pod mounts claim idle",
    ),
    Case(
        "pod-completed",
        "the pod that mounted it has completed",
        asking("data-shelf", mysql(**at("over"))),
        "PodNotFound",
        "no running pod mounts data-shelf",
    ),
    Case(
        "pod-not-ready",
        "the database's pod isn't Ready",
        asking("data-shelf", mysql(**at("unready"))),
        "PodNotReady",
        "pod unready mounts data-shelf but isn't Ready",
    ),
    Case(
        "pod-ambiguous",
        "two Ready pods mount the claim",
        asking("data-shelf", mysql()),
        "AmbiguousPod",
        "shelf",
    ),
    Case(
        "pod-on-its-nodes-network",
        "the database's pod has its node's address",
        asking("data-shelf", mysql(**at("host"))),
        "PodAddressRefused",
        "pod host is on its node's network",
    ),
    Case(
        "container-missing",
        "the pod has no such container, for a lock",
        asking("data-orders", mysql(**at("orders", "postgres"))),
        "ContainerNotFound",
        "no container postgres: pod orders has mariadb, tools",
    ),
    Case(
        "container-missing-exec",
        "the pod has no such container, for a command",
        asking("data-shelf", command("true", **at("shelf", "postgres"))),
        "ContainerNotFound",
        "no container postgres",
    ),
    Case(
        "container-not-running",
        "the container's program ends again and again",
        asking("data-shelf", command("true", **at("crashing", "app"))),
        "PodNotReady",
        "container app of pod crashing isn't running",
    ),
    Case(
        "container-unnamed",
        "the pod has several containers, and none is named",
        asking("data-shelf", command("true", **at("shelf"))),
        "ContainerNotFound",
        "name one in target.container",
    ),
)

SECRETS: Final = (
    Case(
        "secret-missing",
        "the Secret doesn't exist",
        asking("data-orders", mysql("absent")),
        "SecretNotFound",
        "absent",
    ),
    Case(
        "secret-wrong-key",
        "the Secret has other keys",
        asking("data-orders", mysql("other-keys")),
        "SecretIncomplete",
        "under the key username",
    ),
    Case(
        "secret-empty",
        "the Secret is empty",
        asking("data-orders", mysql("empty")),
        "SecretIncomplete",
        "under the key username",
    ),
    Case(
        "secret-empty-name",
        "the Secret has an empty username",
        asking("data-orders", mysql("nameless")),
        "SecretIncomplete",
        "under the key username",
    ),
    Case(
        "secret-wrong-password",
        "the Secret's password is wrong",
        asking("data-orders", mysql("wrong")),
        "MySQLAccessDenied",
        "1045",
    ),
    Case(
        "secret-not-open",
        "the operator may not read Secrets in this namespace",
        asking("data-shut", mysql("account")),
        "SecretForbidden",
        says=CLOSED,
        namespace=CLOSED,
    ),
    Case(
        "authority-wrong-key",
        "the authority's Secret has no key ca.crt",
        asking("data-orders", mysql(tls={"caSecretRef": {"name": "other-keys"}})),
        "SecretIncomplete",
        "under the key ca.crt",
    ),
    Case(
        "authority-empty",
        "the authority's ca.crt is empty",
        asking("data-orders", mysql(tls={"caSecretRef": {"name": "nobody"}})),
        "SecretIncomplete",
        "under the key ca.crt",
    ),
    Case(
        "authority-no-certificate",
        "the authority's ca.crt is no certificate",
        asking("data-orders", mysql(tls={"caSecretRef": {"name": "garbage"}})),
        "MySQLTLSFailed",
        "the CA can't be read",
    ),
    Case(
        "lock-unsuitable",
        "the server doesn't have the lock that is asked for",
        asking("data-orders", mysql(lock="Instance")),
        "LockUnsuitable",
        "has no LOCK INSTANCE FOR BACKUP",
    ),
    Case(
        "database-silent",
        "nobody listens on the port",
        asking("data-orders", mysql(port=3307)),
        "MySQLUnreachable",
        "can't connect",
    ),
)
