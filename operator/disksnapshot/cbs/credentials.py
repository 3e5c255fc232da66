"""Where the keys of the Tencent Cloud account come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tencentcloud.common.credential import Credential

if TYPE_CHECKING:
    from pathlib import Path


class FileCredential(Credential):  # type: ignore[misc]  # the SDK has no types
    """Keys in the files of a mounted Secret, read for each request: rotating needs no restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(*self._read())

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """Return id, key and token of one moment (the SDK calls it once a request)."""
        return (*self._read(), None)

    def __repr__(self) -> str:
        return f"FileCredential({str(self._folder)!r})"

    def _read(self) -> tuple[str, str]:
        try:
            return self._read_once()
        except FileNotFoundError:
            return (
                self._read_once()
            )  # swapped in between: the old folder is gone, the new is there

    def _read_once(self) -> tuple[str, str]:
        # The kubelet swaps the folder behind ..data at once: resolve it once for both files.
        published = self._folder / "..data"
        source = published.resolve() if published.exists() else self._folder
        return _text(source / "secretId"), _text(source / "secretKey")


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
