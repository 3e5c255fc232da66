"""Choose, order and page what a Describe action lists."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lab.cbs.errors import ApiError
from lab.cbs.records import Disk, Snapshot
from lab.cbs.settings import Settings

MAX_LIMIT = 100

Listed = TypeVar("Listed", Disk, Snapshot)
# What a filter compares its values with, of one record at one time.
Reader = Callable[[Listed, float], Collection[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Listed]):
    """How one kind of object is listed."""

    ids: str  # the request's list of ids
    form: re.Pattern[str]
    filters: Mapping[str, Reader[Listed]]
    fuzzy: str  # the filter whose match may be fuzzy: a name
    by_tag: bool = False  # takes filters like tag:team
    most_values: Mapping[str, int]
    orders: Collection[str] = ("CREATE_TIME",)

    def choose(
        self,
        asked: Mapping[str, Any],
        oldest_first: Sequence[Listed],
        now: float,
        settings: Settings,
    ) -> tuple[list[Listed], int]:
        """Return one page and how many there are on all pages."""
        chosen = self._matching(asked, oldest_first, now, settings)
        if not self._ascending(asked, settings):
            chosen.reverse()
        limit, offset = asked.get("Limit", 20), asked.get("Offset", 0)
        if not 1 <= limit <= MAX_LIMIT:
            raise ApiError("InvalidParameterValue", f"Limit must be 1 to {MAX_LIMIT}.")
        if offset < 0:
            raise ApiError("InvalidParameterValue", "Offset must not be negative.")
        return chosen[offset : offset + limit], len(chosen)

    def _matching(
        self,
        asked: Mapping[str, Any],
        records: Sequence[Listed],
        now: float,
        settings: Settings,
    ) -> list[Listed]:
        ids, filters = asked.get(self.ids, []), asked.get("Filters", [])
        if ids and filters:
            raise ApiError(
                "InvalidParameterValue", f"{self.ids} and Filters can't be given together."
            )
        if ids:
            wanted = self._checked(ids)
            return [record for record in records if record.id in wanted]
        if len(filters) > settings.max_filters:
            raise ApiError("InvalidFilter", f"There are {settings.max_filters} filters at most.")
        matches = [self._match(entry, now, settings) for entry in filters]
        return [record for record in records if all(match(record) for match in matches)]

    def _checked(self, ids: Sequence[str]) -> set[str]:
        if len(ids) > MAX_LIMIT:
            raise ApiError("InvalidParameterValue", f"{self.ids} takes at most {MAX_LIMIT} ids.")
        for given in ids:
            if not self.form.fullmatch(given):
                raise ApiError("InvalidParameterValue", f"The id `{given}` is malformed.")
        return set(ids)

    def _match(
        self, entry: Mapping[str, Any], now: float, settings: Settings
    ) -> Callable[[Listed], bool]:
        name, values = entry["Name"], frozenset(entry["Values"])
        read = self._reader(name)
        if not values:
            raise ApiError("InvalidFilter", f"The filter `{name}` has no value.")
        if len(entry["Values"]) > self.most_values.get(name, settings.max_filter_values):
            raise ApiError("InvalidFilter", f"The filter `{name}` has too many values.")
        if settings.fuzzy_names and name == self.fuzzy:
            return lambda record: any(
                part in held for part in values for held in read(record, now)
            )
        return lambda record: not values.isdisjoint(read(record, now))

    def _reader(self, name: str) -> Reader[Listed]:
        if name in self.filters:
            return self.filters[name]
        if self.by_tag and name.startswith("tag:"):
            key = name.removeprefix("tag:")
            return lambda record, _: [record.tags[key]] if key in record.tags else []
        raise ApiError("InvalidFilter", f"The filter `{name}` isn't supported.")

    def _ascending(self, asked: Mapping[str, Any], settings: Settings) -> bool:
        if asked.get("OrderField", "CREATE_TIME") not in self.orders:
            raise ApiError("InvalidParameterValue", "The OrderField isn't supported.")
        order = asked.get("Order", "DESC" if settings.newest_first else "ASC")
        if order not in {"ASC", "DESC"}:
            raise ApiError("InvalidParameterValue", "Order must be ASC or DESC.")
        return bool(order == "ASC")
