"""The table of component costs: read, checked, and interpolated between its nodes.

Between two nodes a cost lies between those at the nodes, on a straight line in logarithms (a plain one where a cost is
zero). Beyond the smallest and the largest node nothing is known, and nothing is returned.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse

Array = NDArray[Any]
PACKAGED = Path(__file__).with_name("costs.toml")
KEYS = {"array": ("device", "node_nm", "size"), "adc": ("node_nm", "bits"), "logic": ("node_nm",)}
"""Columns of each list of rows that say which one a row is."""


class Costs:
    """One table.

    Args:
        content: as TOML holds it.
        where: file it came from.

    Attributes:
        devices: names.
        nodes: in nanometres, ascending.
        sizes: of arrays, ascending.
        bits: of converters, ascending.

    Raises:
        PluginContractError: a key is missing, or a combination has no row or several.
    """

    def __init__(self, content: Mapping[str, Any], where: object) -> None:
        self._where = where
        try:
            rows: Mapping[str, Sequence[Mapping[str, Any]]] = content["rows"]
            self.devices = tuple(sorted(content["devices"]))
            self.nodes, self.sizes, self.bits = (
                np.array(sorted({row[name] for row in rows[kind]}))
                for kind, name in (("logic", "node_nm"), ("array", "size"), ("adc", "bits"))
            )
            numbers = {"node_nm": self.nodes, "size": self.sizes, "bits": self.bits}
            axes = {"device": list(self.devices)} | {name: values.tolist() for name, values in numbers.items()}
            self._grids = {kind: _grids(rows[kind], keys, axes) for kind, keys in KEYS.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise dse.PluginContractError(
                "the table of component costs is not usable",
                where=where,
                expected="a file that `dse components build neurosim` wrote",
                found=f"{type(error).__name__}: {error}",
                fix="build it anew",
            ) from error

    def array(self, device: str, node_nm: Array, size: Array) -> dict[str, Array]:
        """Costs (P,) of an array by name."""
        if device not in self.devices:
            raise dse.PluginContractError(
                f"there is no device {device!r} in the table of component costs",
                where=self._where,
                expected=f"one of: {', '.join(self.devices)}",
            )
        at = self.devices.index(device), self._place("array size", self.sizes, size)
        grids = self._grids["array"]
        return {name: self._between(np.moveaxis(grid[at[0]], 1, 0)[at[1]], node_nm) for name, grid in grids.items()}

    def adc(self, node_nm: Array, bits: Array) -> dict[str, Array]:
        """Costs (P,) of a converter and of what stands behind it, by name."""
        at = self._place("ADC resolution", self.bits, bits)
        return {name: self._between(grid.T[at], node_nm) for name, grid in self._grids["adc"].items()}

    def logic(self, node_nm: Array) -> dict[str, Array]:
        """Costs (P,) of logic and memories, by name."""
        rows = {name: np.broadcast_to(grid, (len(node_nm), len(grid))) for name, grid in self._grids["logic"].items()}
        return {name: self._between(grid, node_nm) for name, grid in rows.items()}

    def _place(self, what: str, known: Array, wanted: Array) -> Array:
        """Places (P,) of values that must be on the grid."""
        places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        if (known[places] != wanted).any():
            raise self._beyond(what, ", ".join(map(str, known)), wanted[known[places] != wanted][0])
        return places

    def _between(self, by_node: Array, node_nm: Array) -> Array:
        """Value (P,) at nodes, from values (P, N) at those of the table."""
        if (node_nm < self.nodes[0]).any() or (node_nm > self.nodes[-1]).any():
            outside = node_nm[(node_nm < self.nodes[0]) | (node_nm > self.nodes[-1])][0]
            raise self._beyond("node", f"{self.nodes[0]} to {self.nodes[-1]} nm", outside)
        right = np.clip(np.searchsorted(self.nodes, node_nm), 1, len(self.nodes) - 1)
        points = np.arange(len(node_nm))
        low, high = by_node[points, right - 1], by_node[points, right]
        below, above = self.nodes[right - 1], self.nodes[right]
        share = np.log(node_nm / below) / np.log(above / below)
        positive = (low > 0) & (high > 0)
        safe_low, safe_high = np.where(positive, low, 1.0), np.where(positive, high, 1.0)
        found = np.where(positive, safe_low * (safe_high / safe_low) ** share, low + (high - low) * share)
        return np.where(share == 0, low, np.where(share == 1, high, found))

    def _beyond(self, what: str, expected: str, found: object) -> dse.PluginContractError:
        return dse.PluginContractError(
            f"the table of component costs does not know this {what}",
            where=self._where,
            expected=expected,
            found=str(found),
            fix="choose a value of the table, or extend `measure.py` and build it anew",
        )


@cache
def packaged() -> Costs:
    """The table that comes with the package, read once."""
    return load(PACKAGED)


def load(path: Path) -> Costs:
    """Read a table.

    Raises:
        PluginContractError: it is not there, or not usable.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise dse.PluginContractError(
            "the table of component costs cannot be read",
            where=path,
            found=str(error),
            fix=f"dse components build neurosim --out {path}",
        ) from error
    return Costs(content, path)


def _grids(
    rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...], axes: Mapping[str, Sequence[Any]]
) -> dict[str, Array]:
    """Values by name on the grid of the keys.

    Raises:
        ValueError: a place of the grid has no value, or several.
    """
    places = [{value: index for index, value in enumerate(axes[key])} for key in keys]
    names = [name for name in rows[0] if name not in keys]
    grids = {name: np.full([len(place) for place in places], np.nan) for name in names}
    for row in rows:
        at = tuple(place[row[key]] for place, key in zip(places, keys, strict=True))
        if not np.isnan(grids[names[0]][at]):
            raise ValueError(f"two rows for {', '.join(str(row[key]) for key in keys)}")
        for name in names:
            grids[name][at] = row[name]
    if any(not np.isfinite(grid).all() or (grid < 0).any() for grid in grids.values()):
        raise ValueError("a combination has no row, or a cost is not a number of at least 0")
    return grids
