"""What switches write over the base, against a chip that is written cell by cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.check_footprint import check_blocks
from dse.cost.demand import demand
from dse.cost.reprogramming import block_contents, most_written
from dse.cost.sum import SECONDS_PER_YEAR, total
from dse.testing import tiny_components
from tests.support.workloads import geometry, workload

ROWS, COLUMNS = 16, 24


def blocks_in_all(load: dse.Workload) -> int:
    per_layer = sum(-(-m.rows // ROWS) * -(-m.columns // COLUMNS) for m in load.encoder.matrices)
    return load.encoder.layers * per_layer


def footprint(load: dse.Workload, wanted: dse.Demand, blocks: Any, **changes: Any) -> dse.Footprint:
    """Deltas that take nothing but blocks of the base."""
    shape = (*wanted.used.shape, len(load.encoder.matrices))
    held = np.zeros(shape)
    held[:, dse.BASE] = 1.0
    on_base = wanted.used.copy()
    on_base[:, dse.BASE] = False
    piece = dse.Piece(held * wanted.rows, held * wanted.columns, held * dse.FULL_MAGNITUDE)
    what = dse.Reprogrammed(ROWS, COLUMNS, blocks & np.repeat(on_base, blocks.shape[-1] // on_base.shape[-1], -1))
    return dse.Footprint((piece,), np.zeros(shape), on_base, **({"reprogrammed": what} | changes))


class Chip:
    """The base's cells, each with what it holds; writes are counted one by one."""

    def __init__(self, load: dse.Workload, planes: int) -> None:
        self.planes = planes
        self.holds = {
            (layer, index): np.zeros((matrix.columns, matrix.rows), dtype=int)
            for layer in range(load.encoder.layers)
            for index, matrix in enumerate(load.encoder.matrices)
        }
        self.times = {key: np.zeros_like(held) for key, held in self.holds.items()}

    def serve(self, wanted: dict[tuple[int, int], np.ndarray]) -> int:
        """Write what differs; return the cells written."""
        cells = 0
        for key, contents in wanted.items():
            differs = self.holds[key] != contents
            self.times[key] += differs
            cells += int(differs.sum()) * self.planes
            self.holds[key] = contents
        return cells


def contents(load: dse.Workload, owner: np.ndarray, blocks: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Whose weight each cell is to hold for a task, from its owners (L,) and the owners' blocks (O, B)."""
    found, begin = {}, 0
    for layer in range(load.encoder.layers):
        for index, matrix in enumerate(load.encoder.matrices):
            across = -(-matrix.rows // ROWS)
            cells = np.zeros((matrix.columns, matrix.rows), dtype=int)
            of = max(int(owner[layer]), 0)
            for block in range(across * -(-matrix.columns // COLUMNS)):
                left, top = block // across * COLUMNS, block % across * ROWS
                if of and blocks[of, begin + block]:
                    cells[left : left + COLUMNS, top : top + ROWS] = of
            begin += across * -(-matrix.columns // COLUMNS)
            found[layer, index] = cells
    return found


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1), order=st.permutations(range(3)), encoding=st.integers(0, 1)
)
def test_cells_and_wear_are_those_of_a_chip_written_cell_by_cell(
    seed: int, share: float, order: list[int], encoding: int
) -> None:
    load, draw = workload(3), np.random.default_rng(seed)
    owner = np.array([[1, 1], [2, 0], [3, -1]])[None]
    wanted = demand(load, dse.Plan(owner), generator="test")
    blocks = draw.random((1, wanted.owners, blocks_in_all(load))) < share
    made = footprint(load, wanted, blocks)
    assert made.reprogrammed is not None
    arrays = geometry(encoding=encoding)
    found = dse.reprogramming(load, wanted, made, arrays)
    assert found is not None
    chip = Chip(load, planes=16 if encoding == 0 else 8)
    needs = [contents(load, owner[0, task], made.reprogrammed.blocks[0]) for task in range(3)]
    chip.serve(needs[order[-1]])
    chip.times = {key: times * 0 for key, times in chip.times.items()}
    for last, task in zip([order[-1], *order[:-1]], order, strict=True):
        assert chip.serve(needs[task]) == found.cells[0, last, task]
    schedule = dse.Schedule(np.array([order]), np.ones((1, 3)))
    times = most_written(block_contents(wanted, made.reprogrammed), schedule)
    assert times[0] == max(int(held.max()) for held in chip.times.values())


def test_a_block_that_both_tasks_share_is_not_written() -> None:
    load = workload(2)
    owner = np.array([[1, 1], [1, 1]])[None]  # both run the first group's weights
    wanted = demand(load, dse.Plan(owner, groups=1), generator="test", joint=True)
    blocks = np.ones((1, wanted.owners, blocks_in_all(load)), dtype=bool)

    found = dse.reprogramming(load, wanted, footprint(load, wanted, blocks), geometry())

    assert found is not None
    assert not found.cells.any()


def test_images_are_read_and_kept_off_chip() -> None:
    load = workload(2)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    blocks = np.zeros((1, 3, blocks_in_all(load)), dtype=bool)
    blocks[0, 1, 0] = True  # the first task's first block: 24 outputs by 16 inputs of the first query matrix
    made = footprint(load, wanted, blocks)
    masks = dse.Reprogrammed(ROWS, COLUMNS, blocks, weight_bits=1, masks=True)

    whole = dse.reprogramming(load, wanted, made, geometry())
    masked = dse.reprogramming(load, wanted, footprint(load, wanted, blocks, reprogrammed=masks), geometry())

    assert whole is not None
    assert masked is not None
    weights = 24 * 16
    assert whole.held_bits[0] == weights * (8 + 8)  # its own image, and the base's to come back to
    assert masked.held_bits[0] == weights * (1 + 8)
    assert whole.image_bits[0].tolist() == [[0, weights * 8], [weights * 8, 0]]
    assert masked.image_bits[0].tolist() == [[0, weights * 8], [weights * 9, 0]]
    assert whole.arrays[0].tolist() == [[0, 16], [16, 0]]


def test_removed_heads_are_not_written() -> None:
    load = workload(2)
    plan = dse.separate_models(load, 1)
    heads = np.ones((*plan.owner.shape, 4), dtype=bool)
    heads[..., 0] = False
    cut = demand(load, dse.Plan(plan.owner, heads=heads), generator="test")
    blocks = np.ones((1, 3, blocks_in_all(load)), dtype=bool)

    found = dse.reprogramming(load, cut, footprint(load, cut, blocks), geometry())

    assert found is not None
    assert found.cells[0, 0, 1] == 2 * 16 * (4 * 24 * 32 + 2 * 32 * 64)


def test_wear_is_in_the_lifetime() -> None:
    load = workload(2)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    blocks = np.zeros((1, 3, blocks_in_all(load)), dtype=bool)
    blocks[0, 1, 0] = True
    made = footprint(load, wanted, blocks)
    schedule = dse.listed_order(load, 1)
    charged = replace(tiny_components(load), cell_writes=np.zeros((1, 2, 2)), write_pulses=np.full(1, 5.0))

    costs = total(load, wanted, charged, schedule, who="test", footprint=made)

    cycles_per_s = load.traffic.requests_per_s / schedule.batch.sum()
    assert costs.lifetime_years[0] == pytest.approx(1e6 / (2 * 5 * cycles_per_s) / SECONDS_PER_YEAR)  # there and back
    with pytest.raises(dse.PluginContractError, match="hardware model has no cost of such writes"):
        total(load, wanted, replace(charged, write_pulses=None), schedule, who="test", footprint=made)


def test_blocks_that_do_not_fit_are_refused() -> None:
    load = workload(2)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    good = footprint(load, wanted, np.ones((1, 3, blocks_in_all(load)), dtype=bool))
    check_blocks(load.encoder, good, "x")
    assert good.reprogrammed is not None
    base_too = good.reprogrammed.blocks.copy()
    base_too[:, 0, 0] = True

    for blocks, size in ((good.reprogrammed.blocks[..., 1:], ROWS), (base_too, ROWS), (good.reprogrammed.blocks, 0)):
        bad = footprint(load, wanted, good.reprogrammed.blocks, reprogrammed=dse.Reprogrammed(size, COLUMNS, blocks))
        with pytest.raises(
            dse.PluginContractError, match=r"(?s)compressor 'x' returned an unusable footprint.*reprogrammed"
        ):
            check_blocks(load.encoder, bad, "x")
