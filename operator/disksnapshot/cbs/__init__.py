"""Tencent Cloud's CBS API at the edge: the only place that knows its SDK."""
