"""Refusals: each bad input is really given, and what comes of it is written down."""
