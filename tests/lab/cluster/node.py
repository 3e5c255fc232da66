"""The cluster's one node: containerd, the kubelet and kube-proxy."""

import json
import os
from typing import Final

from lab.cluster import builds, cgroups, config, containers, http, network, pki
from lab.cluster.commands import succeeds
from lab.cluster.components import Component
from lab.layout import (
    INSTANCE_ID,
    NODE_ADDRESS,
    NODE_NAME,
    PAUSE_IMAGE,
    POD_NETWORK,
    REGION,
    ZONE,
    Layout,
)

_HEALTH: Final = f"http://{NODE_ADDRESS}:10248/healthz"
_PROXY_HEALTH: Final = f"http://{NODE_ADDRESS}:10256/healthz"
# Programs that containerd and the kubelet start are found here, whatever the caller's PATH is.
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def components(layout: Layout) -> tuple[Component, ...]:
    return (_containerd(layout), _kubelet(layout), _proxy(layout))


def _containerd(layout: Layout) -> Component:
    socket = str(layout.containerd_socket)
    settings = config.write(layout, "containerd.toml", _containerd_settings(layout))
    return Component(
        name="containerd",
        argv=("containerd", "--config", settings),
        run=layout.run,
        logs=layout.logs,
        environment={"PATH": _PATH},
        ready=lambda: (
            layout.containerd_socket.exists() and succeeds("ctr", "-a", socket, "version")
        ),
    )


def _containerd_settings(layout: Layout) -> str:
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE runc could not lower a score, and says
    # only "can't get final child's PID from pipe: EOF".
    return f"""version = 2
root = "{layout.containerd}"
state = "{containers.state(layout)}"
[grpc]
  address = "{layout.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{layout.state / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{network.PLUGINS}"
    conf_dir = "{network.plugin_folder(layout)}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{layout.run / "runc"}"
        SystemdCgroup = false
"""


def _kubelet(layout: Layout) -> Component:
    access = pki.kubeconfig(
        layout,
        layout.pki / "kubelet.kubeconfig",
        user=f"system:node:{NODE_NAME}",
        group="system:nodes",
    )
    settings = config.write(layout, "kubelet.json", json.dumps(_kubelet_settings(layout)))
    return Component(
        name="kubelet",
        argv=(
            builds.path(layout, "kubelet"),
            f"--config={settings}",
            f"--kubeconfig={access}",
            f"--root-dir={layout.kubelet}",
            f"--cert-dir={layout.state / 'kubelet-pki'}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={NODE_ADDRESS}",
            f"--provider-id=qcloud:///100003/{INSTANCE_ID}",
            f"--node-labels={_labels()}",
        ),
        run=layout.run,
        logs=layout.logs,
        environment={"PATH": _PATH},
        ready=lambda: http.answers(_HEALTH),
    )


def _labels() -> str:
    topology = {"zone": ZONE, "region": REGION}
    return ",".join(f"topology.kubernetes.io/{key}={value}" for key, value in topology.items())


def _kubelet_settings(layout: Layout) -> dict[str, object]:
    server = pki.issue(layout, "kubelet", hosts=(NODE_ADDRESS, NODE_NAME))
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "healthzBindAddress": NODE_ADDRESS,
        "tlsCertFile": str(server.certificate),
        "tlsPrivateKeyFile": str(server.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.ca_file)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.NAME}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(layout.logs / "pods"),
        "volumePluginDir": str(layout.state / "flex"),
        "resolvConf": os.devnull,
        # There are no names in this cluster: a look-up is refused at once, without a time-out,
        # and the kubelet does not warn of a missing server at every pod.
        "clusterDNS": ["127.0.0.1"],
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        # No registry could give an image back that was collected.
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
        # Tests kill the operator again and again: without this each kill costs twice the last.
        "featureGates": {"KubeletCrashLoopBackOffMax": True},
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
        # The controllers detach a disk once the node says that it is no longer in use.
        "nodeStatusUpdateFrequency": "1s",
        "nodeStatusReportFrequency": "1m",
    }


def _proxy(layout: Layout) -> Component:
    access = pki.kubeconfig(layout, layout.pki / "proxy.kubeconfig", user="system:kube-proxy")
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": NODE_ADDRESS,
        "healthzBindAddress": f"{NODE_ADDRESS}:10256",
        "metricsBindAddress": f"{NODE_ADDRESS}:10249",
        "clientConnection": {"kubeconfig": str(access)},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": NODE_NAME,
        "iptables": {"localhostNodePorts": False},
        # Zero: the machine's own limits stay as they are.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    file = config.write(layout, "kube-proxy.json", json.dumps(settings))
    return Component(
        name="kube-proxy",
        argv=(builds.path(layout, "kube-proxy"), f"--config={file}"),
        run=layout.run,
        logs=layout.logs,
        environment={"PATH": _PATH},
        ready=lambda: http.answers(_PROXY_HEALTH),
    )
