"""The closed laws of Kang et al., ICCAD 2021: arrays are 1/n + r of the baseline's, energy of static products 1 + r.

r is the share of the cells of a task's 8-bit weights that its delta takes: ternary in separate arrays 0.125, 0.25 and 0.5 at
1, 2 and 4 bits per cell, times the share of columns kept. Deltas here are synthetic; nothing is loaded or trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import Statistics, costed_problem, encoder, shapes
from dse.records.design import DesignPoint

TASKS = (1, 2, 4, 8)
CELLS = {1: 0.125, 2: 0.25, 4: 0.5}
HARDWARE = {
    1: {"cell_bits": 1, "adc_bits": 8},
    2: {"cell_bits": 2, "adc_bits": 9},
    4: {"cell_bits": 4, "adc_bits": 10, "array_size": 64},
}
"""The paper keeps 8-bit ADCs at every cell width; columns' sums need the bits given here, at 4 bits with smaller arrays."""
KEPT = (1.0, 2 / 3, 1 / 3)
"""Shares of columns kept that are whole arrays: 384 outputs are three of them, 1536 twelve."""
MODELS = {
    "BERT-large": ((24, 1024, 4096, 16), 74),
    "RoBERTa-base": ((12, 768, 3072, 12), 76),
    "DistilBERT": ((6, 768, 3072, 12), 63),
}
"""Layers, width, feed-forward width and heads, and by how many per cent the paper says the area of eight tasks falls."""
STATIC = ("arrays", "adc", "dac", "sample_hold", "shift_add", "registers", "buffer", "bus", "router")
"""Components of `isaac` that static products use; the digital unit and what leaves the chip are the same in both."""


class Ternary(Statistics):
    """Context in which one magnitude bit holds every difference."""

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Cosines of 1 from the first bit on."""
        drawn = super().cached(name, key, make)
        cosine = np.ones_like(drawn["cosine"])
        cosine[..., 0] = 0.0
        return drawn | {"cosine": cosine}


def ratios(shape: dse.Encoder, tasks: int, cell_bits: int, kept: float) -> tuple[float, float]:
    """Measure array_area_ratio, and the ratio of energy of static products, of one design.

    The baseline has the same cells, so that what is compared is the decomposition.
    """
    workload = shapes(tasks, shape)
    problem, _ = costed_problem(workload, reference=HARDWARE[cell_bits])
    problem.plugin("compressor", "two-stage").prepare(Ternary(workload))
    names = ("independent", "two-stage", "searched", "isaac")
    values: dict[str, Any] = dict(problem.default_point(names).values)
    values |= {f"hardware.isaac.{name}": value for name, value in HARDWARE[cell_bits].items()}
    values["compressor.two-stage.selective"] = (1.0 - kept,) * tasks
    values["compressor.two-stage.max_bits"] = (cell_bits,) * tasks
    cost = problem.cost([DesignPoint(*names, values)])[0]
    base = dict(zip(problem.baseline.names, problem.baseline.energy[0], strict=True))
    spent = sum(cost.energy[name] for name in STATIC)
    return float(cost.metrics["array_area_ratio"] or 0), spent / sum(float(base[name]) for name in STATIC)


def errors() -> Iterator[tuple[float, float]]:
    """Give the difference of arrays from 1/n + r, and of energy from 1 + r as a share, of every design of the grid."""
    for tasks in choose_size(TASKS, TASKS[:2]):
        for cell_bits, share in CELLS.items():
            for kept in KEPT:
                area, energy = ratios(encoder(6, 384, 1536, 12), tasks, cell_bits, kept)
                r = share * kept
                yield abs(area - (1 / tasks + r)), abs(energy / (1 + r) - 1)


@measures("kang.law_max_error", "kang.law_max_energy_error")
def laws() -> Iterator[Figure]:
    """Compare every design of the grid with the laws."""
    found = np.array(list(errors()))
    compared = "1/n + r, 1, 2, 4, 8 tasks at 1, 2, 4 bits per cell; synthetic ternary deltas, a third to all kept"
    yield Figure("kang.law_max_error", float(found[:, 0].max()), "ratio", "<= 0.01", compared)
    compared = "1 + r of the baseline's static products, the same grid"
    yield Figure("kang.law_max_energy_error", float(found[:, 1].max()), "share", "<= 0.03", compared)
