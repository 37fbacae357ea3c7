"""`dse cells info`: the levels of a cell model at an age, and how far they overlap."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from dse.errors import PluginContractError
from dse.input_errors import option_error
from dse.plugins.registry import load_registry
from dse.records.nonideality import Nonideality
from dse.score.device import Device, find_device

DRAWN = 20_000
"""Cells that are drawn at each level."""
COLUMNS, BARS = 48, " ▁▂▃▄▅▆▇█"
"""Width of a drawing, and its bars, from no cell to the most cells."""
LEVEL = ("level", "target_us", "mean_us", "sigma_us", "read_sigma_us", "overlap", "drawing")
"""Columns of a level."""


@dataclass(frozen=True, slots=True)
class CellDetails:
    """A cell model at an age.

    Attributes:
        name: name of the cell model, or path of the device file.
        numbers: numbers of its device by name.
        levels: each level, by column: its number; target, mean and standard deviation over cells of the conductance, and the
            mean standard deviation of one read, uS; the share of cells that lie nearer to the mean of another level
            (``overlap``); and a ``drawing`` of the cells by conductance, from 0 at the left.
    """

    name: str
    numbers: Mapping[str, Any]
    levels: tuple[Mapping[str, Any], ...]


def cells_info(
    model: Path | str,
    *,
    options: Mapping[str, Any] | None = None,
    age: str = "1 d",
    extrapolate: bool = False,
    cell_bits: int = 2,
    plugins: Iterable[Path | str] = (),
) -> CellDetails:
    """Draw cells of a model at each level; check its law first.

    Args:
        model: name of a cell model, or path of a device file.
        options: options of the cell model.
        age: time since programming, such as ``1 d``.
        extrapolate: whether the age may lie outside the measured ages.
        cell_bits: bits of a cell, 1 to 6.
        plugins: bare plugin files to load as well.

    Raises:
        UnknownNameError: there is no such cell model.
        PluginContractError: an option, the age or the law is not usable.
        DataError: the device file cannot be read.
    """
    if not 1 <= cell_bits <= 6:
        raise PluginContractError("a cell of this size is not drawn", expected="1 to 6 bits", found=cell_bits)
    given = {
        "cell_model": str(model),
        "cell_age": age,
        "cell_options": dict(options or {}),
        "extrapolate_age": extrapolate,
    }
    try:
        wanted = Nonideality.model_validate(given)
    except ValidationError as error:
        raise option_error(error, Nonideality, f"cell model {str(model)!r}", None) from error
    device = find_device(load_registry(plugins), wanted)
    if device is None:
        raise PluginContractError(
            "ideal cells have nothing to draw", expected="a cell model or a device file", found=model
        )
    numbers = {name: value for name, value in vars(device.law).items() if not callable(value)}
    return CellDetails(str(model), {**numbers, "age_s": wanted.age_s}, tuple(_draw_levels(device, 2**cell_bits - 1)))


def _draw_levels(device: Device, top: int) -> Iterator[dict[str, Any]]:
    """Draw cells at each level, without stuck cells."""
    generator, targets = np.random.default_rng(0), device.levels_us(top)
    shape = (top + 1, DRAWN)
    target = np.ascontiguousarray(np.broadcast_to(targets[:, None], shape))
    programmed, later = (generator.standard_normal(shape, dtype=np.float32) for _ in range(2))
    programmed = device.program(target, programmed)
    g = device.age(programmed, target, later)
    noise, means = device.read_sigma(g, programmed).mean(axis=1), g.mean(axis=1)
    edges = np.linspace(0, float(np.quantile(g[-1], 0.999)), COLUMNS + 1)
    for level, cells in enumerate(g):
        nearest, counts = np.abs(cells - means[:, None]).argmin(axis=0), np.histogram(cells, edges)[0]
        numbers = (targets[level], means[level], cells.std(), noise[level], (nearest != level).mean())
        bars = np.ceil(counts / counts.max() * (len(BARS) - 1)).astype(int)
        yield {
            "level": level,
            **{name: float(number) for name, number in zip(LEVEL[1:-1], numbers, strict=True)},
            "drawing": "".join(BARS[bar] for bar in bars),
        }
