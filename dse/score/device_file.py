"""Device files: what was measured of a cell, per level and age, as TOML or CSV with units and source."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dse.errors import DataError
from dse.input_errors import option_error
from dse.opened import note
from dse.records.arrays import Floats
from dse.records.cells import CellLaw, Conductances, keep

ENDINGS = (".toml", ".csv")
Positive: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Column: TypeAlias = tuple[Positive, ...]


class DeviceFile(BaseModel):
    """Entries of a device file; the name of each ends in its unit. Columns have one number per age and level.

    Attributes:
        source: paper, table or lab book.
        target_us: targets of the levels, ascending, uS.
        sigma_us: standard deviation of the conductance, uS.
        mean_us: mean of the conductance, uS; by default the target.
        read_sigma_us: standard deviation of one read, uS.
        age_s: time since programming, s, ascending; for each age the same levels.
        drift: exponent of the power of time by which a conductance falls.
        drift_sigma: standard deviation of this exponent over cells.
        drift_from_s: age from which the power of time holds, s, without a column of ages.
        drift_to_s: age up to which it was measured, s.
        on_off_ratio: largest conductance over that of a cell that holds 0; by default that of the first and the last level.
        stuck_on: share of cells stuck at the largest conductance.
        stuck_off: share of cells stuck at the conductance of 0.
        wire_ohm: resistance of the bitline between two neighbouring cells, ohm.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1)
    target_us: Column
    sigma_us: Column
    mean_us: Column = ()
    read_sigma_us: Column = ()
    age_s: Column = ()
    drift: tuple[float, ...] = ()
    drift_sigma: Column = ()
    drift_from_s: float = Field(default=1.0, gt=0)
    drift_to_s: float | None = None
    on_off_ratio: float | None = Field(default=None, gt=1)
    stuck_on: Positive = 0.0
    stuck_off: Positive = 0.0
    wire_ohm: Positive = 0.0


@dataclass(frozen=True)
class Measured:
    """The law of a table: linear between levels, and between ages in their logarithm; a cell keeps its rank at every age.

    Attributes:
        levels: targets, uS, shape (L,).
        log_ages: logarithms of the ages in s, shape (A,).
        columns: the columns by name, shape (A, L).
    """

    levels: Floats
    log_ages: Floats
    columns: Mapping[str, Floats]

    def program(self, target: Conductances, normal: Conductances) -> Conductances:
        """Draw conductances at the first age."""
        return self._at("mean_us", target) + self._at("sigma_us", target) * normal

    def age(self, g: Conductances, target: Conductances, age_s: float, normal: Conductances) -> Conductances:
        """Move conductances with the mean and the deviation of their level, and by its power of time."""
        before, after = self._at("sigma_us", target), self._at("sigma_us", target, age_s).clip(min=0)
        ratio = np.divide(after, before, out=np.ones_like(before), where=before > 0)
        moved = self._at("mean_us", target, age_s) + (g - self._at("mean_us", target)) * ratio
        exponent = self._at("drift", target, age_s) + self._at("drift_sigma", target, age_s) * normal
        return np.asarray(moved * np.exp(np.float32(self.log_ages[0] - np.log(age_s)) * exponent))

    def read_sigma(self, g: Conductances, programmed: Conductances, age_s: float) -> Conductances:
        """Return the read noise at the level of the programmed conductances."""
        del g
        return self._at("read_sigma_us", programmed, age_s).clip(min=0)

    def _at(self, name: str, target: Conductances, age_s: float | None = None) -> Conductances:
        """Return a column at targets, at an age or the first one."""
        table, ages = self.columns[name], self.log_ages
        row = table[0]
        if age_s is not None and len(ages) > 1:
            index = int(np.searchsorted(ages, np.log(age_s)).clip(1, len(ages) - 1))
            share = (np.log(age_s) - ages[index - 1]) / (ages[index] - ages[index - 1])
            row = table[index - 1] + share * (table[index] - table[index - 1])
        return np.asarray(np.interp(target, self.levels, row), dtype=np.float32)


def read_device(path: Path, options: Mapping[str, Any]) -> CellLaw:
    """Read a device file.

    Args:
        path: file, a .toml or .csv.
        options: entries that replace those of the file.

    Raises:
        DataError: the file cannot be read, or its levels are not usable.
        PluginContractError: an entry is missing, unknown, as it is without its unit, or not usable.
    """
    note(path.resolve())
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text) if path.suffix == ".toml" else _read_csv(text)
    except (OSError, ValueError) as error:
        raise DataError(f"the device file cannot be read: {error}", where=path) from error
    try:
        return _build_law(DeviceFile.model_validate(raw | dict(options)), path)
    except ValidationError as error:
        raise option_error(error, DeviceFile, "a device file", path) from error


def _read_csv(text: str) -> dict[str, Any]:
    """Return the table of a CSV file, and the lines of TOML in its comments."""
    import pandas as pd

    raw = tomllib.loads("\n".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#")))
    table = pd.read_csv(StringIO(text), comment="#", skipinitialspace=True)
    return raw | {str(name): column.tolist() for name, column in table.items()}


def _build_law(entries: DeviceFile, path: Path) -> CellLaw:
    """Return the law of the entries."""
    size, ages = len(entries.target_us), np.unique(entries.age_s or (entries.drift_from_s,))
    names = ("mean_us", "sigma_us", "read_sigma_us", "drift", "drift_sigma")
    columns = {name: np.array(getattr(entries, name) or np.zeros(size)) for name in names}
    targets = np.array(entries.target_us)
    columns["mean_us"] = np.array(entries.mean_us or entries.target_us)
    whole = (
        all(len(column) == size for column in (*columns.values(), entries.age_s or targets)) and size % len(ages) == 0
    )
    levels = targets[: size // len(ages)]
    sorted_by_age = whole and np.array_equal(entries.age_s or ages.repeat(size), ages.repeat(len(levels)))
    if not sorted_by_age or not np.array_equal(targets, np.tile(levels, len(ages))) or len(levels) < 2 or not ages[0]:
        expected = "columns of one length, with the same 2 or more levels for each age above 0, sorted by age and level"
        raise DataError(
            "the levels are not a whole table", where=path, expected=expected, found=f"targets {targets.tolist()}"
        )
    columns = {name: column.reshape(len(ages), -1) for name, column in columns.items()}
    if (np.diff(levels) <= 0).any() or (np.diff(columns["mean_us"]) <= 0).any():
        given = f"targets {levels.tolist()}, means {columns['mean_us'].tolist()}"
        raise DataError("the levels are out of order", where=path, expected="rising targets and means", found=given)
    if (entries.drift or entries.drift_sigma) and len(ages) < 2 and not entries.drift_to_s:
        raise DataError("drift has no range of ages", where=path, expected="drift_to_s, or several ages in age_s")
    measured, top = Measured(levels, np.log(ages), columns), float(levels[-1])
    last = float(ages[-1]) if entries.drift_to_s is None else entries.drift_to_s
    ranges = tuple(sorted({*ages.tolist(), last})) if entries.age_s or entries.drift_to_s else ()
    return CellLaw(
        program=measured.program,
        age=measured.age if ranges else keep,
        read_sigma=measured.read_sigma,
        g_min_us=top / entries.on_off_ratio if entries.on_off_ratio else float(levels[0]),
        g_max_us=top,
        ages_s=ranges,
        levels_us=tuple(levels.tolist()),
        **{name: getattr(entries, name) for name in ("stuck_on", "stuck_off", "wire_ohm")},
    )
