"""The cluster's brain: etcd, the API server, the controllers and the scheduler."""

from typing import Final

from lab.cluster import audit, builds, http, pki
from lab.cluster.components import Component
from lab.layout import (
    API_SERVER,
    NODE_ADDRESS,
    SERVICE_ADDRESS,
    SERVICE_NETWORK,
    Layout,
)

# Loopback only, and not etcd's usual port: another etcd may run on this machine.
_ETCD: Final = "http://127.0.0.1:12379"
_ETCD_PEERS: Final = "http://127.0.0.1:12380"
_CONTROLLERS: Final = f"https://{NODE_ADDRESS}:10257"
_SCHEDULER: Final = f"https://{NODE_ADDRESS}:10259"


def components(layout: Layout) -> tuple[Component, ...]:
    return (_etcd(layout), _api_server(layout), _controllers(layout), _scheduler(layout))


def api_ready(layout: Layout) -> bool:
    return http.answers(f"{API_SERVER}/readyz", ca_file=layout.ca_file)


def _etcd(layout: Layout) -> Component:
    return Component(
        name="etcd",
        argv=(
            builds.path(layout, "etcd"),
            f"--data-dir={layout.etcd}",
            f"--listen-client-urls={_ETCD}",
            f"--advertise-client-urls={_ETCD}",
            f"--listen-peer-urls={_ETCD_PEERS}",
            f"--initial-advertise-peer-urls={_ETCD_PEERS}",
            f"--initial-cluster=default={_ETCD_PEERS}",
            "--log-level=warn",
            # Its content need not outlive the machine, only its own death.
            "--unsafe-no-fsync",
        ),
        run=layout.run,
        logs=layout.logs,
        ready=lambda: http.answers(f"{_ETCD}/health"),
    )


def _api_server(layout: Layout) -> Component:
    hosts = (NODE_ADDRESS, SERVICE_ADDRESS, "kubernetes.default.svc", "kubernetes", "localhost")
    server = pki.issue(layout, "kube-apiserver", hosts=hosts)
    # The API server is the kubelet's client for exec and logs.
    to_kubelet = pki.issue(
        layout, "apiserver-kubelet", user="apiserver-kubelet", group="system:masters"
    )
    accounts = pki.service_account_key(layout)
    return Component(
        name="kube-apiserver",
        argv=(
            builds.path(layout, "kube-apiserver"),
            f"--etcd-servers={_ETCD}",
            f"--bind-address={NODE_ADDRESS}",
            f"--advertise-address={NODE_ADDRESS}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--profiling=false",
            f"--client-ca-file={layout.ca_file}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={layout.ca_file}",
            f"--kubelet-client-certificate={to_kubelet.certificate}",
            f"--kubelet-client-key={to_kubelet.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            *audit.flags(layout),
        ),
        run=layout.run,
        logs=layout.logs,
        ready=lambda: api_ready(layout),
        ready_seconds=120,
    )


def _controllers(layout: Layout) -> Component:
    user = "system:kube-controller-manager"
    access = pki.kubeconfig(layout, layout.pki / "controllers.kubeconfig", user=user)
    server = pki.issue(layout, "kube-controller-manager", hosts=(NODE_ADDRESS,))
    return Component(
        name="kube-controller-manager",
        argv=(
            builds.path(layout, "kube-controller-manager"),
            f"--kubeconfig={access}",
            f"--authentication-kubeconfig={access}",
            f"--authorization-kubeconfig={access}",
            "--authentication-skip-lookup=true",
            f"--bind-address={NODE_ADDRESS}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--service-account-private-key-file={pki.service_account_key(layout)}",
            f"--root-ca-file={layout.ca_file}",
            "--use-service-account-credentials=true",
            f"--flex-volume-plugin-dir={layout.state / 'flex'}",
            # A claim and a volume made at the same moment often meet only at the next look.
            "--pvclaimbinder-sync-period=1s",
            # One of each runs; a lease would only delay its restart.
            "--leader-elect=false",
            "--profiling=false",
        ),
        run=layout.run,
        logs=layout.logs,
        ready=lambda: http.answers(f"{_CONTROLLERS}/healthz", ca_file=layout.ca_file),
    )


def _scheduler(layout: Layout) -> Component:
    user = "system:kube-scheduler"
    access = pki.kubeconfig(layout, layout.pki / "scheduler.kubeconfig", user=user)
    server = pki.issue(layout, "kube-scheduler", hosts=(NODE_ADDRESS,))
    return Component(
        name="kube-scheduler",
        argv=(
            builds.path(layout, "kube-scheduler"),
            f"--kubeconfig={access}",
            f"--authentication-kubeconfig={access}",
            f"--authorization-kubeconfig={access}",
            "--authentication-skip-lookup=true",
            f"--bind-address={NODE_ADDRESS}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            "--leader-elect=false",
            "--profiling=false",
        ),
        run=layout.run,
        logs=layout.logs,
        ready=lambda: http.answers(f"{_SCHEDULER}/healthz", ca_file=layout.ca_file),
    )
