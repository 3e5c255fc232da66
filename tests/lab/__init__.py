"""The lab: a real Kubernetes with real disks and an emulated cloud, on one machine."""
