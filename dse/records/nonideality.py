"""Non-ideal arrays, as options of a hardware model: the cell model and its age, and real ADCs."""

import warnings
from typing import Any, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from dse.opened import without_folders
from dse.records.plugin import Options

Adc: TypeAlias = Literal["ideal", "real"]
IDEAL = "ideal"
"""Name of the cell model whose cells hold exactly what was stored."""
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "y": 365 * 86400.0}
"""Seconds of each unit of an age."""
OLD = ("spread", "sigma", "spread_scale", "read_after", "on_off_ratio", "stuck_on", "stuck_off")
"""Options before cell models: `_replace_old` gives the options that replace them."""


class Nonideality(Options):
    """Non-idealities of the arrays of a hardware model; all are off by default.

    The options of a hardware model may be a subclass, so that a space file can switch them on; see `dse.NonidealHardware`.

    Attributes:
        cell_model: name of a cell model, or path of a device file; ``ideal`` cells hold exactly what was stored.
        cell_options: options of the cell model.
        cell_age: time since programming, a number and s, min, h, d or y; cell models that do not age ignore it.
        extrapolate_age: whether an age outside the measured ages is allowed; the law then continues beyond its data.
        compensation: whether each array has one factor that takes back the mean drift of its cells since programming; the factor
            and its multiplications are charged.
        voltage_drop: whether the resistance of bitlines takes its share of each cell's current.
        cell_draws: unit of a draw. A weight is drawn at once from the mean and the variance of its code (``codes``), or cell by
            cell (``cells``), which is slow. Voltage drop, real ADCs, and columns that arrays hold with an extra column are
            always drawn cell by cell.
        adc: kind of conversions, exact or real. A real conversion has as many bits as the ADC; a design whose ADC has too few
            bits is then scored instead of refused.
        adc_range: share of the largest possible sum at which a real ADC saturates; by default its step is one unit.
        adc_rows: rows of a split that are scored with real ADCs, which are slow.
        draws: chips of independent cells that each design is scored on.
        noise_seed: seed of the draws.
    """

    cell_model: str = Field(default=IDEAL, min_length=1)
    cell_options: dict[str, Any] = Field(default_factory=dict)
    cell_age: str = "1 d"
    extrapolate_age: bool = False
    compensation: bool = False
    voltage_drop: bool = False
    cell_draws: Literal["codes", "cells"] = "codes"
    adc: Adc = "ideal"
    adc_range: float | None = Field(default=None, gt=0, le=1)
    adc_rows: int = Field(default=64, ge=10)
    draws: int = Field(default=3, ge=1)
    noise_seed: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _map_old(cls, values: Any) -> Any:
        """Give the cell model that old options mean."""
        if not isinstance(values, dict) or not set(OLD) & set(values):
            return values
        return _replace_old(values)

    @field_validator("cell_age")
    @classmethod
    def _readable(cls, text: str) -> str:
        read_age(text)
        return text

    @property
    def is_off(self) -> bool:
        """Whether nothing is switched on."""
        return not self.cells_differ and self.adc == "ideal"

    @property
    def cells_differ(self) -> bool:
        """Whether a cell may read as a value that differs from the stored one."""
        return self.cell_model != IDEAL

    @property
    def age_s(self) -> float:
        """Time since programming, s."""
        return read_age(self.cell_age)

    def recipe(self) -> dict[str, Any]:
        """Return everything that one draw depends on, besides the code and the data of the cell model."""
        names = [name for name in Nonideality.model_fields if name not in ("draws", "adc_rows")]
        return {name: without_folders(getattr(self, name)) for name in names}


def read_age(text: str) -> float:
    """Return an age in s from a number and a unit, such as ``1 d``.

    Raises:
        ValueError: the text is not a number with a unit, or the number is not finite and above 0.
    """
    number, _, unit = text.strip().partition(" ")
    try:
        age_s = float(number) * SECONDS[unit.strip()]
    except (ValueError, KeyError):
        age_s = -1.0
    if not 0 < age_s < float("inf"):
        raise ValueError(f"expected a number above 0 and one of {', '.join(SECONDS)}, such as '1 d', found {text!r}")
    return age_s


def _replace_old(values: dict[str, Any]) -> dict[str, Any]:
    """Return options with the cell model that the old options name, drawn cell by cell as before."""
    old: dict[str, Any] = {"spread": "none", "sigma": 0.1, "spread_scale": 1.0, "read_after": "1 d"} | {
        name: values[name] for name in OLD if name in values
    }
    spread, new = old["spread"], {name: value for name, value in values.items() if name not in OLD}
    if spread not in ("none", "wan22", "lognormal"):
        raise ValueError(f"old option spread: expected none, wan22 or lognormal, found {spread!r}")
    for name in sorted(set(old) - {"spread", "read_after"}):
        if not isinstance(old[name], int | float):
            raise ValueError(f"old option {name}: expected a number, found {old[name]!r}")  # noqa: TRY004
    cells: dict[str, float] = {
        name: float(old[name]) for name in ("on_off_ratio", "stuck_on", "stuck_off") if name in old
    }
    if spread == "wan22":
        cells = {"stuck_on": 0.0, "stuck_off": 0.0, "scale": float(old["spread_scale"])} | cells
        new = {"cell_age": old["read_after"]} | new
    else:
        cells["sigma"] = old["sigma"] * old["spread_scale"] if spread == "lognormal" else 0.0
    if spread != "none" or cells.get("stuck_on") or cells.get("stuck_off"):
        model = "lognormal" if spread == "none" else spread
        new = {"cell_model": model, "cell_options": cells, "cell_draws": "cells"} | new
    told = (
        ", ".join(f"{name} = {value!r}" for name, value in new.items() if name not in values)
        or "nothing in their place"
    )
    names = ", ".join(name for name in OLD if name in values)
    warnings.warn(f"old options of arrays that are not ideal, {names}: write {told}", FutureWarning, stacklevel=2)
    return new
