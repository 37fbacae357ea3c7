"""The baseline ``best``: separate models in as few bits as post-training quantisation allows without a loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.cost.own_baseline import PAPER, Scheme

LOSS = 0.25
"""Points that the tasks may lose in the mean: fewer bits that lose no more count as lossless."""
ROWS = 500
"""Search rows that a task needs to count: on fewer rows, a loss of `LOSS` points cannot be seen."""
MAGNITUDE_BITS = (5, 4, 3, 2, 1)
INPUT_BITS = (7, 6, 5, 4)
"""Bits that are tried, from many to few; 8 input bits lose nothing by definition."""


@dataclass(frozen=True, slots=True)
class Best:
    """Bits of the baseline ``best``, one width for all matrices of all tasks.

    Attributes:
        magnitude_bits: bits of a weight's magnitude; the sign comes on top. Each output has its own grid.
        input_bits: bits of an activation.
        reason: how the bits were found, in one phrase.
    """

    magnitude_bits: int = 4
    input_bits: int = 8
    reason: str = "by convention, since no accuracy was measured"

    @property
    def scheme(self) -> Scheme:
        """The bits alone, as costs need them."""
        return Scheme(self.magnitude_bits, self.input_bits)

    @property
    def schemes(self) -> dict[str, Scheme]:
        """Bits of the baselines of ratios, by the suffix of their columns."""
        return {"": PAPER, "_best": self.scheme}

    def sentence(self) -> str:
        """Return the bits in one line."""
        return f"{self.magnitude_bits} magnitude bits and a sign, {self.input_bits} input bits, {self.reason}"


def find_best(score: Callable[[int, int, int], float], rows: Mapping[int, int], paper: Sequence[float]) -> Best:
    """Find the fewest bits that lose at most `LOSS` points to the 8-bit baseline, in the mean over tasks.

    First the magnitude bits are lowered at 8 input bits, then the input bits, until the mean loss is larger. A loss that
    falls again at still fewer bits is not looked for.

    Args:
        score: callable that scores a task, by its index, on the search split at some magnitude bits and input bits.
        rows: number of search rows of each task that counts, by the task's index.
        paper: score of each task's 8-bit baseline on the search split.
    """
    tasks = [task for task, count in rows.items() if count >= ROWS]
    if not tasks:
        return Best(reason=f"by convention, since no task that counts has {ROWS} search rows")

    def lossless(magnitude_bits: int, input_bits: int) -> bool:
        lost = [paper[task] - score(task, magnitude_bits, input_bits) for task in tasks]
        return 100 * float(np.mean(lost)) <= LOSS

    bits, input_bits = MAGNITUDE_BITS[0], 8
    for fewer in MAGNITUDE_BITS:
        if not lossless(fewer, input_bits):
            break
        bits = fewer
    for fewer in INPUT_BITS:
        if not lossless(bits, fewer):
            break
        input_bits = fewer
    return Best(bits, input_bits, f"the fewest that lose at most {LOSS} points on the search split")
