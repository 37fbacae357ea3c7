"""The page of the cross-check, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.crosscheck import COMPARISONS, QUANTITIES, Comparison, spearman
from benchmarks.crosscheck_pairs import SEVERAL, TIED, Group, disagreements
from benchmarks.macros import POINTS, Macros, ours, peer
from dse_plugins.hardware.adc_laws import LAWS
from scipy.stats import spearmanr

from benchmarks.pages import table

PAGE = Path(__file__).parent.parent / "docs" / "crosscheck.md"
PAIRS = len(POINTS) * (len(POINTS) - 1) // 2
HEAD = f"""# Our hardware models beside others

A macro is one array with its drivers, converters and shift-and-add, without registers and buffers. Its area, and the energy of
one product of an 8-bit input vector with the whole array, are compared over {len(POINTS)} points: arrays of 32 to 512 rows and
columns, ADCs of 4 to 10 bits, cells of 1, 2 and 4 bits, inputs of 1 bit a cycle. What is compared is the rank: absolute values
of such models differ by orders of magnitude with node, device and what is included.

`make -s bench ONLY=crosscheck` compares the recorded peers with our models as they are; with `FULL=1` it makes an environment
for each peer, asks it anew and writes this page.

## What is compared with what

| | zigzag-dse 3.9.1, AIMC macro | hwcomponents 1.0.114 |
|---|---|---|
| node | 28 nm | 32 nm beside `isaac`, 28 nm beside `neurosim` |
| ADCs, in both | one a bitline: it knows no other | one an array, 1.28 GS/s, all bitlines in turn |
| array | a 1-bit multiplier a cell (SRAM), bitline capacitance, no drivers | NeuroSim's 1T1R cells and drivers; ISAAC's device beside `isaac` |
| ADC | a law of its own for area and energy | the survey's regression |
| shift-and-add | adder tree over the slices of a weight, accumulator a weight | NeuroSim's, one a converter |
| cell bits | slices of a weight | not known within an array |
| ours | `isaac` at 32 nm; `neurosim` at 28 nm, between two nodes of its table | likewise |

`isaac` takes no cost from either peer. `neurosim` takes none from zigzag, but all from hwcomponents: there it only shows that
the table and its interpolation keep the order. A figure without a suffix is the lower one of the models that take nothing from
the peer.

## Rank correlation (Spearman)

"""
LAWS_TEXT = """
For each 8-bit weight: the macro's area over the weights it holds, its energy over the multiplications it does; cell bits then
count in all models.

With the other ADC laws, by macro, energy and area:

"""
WHY_HEAD = f"""
## Every disagreement

Of the {PAIRS} pairs of points, those that ours ranks otherwise than the peer does. A part is the cause where taking that part's
cost from the peer, and nothing else, makes ours rank the pair as the peer does; with *or*, each of them is enough.

"""
WHY = {
    ("zigzag", "isaac", "energy", "array"): "ISAAC reads a cell for 1.83 fJ a cycle, zigzag for 0.57 fJ: where a large array with few ADC bits stands against a small one with many, ours weighs the array more",
    ("zigzag", "isaac", "energy", "converters"): "zigzag's conversion costs 5.1 times as much at 10 bits as at 4, ISAAC's 3.0 times",
    ("zigzag", "isaac", "energy", "digital"): "zigzag charges an adder tree and accumulators with more bits for wider codes, ISAAC the same shift-and-add for any",
    ("zigzag", "isaac", "area", "converters"): "zigzag's ADC grows 1.84-fold with each bit, ISAAC's 1.3-fold at 5 bits and 1.6-fold at 10: ours values a large array with few bits higher",
    ("zigzag", "neurosim", "energy", "converters"): "a conversion of the survey's costs 18 times as much at 10 bits as at 4 and little more at 7, zigzag's 5.1 times, evenly",
    ("zigzag", "neurosim", "area", "converters"): "the survey's ADC is nearly flat to 7 bits and 2.4 times as large at 10 as at 4, zigzag's 38 times: ADC bits decide zigzag's area, array size ours",
    ("hwcomponents", "isaac", "energy", "converters"): "a conversion of the survey's costs 18 times as much at 10 bits as at 4, ISAAC's 3.0 times",
    ("hwcomponents", "isaac", "area", "array"): "at 32 nm NeuroSim's cell takes 0.016 um2 and its drivers 4.0 um2 a row and 3.4 um2 a column; ISAAC publishes 0.0015 um2, 0.17 um2 and nothing: array size hardly moves ISAAC's macro of one ADC, and moves NeuroSim's",
    ("hwcomponents", "isaac", "area", "converters"): "the survey's ADC is nearly flat to 7 bits, ISAAC's grows from the first",
}  # fmt: skip
TIED_WHY = "cell bits alone: an array with its converters costs ours the same whatever its cells hold; zigzag has an adder tree and an accumulator for each weight, and wider cells make more weights of fewer slices"
SEVERAL_WHY = "no part is enough by itself: the array weighs more in ours, and wide conversions more in zigzag"
TAIL = """
## What follows

- zigzag ranks macros as either of our models does, by energy under every ADC law and by area under ISAAC's (0.98) and, just,
  the survey's (0.90); the linear law misses 0.9, as zigzag's own ADC is far from linear.
- hwcomponents does not rank `isaac`'s area as `isaac` does where one ADC serves an array: the target of 0.9 is missed, and not
  because of the converters. ISAAC publishes 11 times less area for a cell and 24 times less for a row's driver than NeuroSim
  computes. Who doubts the published numbers uses `neurosim`. Arrays of one size keep their order in both, and for each weight
  held the rank agrees (0.99).
- What ADC bits are worth depends on the law. `dse show` and `dse report` cost designs under each ([neurosim.md](neurosim.md)).
"""


def page(record: dict[str, Any]) -> str:
    """Put the page together."""
    parts = [HEAD, _correlations(record), LAWS_TEXT, _laws(record), WHY_HEAD]
    for item in COMPARISONS:
        for what, column in QUANTITIES.items():
            parts.append(_disagreements(item, what, *item.both(record), column))
    return "".join([*parts, TAIL.lstrip()])


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


def _disagreements(item: Comparison, what: str, mine: Macros, theirs: Macros, column: str) -> str:
    groups = disagreements(mine, theirs, column)
    title = f"### {item.peer} and `{item.model}`, {what}: {sum(group.pairs for group in groups)} pairs\n\n"
    if not groups:
        return f"{title}None.\n\n"
    head = ("pairs", "cause", "knobs that differ", "ours says less", "ours says more", "ours", item.peer)
    rows = [_row(group, mine, theirs, column) for group in groups]
    causes = dict.fromkeys(group.cause for group in groups)
    why = "".join(f"- *{cause}*: {_why(item, what, cause)}.\n" for cause in causes)
    return f"{title}{table(head, rows)}\n{why}\n"


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


def _why(item: Comparison, what: str, cause: str) -> str:
    if cause == TIED:
        return TIED_WHY
    if cause == SEVERAL:
        return SEVERAL_WHY
    return "; ".join(WHY[item.peer, item.model, what, part] for part in cause.split(" or "))
