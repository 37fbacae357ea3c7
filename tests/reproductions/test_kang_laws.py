"""Published laws hold on synthetic differences: arrays are 1/n + r, energy of static products is 1 + r."""

from __future__ import annotations

import pytest

from benchmarks.problems import encoder
from reproductions.kang2021.laws import CELLS, KEPT, MODELS, ratios

MINILM = encoder(6, 384, 1536, 12)


@pytest.mark.parametrize("tasks", [1, 2, 4, 8])
@pytest.mark.parametrize("cell_bits", [1, 2, 4])
def test_the_laws_hold_at_every_number_of_tasks_and_cell_bits(tasks: int, cell_bits: int) -> None:
    for kept in KEPT:
        area, energy = ratios(MINILM, tasks, cell_bits, kept)
        r = CELLS[cell_bits] * kept
        assert area == pytest.approx(1 / tasks + r, abs=0.01)
        assert energy == pytest.approx(1 + r, rel=0.03)
        assert (area > 1) == (tasks == 1)


@pytest.mark.parametrize("name", MODELS)
def test_the_shape_of_a_model_does_not_change_the_law(name: str) -> None:
    """The paper's 74 and 76 % follow from the law; its 63 % for DistilBERT does not: that model's r must be larger."""
    sizes, published = MODELS[name]
    area, _ = ratios(encoder(*sizes), 8, 1, 1.0)

    assert area == pytest.approx(0.25, abs=0.001)
    assert (100 * (1 - area) == pytest.approx(published, abs=2)) == (published > 70)
