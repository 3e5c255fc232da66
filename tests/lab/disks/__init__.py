"""The lab's disks: files on a reflink store, given to pods by a CSI plugin."""

from lab.disks.installation import components, install, remove

__all__ = ["components", "install", "remove"]
