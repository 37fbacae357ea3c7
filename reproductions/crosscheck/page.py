"""The numbers of the page that compares our hardware models with others, from the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dse_plugins.hardware.adc_laws import LAWS
from scipy.stats import spearmanr

from benchmarks.pages import DOCS, fill, table
from reproductions.crosscheck.comparisons import COMPARISONS, QUANTITIES, Comparison, spearman
from reproductions.crosscheck.macros import POINTS, Macros, ours, peer
from reproductions.crosscheck.pairs import TIED, Group, disagreements

PAGE = DOCS / "crosscheck.md"
TEMPLATE = Path(__file__).parent / "page.md.template"


def page(record: dict[str, Any]) -> str:
    """Return the page.

    Args:
        record: costs of the peers, as `reproductions.crosscheck.run` records them.
    """
    values = {
        "points": str(len(POINTS)),
        "pairs": str(len(POINTS) * (len(POINTS) - 1) // 2),
        "correlations": _correlations(record),
        "laws": _laws(record),
    }
    for item in COMPARISONS:
        for what, column in QUANTITIES.items():
            groups = disagreements(*item.both(record), column)
            name = f"{item.peer}.{item.model}.{what}"
            values[f"{name}.pairs"] = str(sum(group.pairs for group in groups))
            if groups:
                values[f"{name}.table"] = _disagreements(item, groups, record, column)
    return fill(TEMPLATE, values)


def causes(record: dict[str, Any]) -> dict[str, list[str]]:
    """Return the causes of disagreement by comparison, which the page explains one by one."""
    return {
        f"{item.peer} and `{item.model}`, {what}": list(
            dict.fromkeys(group.cause for group in disagreements(*item.both(record), column))
        )
        for item in COMPARISONS
        for what, column in QUANTITIES.items()
    }


def _correlations(record: dict[str, Any]) -> str:
    rows = []
    for item in COMPARISONS:
        found = [
            f"{spearman(item, record, column, by_weight=by_weight):.3f}"
            for by_weight in (False, True)
            for column in QUANTITIES.values()
        ]
        rows.append([item.peer, f"`{item.model}`", *found])
    return table(["peer", "ours", *(f"{what}, by {unit}" for unit in ("macro", "weight") for what in QUANTITIES)], rows)


def _laws(record: dict[str, Any]) -> str:
    rows = []
    for item in COMPARISONS:
        theirs = peer(record[item.asked])
        cells = []
        for law in LAWS:
            mine = ours(item.model, item.sharing, law=law, node_nm=item.node_nm)
            cells.append(", ".join(f"{_rank(mine, theirs, column):.3f}" for column in QUANTITIES.values()))
        rows.append([item.peer, f"`{item.model}`", *cells])
    return table(["peer", "ours", *LAWS], rows)


def _rank(mine: Macros, theirs: Macros, column: str) -> float:
    return float(spearmanr(mine.total(column), theirs.total(column)).statistic)


def _disagreements(item: Comparison, groups: list[Group], record: dict[str, Any], column: str) -> str:
    mine, theirs = item.both(record)
    head = ("pairs", "cause", "knobs that differ", "ours says less", "ours says more", "ours", item.peer)
    return table(head, [_row(group, mine, theirs, column) for group in groups])


def _row(group: Group, mine: Macros, theirs: Macros, column: str) -> list[str]:
    at = [POINTS.index(point) for point in (group.first, group.second)]
    numbers = [" < ".join(_number(macros.total(column)[place]) for place in at) for macros in (mine, theirs)]
    if theirs.total(column)[at[0]] > theirs.total(column)[at[1]]:
        numbers[1] = numbers[1].replace(" < ", " > ")
    if group.cause == TIED:
        numbers[0] = numbers[0].replace(" < ", " = ")
    return [str(group.pairs), group.cause, group.knobs, _named(group.first), _named(group.second), *numbers]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _named(point: dict[str, int]) -> str:
    return f"{point['size']}, ADC {point['adc_bits']} b, cell {point['cell_bits']} b"
