"""Rows of a page of the documentation, kept in files until the page is written."""

import json
from dataclasses import asdict
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from lab.cluster.errors import LabError
from lab.layout import Layout


class Keyed(Protocol):
    """A dataclass with a key."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> str:
        """What a row is had again by."""


R = TypeVar("R", bound=Keyed)


class Rows(Generic[R]):
    """A file a row; `program` is the part of the lab that makes them."""

    def __init__(self, layout: Layout, program: str, kind: type[R]) -> None:
        self._program, self._kind = program, kind
        # In the cache and not in the lab's state, which goes with the lab.
        self._folder = layout.cache / program
        self._folder.mkdir(parents=True, exist_ok=True)

    def keep(self, row: R) -> None:
        """Put a row in place of the one with the same key."""
        (self._folder / f"{row.key}.json").write_text(json.dumps(asdict(row)))

    def of(self, key: str) -> R:
        """Return a row, or fail with one sentence."""
        file = self._folder / f"{key}.json"
        if not file.exists():
            raise LabError(f"{key} has not been run: `python -m lab.{self._program} run {key}`.")
        return self._kind(**json.loads(file.read_text()))
