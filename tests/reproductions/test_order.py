"""The order of tasks saves most where models are written for every request, and nothing where none is."""

from __future__ import annotations

import pytest

from reproductions.mgen2023.order import LAYERS, measured


def test_the_optimal_order_is_the_best_of_all_and_saves_less_the_larger_the_batch() -> None:
    found = [measured(batch) for batch in (1, 1024)]

    for orders in found:
        assert len(orders.energy_uj) == 5040
        assert orders.optimal_uj == pytest.approx(orders.energy_uj.min())
        assert orders.optimal_uj <= orders.listed_uj
    assert found[0].saving >= 0.2
    assert found[1].saving < found[0].saving / 5


def test_order_does_not_matter_where_tasks_share_nothing() -> None:
    found = measured(1, own=LAYERS)

    assert found.energy_uj.min() == pytest.approx(found.energy_uj.max())
    assert found.optimal_uj == found.listed_uj
