"""The emulated cloud itself: what happens to disks and snapshots, and in which order."""

import secrets
import string
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lab.cbs import admission
from lab.cbs.content import Content
from lab.cbs.errors import ApiError
from lab.cbs.later import Later
from lab.cbs.ledger import Ledger
from lab.cbs.records import Disk, Snapshot, Token
from lab.cbs.settings import Settings


class Cloud:
    """Disks and snapshots over one store. The lock is never held while content is copied."""

    def __init__(self, store: Path, settings: Settings) -> None:
        self.settings = settings
        self.content = Content(store)
        self.ledger = Ledger(store / "cbs.json")
        self._lock = threading.RLock()
        self._later = Later()
        self._recover()

    def close(self) -> None:
        """Make no more cuts; those that are due are made by the next emulator on this store."""
        self._later.close()

    def now(self) -> float:
        """Read the cloud's clock: the host's, but for the offset that a test has set."""
        return time.time() + self.settings.clock_offset_seconds

    def disks(self, visible_at: float | None = None) -> list[Disk]:
        """List the disks, oldest first: all, or those that the API shows at a time."""
        with self._lock:
            known = list(self.ledger.disks.values())
        return [disk for disk in known if visible_at is None or disk.is_visible(visible_at)]

    def snapshots(self, visible_at: float | None = None) -> list[Snapshot]:
        """List the snapshots, oldest first: all that were made, or those that the API shows."""
        with self._lock:
            self._sweep()
            known = [cut for cut in self.ledger.snapshots.values() if cut.known]
        return [cut for cut in known if visible_at is None or cut.is_visible(visible_at)]

    def disk(self, disk_id: str) -> Disk:
        """Return a disk that exists, or refuse."""
        disk = self.ledger.disks.get(disk_id)
        if disk is None or disk.visible_from is None:
            raise ApiError("InvalidDiskId.NotFound", f"The disk `{disk_id}` isn't found.")
        return disk

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot that exists, or refuse."""
        with self._lock:
            self._sweep()
            snapshot = self.ledger.snapshots.get(snapshot_id)
        if snapshot is None or not snapshot.known:
            raise ApiError(
                "InvalidSnapshotId.NotFound", f"The snapshot `{snapshot_id}` isn't found."
            )
        return snapshot

    def cut(self, snapshot: Snapshot) -> Snapshot:
        """Take a snapshot: keep the intent, copy, keep the fact; `_recover` reads what is left.

        One that is due later is only kept: its id may go out, and the disk may still change.
        """
        with self._lock:
            self._sweep()
            admission.check_snapshot(
                snapshot,
                self.ledger.snapshots.values(),
                len(self.ledger.disks),
                self.now(),
                self.settings,
            )
            self.ledger.keep(snapshot)
        if snapshot.due is not None:
            self._cut_later(snapshot, snapshot.due)
            return snapshot
        return self._copy(snapshot)

    def _cut_later(self, snapshot: Snapshot, due: float) -> None:
        self._later.add(due - self.now(), lambda: self._cut_now(snapshot.id))

    def _cut_now(self, snapshot_id: str) -> None:
        """Make a cut that is due, unless its snapshot has vanished; lose it if it fails."""
        with self._lock:
            snapshot = self.ledger.snapshots.get(snapshot_id)
        if snapshot is not None:
            with suppress(ApiError):  # nobody waits for an answer; the snapshot is gone
                self._copy(snapshot)

    def _copy(self, snapshot: Snapshot) -> Snapshot:
        started = time.time()
        try:
            self.content.cut(snapshot.disk_id, snapshot.id)
        except OSError as error:
            with self._lock:
                self.ledger.drop(snapshot)
            raise ApiError("InternalError.ResourceOpFailed", str(error)) from error
        ended = time.time()
        with self._lock:
            acted = replace(snapshot, cut_started=started, cut_ended=ended, accepted=self.now())
            if snapshot.id in self.ledger.snapshots:
                self.ledger.keep(acted)
            else:  # vanished while it was copied
                self.content.snapshot(snapshot.id).unlink()
        return acted

    def make_disks(self, disks: Sequence[Disk], token: Token, visible_after: float) -> list[str]:
        """Make disks with their content; return their ids, or those that the token stands for."""
        with self._lock:
            earlier = self.made_earlier(token)
            if earlier is not None:
                return earlier
            tokens = [token] if token.id else []
            self.ledger.keep(*disks, *tokens)
        try:
            for disk in disks:
                self.content.make_disk(disk.id, disk.size_gib, disk.source_snapshot_id)
        except OSError as error:
            with self._lock:
                self.ledger.drop(*disks, *tokens)
            raise ApiError("InternalError.ResourceOpFailed", str(error)) from error
        visible_from = self.now() + visible_after
        with self._lock:
            self.ledger.keep(*(replace(disk, visible_from=visible_from) for disk in disks))
        return token.disk_ids

    def made_earlier(self, token: Token) -> list[str] | None:
        """Return the disks that this request made before, known by its ClientToken."""
        earlier = self.ledger.tokens.get(token.id)
        if earlier is None:
            return None
        if earlier.request != token.request:
            raise ApiError(
                "InvalidParameter.InvalidClientToken",
                "The ClientToken was used for another request.",
            )
        return earlier.disk_ids

    def change_disk(self, disk_id: str, change: Callable[[Disk], Disk]) -> Disk:
        """Put a disk in place of itself; the change may refuse."""
        with self._lock:
            disk = change(self.disk(disk_id))
            self.ledger.keep(disk)
        return disk

    def delete_disk(self, disk_id: str) -> None:
        """Let a disk be gone at once; its snapshots stay."""
        with self._lock:
            disk = self.disk(disk_id)
            if disk.holder(self.now()):
                raise ApiError("InvalidDisk.NotSupported", f"`{disk_id}` is attached.")
            self.ledger.drop(disk)
        self.content.disk(disk_id).unlink(missing_ok=True)

    def add_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Add snapshots that others made, without content: to be listed, not to be read."""
        with self._lock:
            self.ledger.keep(*snapshots)

    def delete_snapshots(self, snapshot_ids: Collection[str]) -> None:
        """Let these snapshots be gone a little later."""
        gone_from = self.now() + self.settings.deletion_milliseconds / 1000
        with self._lock:
            known = [cut for cut in self.ledger.snapshots.values() if cut.id in snapshot_ids]
            # Asked twice, the first deletion goes on.
            asked = [cut for cut in known if cut.gone_from is None]
            self.ledger.keep(*(replace(cut, gone_from=gone_from) for cut in asked))

    def change_snapshot(
        self, snapshot_id: str, change: Callable[[Snapshot], Snapshot]
    ) -> Snapshot:
        """Put a snapshot in place of itself; the change may refuse."""
        with self._lock:
            snapshot = change(self.snapshot(snapshot_id))
            self.ledger.keep(snapshot)
        return snapshot

    def vanish(self, snapshot: Snapshot) -> None:
        """Lose a snapshot at once, whatever its state."""
        with self._lock:
            self.ledger.drop(snapshot)
        self.content.snapshot(snapshot.id).unlink(missing_ok=True)

    def new_id(self, prefix: str) -> str:
        """Make an id in the cloud's form; from `secrets`, as tests may seed `random`."""
        alphabet = string.ascii_lowercase + string.digits
        return f"{prefix}-{''.join(secrets.choice(alphabet) for _ in range(8))}"

    def _sweep(self) -> None:
        """Let go what was deleted or has passed its deadline."""
        now = self.now()
        gone = [known for known in self.ledger.snapshots.values() if known.is_gone(now)]
        if not gone:
            return
        self.ledger.drop(*gone)
        for snapshot in gone:
            self.content.snapshot(snapshot.id).unlink(missing_ok=True)

    def _recover(self) -> None:
        """Settle what a crash left half done: a complete file is a fact, anything less is not."""
        for snapshot in list(self.ledger.snapshots.values()):
            if snapshot.accepted is None:
                self._settle(snapshot)
        unmade = [disk for disk in self.ledger.disks.values() if disk.visible_from is None]
        lost = {disk.id for disk in unmade}
        tokens = [known for known in self.ledger.tokens.values() if lost & set(known.disk_ids)]
        self.ledger.drop(*unmade, *tokens)
        self.content.remove_all_but(self.ledger.disks.keys() | self.ledger.snapshots.keys())

    def _settle(self, snapshot: Snapshot) -> None:
        path = self.content.snapshot(snapshot.id)
        if not path.exists():
            if snapshot.due is None:
                self.ledger.drop(snapshot)
            else:  # promised by its id, so it is made, however late
                self._cut_later(snapshot, snapshot.due)
            return
        ended = path.stat().st_ctime  # the rename that made the copy exist
        self.ledger.keep(
            replace(snapshot, cut_started=snapshot.began, cut_ended=ended, accepted=ended)
        )
