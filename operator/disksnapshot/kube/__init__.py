"""Kubernetes at the edge: reads, writes and exec, with raw objects ending here."""
