"""Parameters of a plugin for several designs."""

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray


class Params(Mapping[str, NDArray[Any]]):
    """A plugin's own parameters by name, each with a leading axis P.

    Attributes:
        points: number of designs, P; also where a plugin has no parameter.
    """

    __slots__ = ("_values", "points")

    def __init__(self, points: int, values: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.points = points
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
