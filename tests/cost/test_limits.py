"""Limits of arrays: the voltage drop of a column against a network of resistors, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from dse.cost.limits import MOST_LOST, ON_OFF, ON_OHM, WIRE_OHM, find_limits, lost_current
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
    (limit,) = find_limits(geometry(points=2, rows=np.array([128, 256])))
    assert (limit.amount > 0).tolist() == [False, True]
    np.testing.assert_allclose(limit.amount, lost - MOST_LOST)
