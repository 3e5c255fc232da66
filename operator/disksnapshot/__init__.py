"""Disk snapshots on Kubernetes for Tencent Cloud, with proof of what they hold."""

VERSION = "0.1.0"  # as in pyproject.toml and the chart; a test holds them together
