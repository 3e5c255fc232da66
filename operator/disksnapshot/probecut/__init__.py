"""Find out when a cloud cuts: `python -m disksnapshot probe-cut`, on a disk that may be lost."""
