"""Ways to adapt the base to all tasks: their space files, and the memory of masks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.problems import SPACES

SPACE = SPACES / "xma2.toml"
SEEDS = (0, 1, 2)
PUBLISHED_MASK = 0.014
"""XBM, ASP-DAC 2022: memory of its column masks by that of Piggyback's weight masks."""
ROWS_OF_PUBLISHED = 72


class Design(NamedTuple):
    """One way to adapt the base to all tasks.

    Attributes:
        compressor: name of the plugin.
        options: options of the plugin.
        values: values of its parameters, the same for every task.
        seeds: seeds of trainings.
    """

    compressor: str
    options: Mapping[str, Any]
    values: Mapping[str, Any]
    seeds: tuple[int, ...] = (0,)

    @property
    def trained(self) -> bool:
        """Whether it is learnt."""
        return self.options.get("route") == "trained"


def _xma2(share: float, seeds: tuple[int, ...] = (0,), factors: str = "real") -> Design:
    return Design("xma2", {"route": "trained", "shares": [share], "factors": factors}, {"share": share}, seeds)


def _free(share: float, factors: str = "real") -> Design:
    return Design("xma2", {}, {"share": share, "factors": factors})


DESIGNS = {
    "trained.10": _xma2(0.1, SEEDS),
    "trained.0": _xma2(0.0),
    "trained.30": _xma2(0.3),
    "trained.0.shift": _xma2(0.0, factors="shift"),
    "trained.piggyback": Design("piggyback", {"route": "trained"}, {}),
    "trained.lora": Design("lora", {"route": "trained", "ranks": [8]}, {"rank": 8}),
    "free.0.none": _free(0.0, "none"),
    "free.0": _free(0.0),
    **{f"free.{share}": _free(share / 100) for share in (10, 30, 50, 75)},
    "free.30.resident": Design("xma2", {}, {"share": 0.3, "resident": 1.0}),
    "free.100": _free(1.0, "none"),
    "free.piggyback": Design("piggyback", {}, {}),
    "free.lora": Design("lora", {}, {"rank": 8}),
}
"""By name in the record."""


def space_of(design: Design, folder: Path, seed: int) -> Path:
    """Space file of a design: the one of the paper with another compressor."""
    text = SPACE.read_text(encoding="utf-8")
    head, rest = text.split("[compressor]\n")
    options = dict(design.options) | ({"seed": seed} if design.trained else {})
    lines = [f'plugins = ["{design.compressor}"]', f"[compressor.{design.compressor}.options]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    path = folder / f"{design.compressor}-{seed}.toml"
    path.write_text("\n".join([head + "[compressor]", *lines, "", rest[rest.index("[scheduler]") :]]), encoding="utf-8")
    return path


def mask_memory(rows: int) -> float:
    """Bits of a binary factor for each column of so many rows, by those of a mask of every weight, as they are charged."""
    import numpy as np

    import dse
    from dse.cost.demand import demand
    from dse.testing import TinyContext, tiny_geometry, tiny_workload

    load = tiny_workload(1, layers=1, hidden=rows, ffn=2 * rows, heads=4)
    plugin: Any = dse.Registry().discover().build("compressor", "xma2", {"tile_rows": rows, "tile_columns": rows})
    plugin.prepare(TinyContext(load))
    values = {item.name: np.array([item.default]) for item in plugin.parameters(load)}
    values |= {"share": np.zeros((1, 1)), "resident": np.zeros((1, 1)), "factors": np.array(["binary"])}
    wanted = demand(load, dse.separate_models(load, 1), generator="benchmark")
    bits = plugin.footprint(load, wanted, tiny_geometry(), dse.Params(1, values)).digital_bits[0, 1].sum()
    return float(bits / sum(matrix.rows * matrix.columns for matrix in load.encoder.matrices))
