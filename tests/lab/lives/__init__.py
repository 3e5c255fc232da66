"""Whole lives of a DiskSnapshot against the emulated cloud, on a clock that can be turned."""
