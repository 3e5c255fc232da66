"""Disk snapshots on Kubernetes for Tencent Cloud, with proof of what they hold."""
