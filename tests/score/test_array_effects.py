"""Effects of whole arrays: compensation against sums by hand, and the voltage drop against a network of resistors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.score.array_effects import ACTIVE, attenuate, compensate


def current(g: np.ndarray, driven: np.ndarray, ohm: float) -> float:
    """Current that leaves a bitline at its sense amplifier (0 V), by Kirchhoff's laws; cells of driven wordlines are at 1 V, others cut off."""
    g = g * driven
    count, wire = len(g), 1 / ohm
    conductance = np.zeros((count, count))
    for node in range(count):
        conductance[node, node] += g[node] + wire
        if node:
            conductance[node - 1, node - 1] += wire
            conductance[node, node - 1] -= wire
            conductance[node - 1, node] -= wire
    return float(np.linalg.solve(conductance, g)[0] * wire)


@pytest.mark.parametrize(("rows", "ohm"), [(16, 1.0), (64, 1.0), (128, 0.2), (128, 1.0)])
def test_the_drop_is_that_of_a_resistor_network_to_the_first_order(rows: int, ohm: float) -> None:
    """Cells of 1 to 40 uS, half of the wordlines driven: the mean over inputs of what a column loses."""
    chance = np.random.default_rng(0)
    g = chance.choice([1e-6, 40e-6], rows)
    inputs = (chance.random((400, rows)) < ACTIVE).astype(float)
    exact = np.mean([current(g, driven, ohm) for driven in inputs])
    found = attenuate(g[None], rows, ohm)[0]
    ideal, first = float((inputs @ g).mean()), float((inputs @ found).mean())
    lost = 1 - exact / ideal
    assert 1 - first / ideal == pytest.approx(lost, rel=float(0.02 + 1.5 * lost))
    assert lost > 0


def test_each_block_of_rows_has_a_bitline_of_its_own() -> None:
    g = np.random.default_rng(1).random((3, 20))
    whole = attenuate(g, 8, 0.01)
    for start in range(0, 20, 8):
        np.testing.assert_allclose(whole[:, start : start + 8], attenuate(g[:, start : start + 8], 8, 0.01), rtol=1e-6)
    assert (whole < g).all()


@settings(derandomize=True, max_examples=30, deadline=None)
@given(outputs=st.integers(1, 9), inputs=st.integers(1, 9), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_compensation_restores_the_sum_of_each_array(outputs: int, inputs: int, rows: int, columns: int) -> None:
    chance = np.random.default_rng(outputs * 100 + inputs)
    programmed, aged = chance.random((outputs, inputs)) + 0.1, chance.random((outputs, inputs)) + 0.1
    factor = compensate(programmed, aged, rows, columns)
    for top in range(0, outputs, columns):
        for left in range(0, inputs, rows):
            place = np.s_[top : top + columns, left : left + rows]
            assert len(np.unique(factor[place])) == 1
            assert (factor * aged)[place].sum() == pytest.approx(programmed[place].sum(), rel=1e-6)


def test_an_array_without_conductance_is_left_as_it_is() -> None:
    assert compensate(np.ones((2, 2)), np.zeros((2, 2)), 2, 2).tolist() == [[1, 1], [1, 1]]
