"""A real Kubernetes of one node, made of processes on this machine."""

from lab.cluster.errors import LabError
from lab.cluster.lab import Lab

__all__ = ["Lab", "LabError"]
