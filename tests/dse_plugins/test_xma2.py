"""`xma2` and what it is compared with: what is written, what is scaled, and what either takes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.deltas.lora import Lora, LoraOptions
from dse_plugins.compressors.deltas.lora import build as build_lora
from dse_plugins.compressors.piggyback import Piggyback, PiggybackOptions
from dse_plugins.compressors.shared.tiling import Tiling
from dse_plugins.compressors.xma2 import build
from dse_plugins.compressors.xma2.adapter import TwoTiers
from dse_plugins.compressors.xma2.factors import DAMPING, SHIFTED, fit_factors, round_factors
from dse_plugins.compressors.xma2.levels import FROZEN, REPROGRAMMED, RESIDENT, levels, spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.shared import positions

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.base_changes import held_base
from dse.score.matrices import effective, products
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD, spread=0.02)
KEY = (1, 5)  # 32 outputs, 64 inputs
SIZE = {"tile_rows": 16, "tile_columns": 16}
TILES = 4 * 4 + 8 + 8


def params(share: float = 0.25, **values: Any) -> dse.Params:
    chosen = {"resident_bits": 3, "factors": "real", "by": "norm", "bias": True} | values
    tasks = {"share": share, "resident": chosen.pop("resident", 0.0)}
    arrays = {name: np.asarray([value]) for name, value in chosen.items()}
    return dse.Params(1, arrays | {name: np.full((1, 2), value) for name, value in tasks.items()})


def made(context: Any = CONTEXT, **options: Any) -> Any:
    plugin = build(Xma2Options(**(SIZE | options)))
    plugin.prepare(context)
    return plugin


def held(plugin: Any, given: dse.Params, task: int = 0, key: tuple[int, int] = KEY) -> torch.Tensor:
    """What a task's matrix computes with."""
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(task))
    shape = (base[key].shape[0], base[key].shape[1])
    below = effective(plugin.store(base, base, geometry(), given, 0)[key], None, shape)
    stored = plugin.store(tuned, base, geometry(), given, 1 + task)[key]
    what = footprint(plugin, given).reprogrammed
    return effective(stored, held_base(stored, below, tuned, key, what), shape)


def of_base(plugin: Any, key: tuple[int, int] = KEY) -> torch.Tensor:
    base = dse.Matrices(CONTEXT.base_weights())
    return effective(
        plugin.store(base, base, geometry(), params(), 0)[key], None, (base[key].shape[0], base[key].shape[1])
    )


def footprint(plugin: Any, given: dse.Params) -> dse.Footprint:
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    found: dse.Footprint = plugin.footprint(LOAD, wanted, geometry(rows=16, columns=16), given)
    return found


def arrays(plugin: Any, given: dse.Params) -> np.ndarray:
    """Arrays (O,) of base and tasks, by those of a whole model."""
    wanted, placed = demand(LOAD, dse.separate_models(LOAD, 1), generator="test"), geometry(rows=16, columns=16)
    found = count(LOAD, wanted, footprint(plugin, given), placed).arrays[0].sum(axis=-1)
    whole = count(LOAD, wanted, dse.whole_footprint(wanted), placed).arrays[0, 1].sum()
    return np.asarray(found / whole)


def test_everything_reprogrammed_is_the_fine_tuned_model_in_the_base_area() -> None:
    plugin, given = made(), params(share=1.0)
    tuned = CONTEXT.task_weights(0)[KEY]
    scale = plugin._scales[KEY]

    torch.testing.assert_close(held(plugin, given), dse.quantise(tuned, scale) * scale)
    assert arrays(plugin, given).tolist() == [1, 0, 0]
    what = footprint(plugin, given).reprogrammed
    assert what is not None
    assert what.blocks[0, 1:].all()


def test_nothing_reprogrammed_and_nothing_scaled_is_the_base() -> None:
    plugin = made()

    torch.testing.assert_close(held(plugin, params(share=0.0, factors="none")), of_base(plugin))
    assert not footprint(plugin, params(share=0.0)).reprogrammed.blocks.any()  # type: ignore[union-attr]  # never None


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_budget_is_kept_and_goes_to_the_largest_differences(share: float) -> None:
    plugin = made()
    what = footprint(plugin, params(share=share)).reprogrammed
    assert what is not None
    blocks = what.blocks[0, 1].reshape(4, TILES)
    assert blocks.sum() == int(share * 4 * TILES)
    norms = plugin._places["norm"][0]
    assert norms[blocks].max() < norms[~blocks].min()


def test_only_picked_blocks_hold_the_tasks_own_weights() -> None:
    plugin, given = made(), params(share=0.5, factors="none")
    found, base, tuned = held(plugin, given), of_base(plugin), CONTEXT.task_weights(0)[KEY]
    scale = plugin._scales[KEY]
    own = dse.quantise(tuned, scale) * scale
    what = footprint(plugin, given).reprogrammed
    assert what is not None
    picked = what.blocks[0, 1].reshape(4, TILES)[KEY[0], -8:].reshape(2, 4)
    assert 0 < picked.sum() < 8
    for column in range(2):
        for row in range(4):
            block = slice(16 * column, 16 * column + 16), slice(16 * row, 16 * row + 16)
            torch.testing.assert_close(found[block], (own if picked[column, row] else base)[block])


def test_resident_blocks_take_arrays_and_no_writes() -> None:
    plugin = made()
    written, stays = params(share=0.5), params(share=0.5, resident=1.0, resident_bits=8)

    assert arrays(plugin, written)[1] == 0
    assert arrays(plugin, stays)[1] == pytest.approx(0.5, abs=0.1)
    assert not footprint(plugin, stays).reprogrammed.blocks.any()  # type: ignore[union-attr]  # never None
    torch.testing.assert_close(held(plugin, written), held(plugin, stays), atol=1e-5, rtol=1e-4)


def test_factors_are_the_least_squares() -> None:
    """Against lstsq over samples, with the damping as further rows."""
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(400, 24)) @ draw.normal(size=(24, 24))
    base, wanted = draw.normal(size=(5, 24)), draw.normal(size=(5, 24))
    covariance = inputs.T @ inputs / len(inputs)
    sizes = [10, 6, 8]

    first, second, third = (torch.from_numpy(one).float() for one in (base, wanted, covariance))
    found = fit_factors(first, second, third, sizes)

    edges = np.cumsum([0, *sizes])
    for output in range(5):
        columns = np.stack([inputs[:, a:b] @ base[output, a:b] for a, b in pairwise(edges)], axis=1)
        damping = DAMPING * (columns**2).mean(axis=0).mean() * len(inputs)
        rows = np.concatenate([columns, np.sqrt(damping) * np.eye(3)])
        due = np.concatenate([inputs @ wanted[output], np.sqrt(damping) * np.ones(3)])
        expected, *_ = np.linalg.lstsq(rows, due, rcond=None)
        np.testing.assert_allclose(found[:, output], expected, rtol=1e-3, atol=1e-4)


def test_scaling_and_biases_bring_outputs_closer() -> None:
    plugin = made()
    tuned = CONTEXT.task_weights(0)[KEY]
    table = plugin._moments[0]
    covariance = torch.from_numpy(table["activated_covariance"][KEY[0]])

    def lost(**values: Any) -> float:
        left = tuned - held(plugin, params(share=0.0, **values))
        return float(torch.einsum("oi,ij,oj->", left, covariance, left))

    assert lost(factors="real") < lost(factors="none")
    stored = plugin.store(
        dse.Matrices(CONTEXT.task_weights(0)), dse.Matrices(CONTEXT.base_weights()), geometry(), params(), 1
    )[KEY]
    mean = torch.from_numpy(table["activated_mean"][KEY[0]])
    written = held(plugin, params(share=1.0))
    torch.testing.assert_close(stored.bias, (written - held(plugin, params())) @ mean, atol=1e-4, rtol=1e-3)


def test_a_weight_beyond_the_grid_bends_nothing() -> None:
    """One weight far larger than the others is clipped on the base's grid, and biases and factors leave it at that."""

    class Outlier(TinyContext):
        def base_weights(self) -> dse.Weights:
            return {key: self._with(weight) for key, weight in super().base_weights().items()}

        def task_weights(self, task: int) -> dse.Weights:
            return {key: self._with(weight) for key, weight in super().task_weights(task).items()}

        def _with(self, weight: torch.Tensor) -> torch.Tensor:
            weight = weight.clone()
            weight[0, 0] = 12 * weight.std()
            return weight

    context = Outlier(LOAD, spread=0.02)
    plugin = made(context)
    plugin._scales._steps[KEY] = plugin._scales[KEY] / 2  # as the least error has it where there are many more weights
    tuned, base = dse.Matrices(context.task_weights(0)), dse.Matrices(context.base_weights())
    given = params(share=1.0, factors="none")
    stored = plugin.store(tuned, base, geometry(), given, 1)[KEY]

    assert not stored.bias.any()
    factors = plugin.store(tuned, base, geometry(), params(share=0.0), 1)[KEY].scaling.factors
    assert float((factors[0, 0] - 1).abs()) < 0.1


@pytest.mark.parametrize(
    ("kind", "allowed", "bits"), [("binary", (0, 1), 1), ("shift", SHIFTED, 3), ("real", None, 16)]
)
def test_factors_are_what_hardware_makes(kind: str, allowed: tuple[float, ...] | None, bits: int) -> None:
    plugin, given = made(), params(share=0.0, factors=kind)
    stored = plugin.store(
        dse.Matrices(CONTEXT.task_weights(0)), dse.Matrices(CONTEXT.base_weights()), geometry(), given, 1
    )[KEY]
    assert stored.scaling.factors.shape == (4, 32)
    if allowed is not None:
        assert set(stored.scaling.factors.flatten().tolist()) <= set(allowed)
    found = footprint(plugin, given)
    per_task = sum(-(-m.rows // 16) * m.columns for m in LOAD.encoder.matrices) * LOAD.encoder.layers
    assert found.digital_bits[0, 1].sum() == per_task * bits
    charged = found.scalings if kind == "real" else found.shifts
    assert charged is not None
    assert charged[0, 1].sum() == per_task


def test_a_column_of_72_rows_takes_a_72nd_of_a_weight_mask() -> None:
    """XBM, ASP-DAC 2022: 1.4 % of the memory of Piggyback's mask."""
    load = tiny_workload(2, hidden=72, ffn=144, heads=4)
    context = TinyContext(load, spread=0.02)
    plugin = made(context, tile_rows=72, tile_columns=72)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")

    masks = plugin.footprint(load, wanted, geometry(), params(share=0.0, factors="binary")).digital_bits[0, 1].sum()

    weights = sum(matrix.rows * matrix.columns for matrix in load.encoder.matrices) * load.encoder.layers
    assert masks / weights == pytest.approx(1 / 72)
    assert round(100 * masks / weights, 1) == 1.4


def test_a_task_that_is_the_base_is_left_as_it_is() -> None:
    class Same(TinyContext):
        def task_weights(self, task: int) -> dse.Weights:
            del task
            return self.base_weights()

    plugin = made(Same(LOAD))
    base = dse.Matrices(CONTEXT.base_weights())
    stored = plugin.store(base, base, geometry(), params(), 1)
    for key, one in stored.items():
        assert one.scaling is None or bool((one.scaling.factors - 1).abs().max() < 0.02), key
        assert bool(one.bias.isfinite().all())


def test_arrays_larger_than_a_matrix_are_one_pe_each() -> None:
    plugin = made(tile_rows=512, tile_columns=512)
    what = footprint(plugin, params(share=0.5)).reprogrammed
    assert what is not None
    assert what.blocks.shape[-1] == 4 * 6
    assert what.blocks[0, 1].sum() == 12


def test_places_are_spread_where_nothing_was_measured() -> None:
    places = spread(3, 50)
    assert sorted(places.ravel().tolist()) == list(range(150))
    first = places < 30
    assert np.abs(first.sum(axis=1) - 10).max() <= 1


def test_levels_take_the_first_places_and_resident_ones_first() -> None:
    places = positions(np.array([[5.0, 1.0, 4.0], [2.0, 3.0, 0.0]]))[None, None]
    found = levels(places, dse.Params(1, {"share": np.array([[0.67]]), "resident": np.array([[0.5]])}))
    assert found[0, 0].tolist() == [[RESIDENT, FROZEN, RESIDENT], [REPROGRAMMED, REPROGRAMMED, FROZEN]]


def test_rounding_takes_the_nearest_level() -> None:
    assert round_factors(torch.tensor([-1.0, 0.1, 0.6, 1.1, 1.8, 9.0]), "shift").tolist() == [0, 0, 0.5, 1, 2, 2]
    assert round_factors(torch.tensor([0.4, 0.6, 2.0]), "binary").tolist() == [0, 1, 1]


def test_piggyback_keeps_a_weight_where_it_is_closer_than_zero() -> None:
    plugin = Piggyback(PiggybackOptions.model_validate(SIZE))
    plugin.prepare(CONTEXT)
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(0))
    nothing = dse.Params(1, {})
    stored = plugin.store(tuned, base, geometry(), nothing, 1)[KEY]
    below = effective(plugin.store(base, base, geometry(), nothing, 0)[KEY], None, (32, 64))
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    found = plugin.footprint(LOAD, wanted, geometry(), nothing)
    written = held_base(stored, below, tuned, KEY, found.reprogrammed)

    assert bool(((written == below) | (written == 0)).all())
    closer = (tuned[KEY] - below).abs() <= tuned[KEY].abs()
    torch.testing.assert_close(written, torch.where(closer, below, 0.0))
    assert found.reprogrammed is not None
    assert found.reprogrammed.blocks[0, 1:].all()
    assert found.reprogrammed.weight_bits == 1


def test_lora_is_a_digital_product_of_its_rank() -> None:
    plugin = Lora(LoraOptions())
    plugin.prepare(CONTEXT)
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(0))
    given = dse.Params(1, {"rank": np.full((1, 2), 32), "bits": np.array([7])})
    stored = plugin.store(tuned, base, geometry(), given, 1)[KEY]
    below = effective(plugin.store(base, base, geometry(), given, 0)[KEY], None, (32, 64))
    ((first, second),) = products(stored, (32, 64))

    left = tuned[KEY] - below
    assert float((second @ first - left).norm() / left.norm()) < 0.05  # of full rank
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    found = count(LOAD, wanted, plugin.footprint(LOAD, wanted, geometry(), given), geometry())
    assert not found.arrays[0, 1:].any()
    assert found.macs[0, 1, 0] == sum(32 * (m.rows + m.columns) for m in LOAD.encoder.matrices)


BASE = CONTEXT.base_weights()


def adapter(share: float, kind: str = "real") -> TwoTiers:
    scales = {key: dse.best_scale(weight) for key, weight in BASE.items()}
    return TwoTiers(BASE, scales=scales, encoder=LOAD.encoder, tiling=Tiling(16, 16), share=share, kind=kind)


@pytest.mark.parametrize("kind", ["none", "binary", "shift", "real"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_an_adapter_begins_as_the_base(share: float, kind: str) -> None:
    module = adapter(share, kind)
    for done in (0.0, 0.9):
        module.begin(done)
        for key, weight in BASE.items():
            scale = dse.best_scale(weight)
            torch.testing.assert_close(module(key, weight), dse.quantise(weight, scale) * scale)


def test_the_mask_finds_the_blocks_that_the_loss_wants_changed() -> None:
    """Only two PEs of one matrix are to change; the budget is two."""
    torch.manual_seed(0)
    module = adapter(2 / (4 * TILES), "none")
    wanted = {key: weight.clone() for key, weight in BASE.items()}
    wanted[KEY][16:32, 0:16] += 0.5
    wanted[KEY][0:16, 48:64] -= 0.5
    optimiser = torch.optim.Adam(
        [{"params": list(module.deltas.parameters()), "lr": 0.02}, {"params": [module.mask], "lr": 0.05}]
    )
    for step in range(100):
        module.begin(step / 100)
        optimiser.zero_grad()
        sum((module(key, BASE[key]) - wanted[key]).square().sum() for key in ((1, 4), KEY, (2, 0))).backward()
        optimiser.step()

    state = module.state_dict()
    picked = positions(state["mask"].numpy()) < 2
    assert picked[KEY[0], -8:].reshape(2, 4).tolist() == [[False, False, False, True], [True, False, False, False]]
    scale = dse.best_scale(BASE[KEY])
    assert float((state["codes.1-5"][16:32, 0:16] * scale - wanted[KEY][16:32, 0:16]).abs().mean()) < 0.05


def test_a_trained_route_refuses_weights_it_was_not_trained_for() -> None:
    plugin = made(route="trained")
    plan = dse.Plan(np.ones((1, 2, 4), dtype=int), groups=1)
    trunk = demand(LOAD, plan, generator="test", joint=True)
    given = dse.Params(1, {"share": np.full((1, 2), 0.1), "resident": np.zeros((1, 2)), "resident_bits": np.array([3])})
    with pytest.raises(dse.PluginContractError, match="trained from the base"):
        plugin.footprint(LOAD, trunk, geometry(), given)


@pytest.mark.parametrize("name", ["lora", "piggyback"])
def test_what_was_learnt_is_what_is_stored(name: str) -> None:
    plugin: Any = (
        build_lora(LoraOptions(route="trained", ranks=[4]))
        if name == "lora"
        else Piggyback(PiggybackOptions(route="trained", **SIZE))
    )
    plugin.prepare(CONTEXT)
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(0))
    given = dse.Params(1, {"rank": np.full((1, 2), 4), "bits": np.array([7])} if name == "lora" else {})
    stored = plugin.store(tuned, base, geometry(), given, 1)[KEY]
    if name == "lora":
        state = plugin._learnt[0, 4].state
        ((first, second),) = products(stored, (32, 64))
        for found, true in ((first, state["down.1-5"]), (second, state["up.1-5"])):
            assert float((found - true).norm() / true.norm()) < 0.02
    else:
        state = plugin._learnt[0].state
        assert torch.equal(stored.image.codes != 0, (state["mask.1-5"] > 0) & (of_base(made()) != 0))
    assert plugin.learnt(given, dse.BASE) is None
    assert plugin.learnt(given, 1) is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shares": [1.5]}, "less than or equal to 1"),
        ({"shares": []}, "at least 1 item"),
        ({"factors": "square"}, "none"),
        ({"tile_rows": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Xma2Options(**options)
