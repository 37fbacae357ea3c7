"""Costs of a study's designs under other assumptions of their hardware model, such as other ADC laws.

A hardware model may have a method ``alternatives``: factors of its components' costs under each assumption it knows. Rows
hold the costs of every component, so a design is costed again without its model, tasks or data.
"""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dse.errors import StudyError
from dse.opened import hashes_of, heard
from dse.plugins.contract import HardwareWithAlternatives
from dse.plugins.registry import load_registry
from dse.records.arrays import Floats, Ints
from dse.records.callbacks import MessageCallback, ignore_message
from dse.records.charges import Alternative
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.results.files import PROVENANCE, SPACE
from dse.results.points import PREFIX
from dse.results.read import read_provenance
from dse.results.sections import Section
from dse.space.file import load

COSTS = {"area": "area_mm2", "energy": "energy_uj"}
"""Prefix of components' columns, and the column of their sum."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """Costs of designs under one assumption.

    Attributes:
        name: name of the assumption.
        costs: `area_mm2` and `energy_uj` of the designs whose model knows the assumption, by their index in the trials.
    """

    name: str
    costs: pd.DataFrame


def assumptions(
    trials: pd.DataFrame, folder: Path, *, trust: bool = False, say: MessageCallback = ignore_message
) -> list[Assumption]:
    """Cost a study's designs again under every assumption of their hardware models.

    Args:
        trials: rows of the study, or some of them.
        folder: folder of the study; its space file names the options of the models.
        trust: whether to run the plugin files that this space file names; otherwise only installed plugins count.
        say: callback for a line that says which model was left out, and why.

    Returns:
        Costs per assumption, without the designs whose model is missing, offers no assumption or refuses their parameters.
    """
    costed = trials[trials["area_mm2"].notna() & trials["energy_uj"].notna()]
    parts_by_name: dict[str, list[pd.DataFrame]] = {}
    for name, rows in costed.groupby("hardware", sort=True):
        for item in _ask_model(folder / SPACE, str(name), rows, trust=trust, say=say):
            parts_by_name.setdefault(item.name, []).append(_cost_again(item, rows))
    return [Assumption(name, pd.concat(parts).sort_index()) for name, parts in parts_by_name.items()]


def section(
    trials: pd.DataFrame, trial: int, folder: Path, *, trust: bool = False, say: MessageCallback = ignore_message
) -> Section | None:
    """Return the costs of one trial under every assumption (see `assumptions`); None if there is no assumption."""
    rows = trials[trials["trial"] == trial]
    lines = []
    for item in assumptions(rows, folder, trust=trust, say=say):
        line: dict[str, Any] = {"assumption": item.name}
        for cost, column in COSTS.items():
            now, other = float(rows[column].iloc[0]), float(item.costs[column].iloc[0])
            line |= {column: other, f"{cost}_change_percent": 100 * (other / now - 1)}
        lines.append(line)
    columns = ("assumption", "area_mm2", "area_change_percent", "energy_uj", "energy_change_percent")
    return Section("cost under other assumptions", columns, tuple(lines)) if lines else None


def _ask_model(
    space: Path, name: str, rows: pd.DataFrame, *, trust: bool, say: MessageCallback
) -> tuple[Alternative, ...]:
    """Ask a hardware model for the alternatives of some designs."""
    prefix = f"{PREFIX}hardware.{name}."
    names = [column for column in map(str, rows.columns) if column.startswith(prefix)]
    left_out = f"costs of hardware {name!r} under other assumptions are left out"
    try:
        values = {column.removeprefix(prefix): np.array(rows[column].tolist()) for column in names}
        values.setdefault(INPUT_BITS.name, _input_bits(rows))
        with redirect_stdout(sys.stderr), heard() as files:  # text that a plugin prints is not a result
            file = load(space)
            registry = load_registry(file.plugin_paths if trust else ())
            if file.plugin_paths and not trust and name not in registry.records("hardware"):
                say(f"{left_out}: --trust runs the code in {', '.join(map(str, file.plugin_paths))}")
                return ()
            plugin = registry.build("hardware", name, file.hardware.table(name).options)
            offers = isinstance(plugin, HardwareWithAlternatives)
            alternatives = tuple(plugin.alternatives(Params(len(rows), values))) if offers else ()
        _check_files(space.parent, name, hashes_of(files))
    except Exception as error:  # the study was made with another version of the model, or without it
        say(f"{left_out}: {'; '.join(line.strip() for line in str(error).splitlines()) or type(error).__name__}")
        return ()
    return alternatives


def _input_bits(rows: pd.DataFrame) -> Ints:
    """Return the input bits of each row, which stand with its compressor; rows of older tables have the usual ones."""
    names = [f"{PREFIX}compressor.{name}.{INPUT_BITS.name}" for name in rows["compressor"]]
    cells = [rows[name].iloc[at] if name in rows else None for at, name in enumerate(names)]
    return np.array([INPUT_BITS.default if cell is None else int(cell) for cell in cells])


def _check_files(folder: Path, name: str, hashes: Mapping[str, str]) -> None:
    """Refuse a model that reads files that have changed since the study was costed.

    Raises:
        StudyError: a file has changed.
    """
    sessions = read_provenance(folder)["sessions"] if (folder / PROVENANCE).is_file() else [{}]
    recorded: Mapping[str, str] = sessions[-1].get("digests", {})
    for file, content in hashes.items():
        if recorded.get(f"file.hardware.{name}.{file}", content) != content:
            raise StudyError("a file of the model is not the one that the study was costed with", where=file)


def _cost_again(item: Alternative, rows: pd.DataFrame) -> pd.DataFrame:
    changed = {}
    for cost, column in COSTS.items():
        factors: dict[str, Floats] = dict(getattr(item, cost))
        present = [name for name in factors if f"{cost}.{name}" in rows]
        extra = [rows[f"{cost}.{name}"].fillna(0.0).to_numpy(float) * (factors[name] - 1) for name in present]
        changed[column] = rows[column].astype(float) + sum(extra)
    return pd.DataFrame(changed, index=rows.index)
