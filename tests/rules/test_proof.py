"""What a snapshot is called, row by row of the documentation's table."""

import pytest

from disksnapshot.snapshot.proof import verdict

TABLE = [
    (("mysql", "freeze"), ("ApplicationConsistent", "Clean", "Proven")),
    (("mysql", "sync", "freeze"), ("ApplicationConsistent", "Clean", "Proven")),
    (("mysql", "exec", "freeze"), ("ApplicationConsistent", "Clean", "Proven")),
    (("mysql", "sync"), ("ApplicationConsistent", "NeedsReplay", "Proven")),
    (("exec", "freeze"), ("ApplicationConsistent", "Clean", "Claimed")),
    (("exec",), ("CrashConsistent", "NeedsReplay", "Claimed")),
    (("exec", "sync"), ("CrashConsistent", "NeedsReplay", "Claimed")),
    (("freeze",), ("FilesystemConsistent", "Clean", "None")),
    (("sync", "freeze"), ("FilesystemConsistent", "Clean", "None")),
    (("mysql",), ("CrashConsistent", "NeedsReplay", "Proven")),
    (("sync", "mysql"), ("CrashConsistent", "NeedsReplay", "Proven")),
    (("sync",), ("CrashConsistent", "NeedsReplay", "None")),
    ((), ("CrashConsistent", "NeedsReplay", "None")),
]


@pytest.mark.parametrize(("proven", "words"), TABLE, ids=lambda part: "+".join(part) or "nothing")
def test_only_what_was_proven_in_its_order_is_claimed(
    proven: tuple[str, ...], words: tuple[str, str, str]
) -> None:
    called = verdict(proven)
    assert (called.consistency, called.file_system, called.application) == words
