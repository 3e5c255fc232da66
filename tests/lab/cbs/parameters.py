"""Declare what an action takes, and refuse everything that isn't documented."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cbs.errors import ApiError


class Kind(ABC):
    """The type of one documented parameter."""

    @abstractmethod
    def check(self, value: Any, path: str) -> None:
        """Refuse a value of another type; `path` is how the caller knows the parameter."""


@dataclass(frozen=True, slots=True)
class Scalar(Kind):
    """A string, an integer or a boolean of JSON."""

    type: type

    def check(self, value: Any, path: str) -> None:
        # type() on purpose: Python's True is an int, JSON's is not a number.
        if type(value) is not self.type:
            raise ApiError(
                "InvalidParameter", f"The value type of parameter `{path}` is not valid."
            )


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list whose elements are all of one kind."""

    element: Kind

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise ApiError(
                "InvalidParameter", f"The value type of parameter `{path}` is not valid."
            )
        for index, element in enumerate(value):
            self.element.check(element, f"{path}.{index}")


class Structure(Kind):
    """An object with documented fields; a field marked required must be there."""

    def __init__(self, required: Mapping[str, Kind], optional: Mapping[str, Kind]) -> None:
        self._fields = {**required, **optional}
        self._required = tuple(required)

    @property
    def names(self) -> frozenset[str]:
        """Return every documented field."""
        return frozenset(self._fields)

    def known(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what isn't documented, at the top."""
        return {name: content for name, content in value.items() if name in self._fields}

    def check(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise ApiError(
                "InvalidParameter", f"The value type of parameter `{path}` is not valid."
            )
        prefix = f"{path}." if path else ""
        for name, content in value.items():
            if name not in self._fields:
                raise ApiError(
                    "UnknownParameter", f"The parameter `{prefix}{name}` is not recognized."
                )
            self._fields[name].check(content, f"{prefix}{name}")
        for name in self._required:
            if name not in value:
                raise ApiError(
                    "MissingParameter",
                    f"The request is missing a required parameter `{prefix}{name}`.",
                )


TEXT = Scalar(str)
INTEGER = Scalar(int)
FLAG = Scalar(bool)
FILTERS = ListOf(Structure({"Name": TEXT, "Values": ListOf(TEXT)}, {}))
TAGS = ListOf(Structure({"Key": TEXT, "Value": TEXT}, {}))
PLACEMENT = Structure(
    {"Zone": TEXT},
    {
        "CageId": TEXT,
        "ProjectId": INTEGER,
        "ProjectName": TEXT,
        "CdcId": TEXT,
        "CdcName": TEXT,
        "DedicatedClusterId": TEXT,
    },
)
