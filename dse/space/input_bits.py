"""Input bits of a space file: they belong to the design and stand with compressors; older files have them under hardware."""

import warnings
from typing import Any, TypeAlias

from dse.errors import DseError, SpaceError
from dse.records.design import PluginParameter
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import KINDS, Kind
from dse.space.file import SpaceFile

NAME = INPUT_BITS.name
Tables: TypeAlias = dict[tuple[Kind, str], dict[str, Any]]


def place_input_bits(
    space: SpaceFile, parameters: tuple[PluginParameter, ...], problems: list[DseError]
) -> tuple[Tables, dict[str, str]]:
    """Give every compressor the input bits that a space file states once for all of them.

    Args:
        space: the validated file.
        parameters: parameters that the plugins declare, those that the core adds included.
        problems: list that receives an error for each older entry that disagrees with another entry.

    Returns:
        The entries of each plugin by parameter, and the place of an entry by the full name of the parameter that received it.
    """
    tables: Tables = {
        (kind, name): dict(space.kind(kind).table(name).parameters)
        for kind in KINDS
        for name in space.kind(kind).plugins
    }
    having = [(item.kind, item.plugin) for item in parameters if item.parameter.name == NAME]
    stated = space.compressor.input_bits
    shared = {} if stated is None else {space.where("compressor", NAME): stated}
    compressors = [at for at in having if at[0] == "compressor"]
    own = {space.where(*at, "parameters", NAME): tables[at][NAME] for at in compressors if NAME in tables[at]}
    # Hardware of contract 1 may declare input bits of its own, and then keeps its entry.
    older = [at for at in tables if compressors and at[0] == "hardware" and at not in having and NAME in tables[at]]
    old = {space.where(*at, "parameters", NAME): tables[at].pop(NAME) for at in older}
    entries, reason = {**shared, **own, **old}, "input bits are given twice, and differ"
    for where, value in old.items():
        others = [f"{other}, as in {place}" for place, other in entries.items() if other != value]
        problems += [
            SpaceError(reason, where=where, expected=text, found=value, fix=_fix(value)) for text in others[:1]
        ]
        warnings.warn(f"{where}: {_fix(value)}", FutureWarning, stacklevel=2)
    places: dict[str, str] = {}
    for place, value in [*shared.items(), *old.items()][:1]:
        for at in compressors:
            if NAME not in tables[at]:
                tables[at][NAME], places[".".join((*at, NAME))] = value, place
    return tables, places


def _fix(value: Any) -> str:
    return f"input bits belong to the design, not to the chip: write `input_bits = {value}` in [compressor] instead"
