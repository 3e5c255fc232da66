"""The one error that the lab reports to people."""


class LabError(Exception):
    """Say in one sentence what is missing or failed, and what to do."""
