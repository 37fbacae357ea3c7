"""Limits of arrays: the voltage drop of a column against a network of resistors, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from dse.cost.limits import MOST_LOST, ON_OFF, ON_OHM, WIRE_OHM, adc_bits_needed, find_clipping, find_drop, lost_current
from tests.support.workloads import geometry


def lost_in_a_network(rows: int) -> float:
    """Solve Kirchhoff's laws for a column: half of the wordlines are driven, and half of the cells are on.

    Each cell lies between a source of 1 V and its node of the wire; the wire ends at a converter's virtual ground.
    """
    cell = (1 + 1 / ON_OFF) / (4 * ON_OHM)
    matrix = np.zeros((rows, rows))
    for node in range(rows):
        matrix[node, node] += cell + 1 / WIRE_OHM  # to the next node, or to ground behind the last one
        if node + 1 < rows:
            matrix[node + 1, node + 1] += 1 / WIRE_OHM
            matrix[node, node + 1] = matrix[node + 1, node] = -1 / WIRE_OHM
    voltages = np.linalg.solve(matrix, np.full(rows, cell))
    arriving = voltages[-1] / WIRE_OHM
    return float((rows * cell - arriving) * ON_OHM)


@pytest.mark.parametrize("rows", [64, 128, 256, 512])
def test_the_formula_is_a_network_of_resistors(rows: int) -> None:
    assert lost_current(np.array([float(rows)]))[0] == pytest.approx(lost_in_a_network(rows), rel=0.025)


def test_accountings_numbers_are_reached() -> None:
    """128 rows lose 1.7 currents, and pass; 256 lose 11.6, and fail."""
    lost = lost_current(np.array([128.0, 256.0]))
    np.testing.assert_allclose(lost, [1.7, 11.6], atol=0.05)
    limit = find_drop(geometry(points=2, rows=np.array([128, 256])))
    assert (limit.amount > 0).tolist() == [False, True]
    np.testing.assert_allclose(limit.amount, lost - MOST_LOST)


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, 8),
        ({"cell_bits": 2}, 9),
        ({"cell_bits": 2, "encoding": 2}, 8),
        ({"rows": 256, "columns": 256}, 9),
        ({"dac_bits": 2}, 9),
        ({"rows": 64, "columns": 64}, 7),
    ],
)
def test_a_converter_holds_the_sum_of_a_full_column(changes: dict[str, int], bits: int) -> None:
    assert adc_bits_needed(geometry(**changes))[0] == bits
    assert find_clipping(geometry(**changes, adc_bits=6)).amount[0] == bits - 6
