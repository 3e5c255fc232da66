"""A clock that is wrong for one program, and can be set while that runs (libfaketime)."""

from datetime import timedelta
from pathlib import Path
from typing import Final

_LIBRARY: Final = "usr/lib/*/faketime/libfaketimeMT.so.1"


class WrongClock:
    """Tells a program that it is later than it is; its monotonic clock stays as it is."""

    def __init__(self, folder: Path, ahead: timedelta) -> None:
        self._file = folder / "faketime"
        self._set: timedelta = ahead
        self.turn(ahead)

    @property
    def ahead(self) -> timedelta:
        return self._set

    def turn(self, ahead: timedelta) -> None:
        """Set it; whoever asks sees that at once."""
        written = self._file.with_suffix(".new")
        written.write_text(f"{ahead.total_seconds():+.0f}")
        written.replace(self._file)
        self._set = ahead

    @property
    def environment(self) -> dict[str, str]:
        """What the program has to be started with."""
        [library] = Path("/").glob(_LIBRARY)
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
