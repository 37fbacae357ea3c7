"""The table of component costs: read, checked, and interpolated between its nodes.

Between two nodes a cost is interpolated on a straight line in logarithms, or on a plain straight line if a cost is
zero. Beyond the smallest and the largest node the table has no costs, and a request for them is an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dse.errors import PluginContractError
from dse_plugins.hardware.neurosim.measure import UNITS
from dse_plugins.shared import Array

PACKAGED = Path(__file__).with_name("costs.toml")
KEYS = {"array": ("node_nm", "device", "size"), "adc": ("node_nm", "bits"), "logic": ("node_nm",)}
"""Columns that identify a row in each list of rows, the node first."""


class Costs:
    """One table of component costs.

    Args:
        content: content of the TOML file.
        where: path of the file.

    Attributes:
        devices: names of devices.
        nodes: technology nodes, nm, ascending.
        sizes: sizes of arrays, ascending.
        bits: resolutions of converters, ascending.

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
            self._grids = {kind: _grid(rows[kind], keys, axes) for kind, keys in KEYS.items()}
            _check_names(self._grids)
        except (KeyError, TypeError, ValueError) as error:
            raise PluginContractError(
                "the table of component costs is not usable",
                where=where,
                expected="a file that `dse components build neurosim` wrote",
                found=f"{type(error).__name__}: {error}",
                fix="build the table again",
            ) from error

    def array(self, device: str, node_nm: Array, size: Array) -> dict[str, Array]:
        """Costs of an array by name, each of shape (P,)."""
        if device not in self.devices:
            raise PluginContractError(
                f"there is no device {device!r} in the table of component costs",
                where=self._where,
                expected=f"one of: {', '.join(self.devices)}",
            )
        at = self._place("array size", self.sizes, size)
        return self._between("array", node_nm, self.devices.index(device), at)

    def adc(self, node_nm: Array, bits: Array) -> dict[str, Array]:
        """Costs of a converter and of its shift-and-add by name, each of shape (P,)."""
        return self._between("adc", node_nm, self._place("ADC resolution", self.bits, bits))

    def logic(self, node_nm: Array) -> dict[str, Array]:
        """Costs of logic and memories by name, each of shape (P,)."""
        return self._between("logic", node_nm)

    def _place(self, name: str, axis: Array, wanted: Array) -> Array:
        """Places of values that must be on an axis of the grid, shape (P,)."""
        places = np.minimum(np.searchsorted(axis, wanted), len(axis) - 1)
        if (axis[places] != wanted).any():
            raise self._beyond(name, ", ".join(map(str, axis)), wanted[axis[places] != wanted][0])
        return places

    def _between(self, kind: str, node_nm: Array, *at: Array | int) -> dict[str, Array]:
        """Costs by name at nodes and at places of the other keys, each of shape (P,)."""
        outside = (node_nm < self.nodes[0]) | (node_nm > self.nodes[-1])
        if outside.any():
            raise self._beyond("node", f"{self.nodes[0]} to {self.nodes[-1]} nm", node_nm[outside][0])
        names, grid = self._grids[kind]
        right = np.clip(np.searchsorted(self.nodes, node_nm), 1, len(self.nodes) - 1)
        low, high = grid[(right - 1, *at)], grid[(right, *at)]  # (P, names)
        below, above = self.nodes[right - 1], self.nodes[right]
        share = (np.log(node_nm / below) / np.log(above / below))[:, None]
        positive = (low > 0) & (high > 0)
        safe_low, safe_high = np.where(positive, low, 1.0), np.where(positive, high, 1.0)
        between = np.where(positive, safe_low * (safe_high / safe_low) ** share, low + (high - low) * share)
        values = np.where(share == 0, low, np.where(share == 1, high, between))
        return dict(zip(names, values.T, strict=True))

    def _beyond(self, name: str, expected: str, value: object) -> PluginContractError:
        return PluginContractError(
            f"the table of component costs does not know this {name}",
            where=self._where,
            expected=expected,
            found=str(value),
            fix="choose a value of the table, or extend `measure.py` and build the table again",
        )


@cache
def read_packaged() -> Costs:
    """Read the table that comes with the package, once."""
    return load(PACKAGED)


def load(path: Path) -> Costs:
    """Read a table.

    Raises:
        PluginContractError: the file is not there, or it is not usable.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PluginContractError(
            "the table of component costs cannot be read",
            where=path,
            found=str(error),
            fix=f"dse components build neurosim --out {path}",
        ) from error
    return Costs(content, path)


def _check_names(grids: Mapping[str, tuple[tuple[str, ...], Array]]) -> None:
    """Refuse grids in which one of the costs of `UNITS` is missing.

    Raises:
        ValueError: a cost is missing.
    """
    named = {f"{kind}.{name}" for kind, (names, _) in grids.items() for name in names}
    if missing := sorted(set(UNITS) - named):
        raise ValueError(f"no {', '.join(missing)}")


def _grid(
    rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...], axes: Mapping[str, Sequence[Any]]
) -> tuple[tuple[str, ...], Array]:
    """Names of costs, and their values, with one axis per key, in order, and the costs on the last axis.

    Raises:
        ValueError: a place of the grid has no value or several values.
    """
    places = [{value: index for index, value in enumerate(axes[key])} for key in keys]
    names = tuple(name for name in rows[0] if name not in keys)
    grid = np.full([*map(len, places), len(names)], np.nan)
    for row in rows:
        at = tuple(place[row[key]] for place, key in zip(places, keys, strict=True))
        if not np.isnan(grid[at]).all():
            raise ValueError(f"two rows for {', '.join(str(row[key]) for key in keys)}")
        grid[at] = [row[name] for name in names]
    if not np.isfinite(grid).all() or (grid < 0).any():
        raise ValueError("a combination has no row, or a cost is not a number of at least 0")
    return names, grid
