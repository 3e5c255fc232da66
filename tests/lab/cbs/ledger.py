"""Keep the records in files that any crash leaves whole."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from lab.cbs.records import Disk, Record, Snapshot, Token

_KINDS = {kind.__name__: kind for kind in (Disk, Snapshot, Token)}
_FOLD_AFTER = 5000


class Ledger:
    """The records by id. Each change is in a file before the method returns.

    A change is one line in a journal, so that it costs the same beside 1,000 other records; the
    journal is folded into the state file now and then. Nothing is synced: the lab's crash is a
    killed process, whose writes the kernel keeps, and a sync would put the host's whole write
    load into the hold.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journal = path.with_suffix(".journal")
        self.disks: dict[str, Disk] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.tokens: dict[str, Token] = {}
        self._load()
        self._fold()

    def keep(self, *records: Record) -> None:
        """Add these records, or put them in place of those with the same ids."""
        for record in records:
            self._remember(record)
        self._append([[_kind(record), record.id, _fields(record)] for record in records])

    def drop(self, *records: Record) -> None:
        """Forget these records."""
        for record in records:
            self._forget(_kind(record), record.id)
        self._append([[_kind(record), record.id, None] for record in records])

    def _load(self) -> None:
        if self._path.exists():
            self._apply(json.loads(self._path.read_text()))
        if self._journal.exists():
            for line in self._journal.read_text().splitlines(keepends=True):
                # Only the last line can be torn; then its change was never answered for.
                if line.endswith("\n"):
                    self._apply(json.loads(line))

    def _apply(self, changes: list[tuple[str, str, dict[str, Any] | None]]) -> None:
        for kind, record_id, kept in changes:
            if kept is None:
                self._forget(kind, record_id)
            else:
                self._remember(_KINDS[kind](**kept))

    def _append(self, changes: list[list[Any]]) -> None:
        with self._journal.open("a") as journal:
            journal.write(json.dumps(changes) + "\n")
        self._lines += 1
        if self._lines >= _FOLD_AFTER:
            self._fold()

    def _fold(self) -> None:
        """Write the whole state, then start a new journal; a crash between only repeats it."""
        records: list[Record] = [
            *self.disks.values(),
            *self.snapshots.values(),
            *self.tokens.values(),
        ]
        fresh = self._path.with_suffix(".new")
        lines = [json.dumps([_kind(known), known.id, _fields(known)]) for known in records]
        fresh.write_text("[" + ",\n".join(lines) + "]\n")
        fresh.replace(self._path)
        self._journal.write_text("")
        self._lines = 0

    def _remember(self, record: Record) -> None:
        match record:
            case Disk():
                self.disks[record.id] = record
            case Snapshot():
                self.snapshots[record.id] = record
            case Token():
                self.tokens[record.id] = record

    def _forget(self, kind: str, record_id: str) -> None:
        known: dict[str, dict[str, Any]] = {
            "Disk": self.disks,
            "Snapshot": self.snapshots,
            "Token": self.tokens,
        }
        known[kind].pop(record_id, None)


def _kind(record: Record) -> str:
    return type(record).__name__


def _fields(record: Record) -> dict[str, Any]:
    """Leave out what is as by default: so a store can go back to code that knows fewer fields."""
    defaults = {field.name: field.default for field in fields(record)}
    return {name: held for name, held in asdict(record).items() if held != defaults[name]}
