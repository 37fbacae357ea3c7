"""Conformance suite of hardware models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, get_args

import numpy as np

from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.charges import check_components
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.schedule import listed_order
from dse.cost.sum import Costs, total
from dse.plugins.contract import HardwareWithAlternatives, NonidealHardware
from dse.plugins.declared import is_given_input_bits
from dse.records.charges import Alternative, Components
from dse.records.demand import Demand
from dse.records.footprint import Footprint, Piece, Reprogrammed
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.occupancy import Gating
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plan import Plan
from dse.records.plugin import API, Kind, PluginRecord
from dse.records.workload import Workload
from dse.testing import _values as values
from dse.testing.common import Check, PluginTests, after, once_each
from dse.testing.workloads import GEOMETRY, charge_shapes, part_shapes, tiny_workload

SLACK = 1 + 1e-9


@once_each
class HardwareTests(PluginTests):
    """Checks of a `dse.Hardware`: its charges are finite, add up, and grow with the work."""

    kind: ClassVar[Kind] = "hardware"

    def footprints(self, wanted: Demand) -> tuple[Footprint, ...]:
        """Return the footprints that the model charges: whole models, small deltas on a whole base, and factors and digital adapters."""
        return whole_footprint(wanted), deltas(wanted), adapters(wanted)

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the geometry, and the components of every footprint: a model takes many designs at once."""
        wanted = demand(workload, separate_models(workload, params.points), generator="test")
        made = tuple(charge(plugin, workload, wanted, footprint, params) for footprint in self.footprints(wanted))
        return plugin.geometry(params), made

    def test_geometry_is_usable(self, record: PluginRecord) -> None:
        """Every field of the geometry is one positive whole number per design."""
        after(self.test_is_deterministic, record=record)
        for plugin, workload, params in self.cases(record):
            geometry: Geometry = plugin.geometry(params)
            for name, (usual, _) in GEOMETRY.items():
                field = np.asarray(getattr(geometry, name))
                assert field.shape == (1,), f"Geometry.{name} must have shape (1,), found {field.shape}"
                least = min(usual, 1)  # 0 where it is usual
                assert field[0] >= least, f"Geometry.{name} must be at least {least}, found {field[0]}"
                assert field[0] == int(field[0]), f"Geometry.{name} must be whole, found {field[0]}"
            if is_given_input_bits(self.kind, record.api):
                six = plugin.geometry(values.with_value(params, INPUT_BITS, workload, 6)).input_bits[0]
                assert six == 6, f"Geometry.input_bits must be params['input_bits'], 6, found {six}"
            assert geometry.encoding[0] < 3, "Geometry.encoding must be an index into dse.ENCODINGS"

    def test_charges_have_their_shapes(self, record: PluginRecord) -> None:
        """Every array of the components has its shape, and component names are unique."""
        after(self.test_geometry_is_usable, record=record)
        for plugin, workload, params in self.cases(record):
            for made in self.evaluate(plugin, workload, params)[1]:
                _check_shapes(made, workload)

    def test_costs_are_finite_and_not_negative(self, record: PluginRecord) -> None:
        """No charge is negative, infinite or not a number."""
        after(self.test_charges_have_their_shapes, record=record)
        for plugin, workload, params in self.cases(record):
            for made in self.evaluate(plugin, workload, params)[1]:
                check_components(made, f"hardware {record.name!r}")
                assert (made.endurance > 0).all(), f"endurance must be above 0, found {made.endurance.min()}"
                for limit in made.violations:
                    assert np.isfinite(limit.amount).all(), f"violation {limit.name!r} is not finite"

    def test_breakdowns_sum(self, record: PluginRecord) -> None:
        """Area and energy are the sum of their components, and arrays take no more area than the whole."""
        after(self.test_costs_are_finite_and_not_negative, record=record)
        for plugin, workload, params in self.cases(record):
            for costs in self.costs(plugin, workload, params):
                np.testing.assert_allclose(costs.area.sum(axis=1), costs.area_mm2, err_msg="area by component")
                np.testing.assert_allclose(costs.energy.sum(axis=1), costs.energy_uj, err_msg="energy by component")
                arrays, whole = costs.array_area_mm2[0], costs.area_mm2[0]
                assert arrays <= whole * SLACK, f"array_area_mm2 {arrays:g} is more than area_mm2 {whole:g}"

    @property
    def sound(self) -> Check:
        """The check without which costs cannot be compared."""
        return self.test_breakdowns_sum

    def test_more_layers_cost_no_less(self, record: PluginRecord) -> None:
        """A deeper encoder takes no less area, energy or time."""
        after(self.test_batch_equals_single, record=record)
        self._grows(record, tiny_workload(layers=2), tiny_workload(layers=6), ("area_mm2", "energy_uj", "latency_us"))

    def test_more_tokens_cost_no_less(self, record: PluginRecord) -> None:
        """Longer inputs take no less energy or time."""
        after(self.test_more_layers_cost_no_less, record=record)
        self._grows(record, tiny_workload(tokens=8.0), tiny_workload(tokens=32.0), ("energy_uj", "latency_us"))

    def test_larger_footprint_costs_no_less(self, record: PluginRecord) -> None:
        """Larger codes and more bitlines take no less area or energy."""
        after(self.test_more_tokens_cost_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record):
            whole = whole_footprint(wanted)
            few = scale(whole, columns=0.5, magnitude=7)
            small, large = (_costs(plugin, workload, wanted, footprint, params) for footprint in (few, whole))
            _check_grows(small, large, ("area_mm2", "energy_uj"))

    def test_what_runs_beside_arrays_costs_no_less(self, record: PluginRecord) -> None:
        """Factors of partial sums and digital codes take no less energy and time than none."""
        after(self.test_larger_footprint_costs_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record):
            some = adapters(wanted)
            none = replace(some, pieces=some.pieces[:1], scalings=None, shifts=None)
            less, more = (_costs(plugin, workload, wanted, footprint, params) for footprint in (none, some))
            _check_grows(less, more, ("area_mm2", "energy_uj", "latency_us"))

    def test_reprogramming_is_charged(self, record: PluginRecord) -> None:
        """Blocks of the base that are written cost writes, energy and time, and their images are kept off-chip."""
        after(self.test_what_runs_beside_arrays_costs_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record):
            none = deltas(wanted)
            made = charge(plugin, workload, wanted, none, params)
            if made.write_pulses is None:
                continue  # a study that reprograms refuses this model by name
            blocks = np.repeat(none.on_base, len(workload.encoder.matrices), axis=-1)
            side = max(max(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
            written = replace(none, reprogrammed=Reprogrammed(side, side, blocks))
            for name in ("switch_energy_uj", "switch_latency_us", "switch_writes", "offchip_mb"):
                before = getattr(made, name).max()
                after_it = getattr(charge(plugin, workload, wanted, written, params), name).max()
                assert after_it > before, f"{name} does not grow by blocks that are written: {before:g} to {after_it:g}"

    def test_heads_are_charged(self, record: PluginRecord) -> None:
        """More products of poolers, classifiers and heads of early exits cost more energy; contract 1 knew no such count."""
        after(self.test_what_runs_beside_arrays_costs_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record) if record.api >= API else ():
            footprint = whole_footprint(wanted)
            counts = count(workload, wanted, footprint, plugin.geometry(params))
            less, more = (
                plugin.components(
                    workload, wanted, replace(counts, head_macs=times * counts.head_macs), footprint, params
                ).request_energy_uj.sum()
                for times in (1, 2)
            )
            assert more > less, (
                f"heads are free: request_energy_uj is {less:g}, and {more:g} with twice Counts.head_macs"
            )

    def test_groups_are_charged(self, record: PluginRecord) -> None:
        """A group's layer, which several tasks share, is charged to the group, and less than a layer for each task."""
        after(self.test_larger_footprint_costs_no_less, record=record)
        for plugin, workload, params in self.cases(record):
            tasks, layers = len(workload.tasks), workload.encoder.layers
            grouped = Plan(np.ones((1, tasks, layers), dtype=int), groups=1)
            wanted = demand(workload, grouped, generator="test", joint=True)
            made = charge(plugin, workload, wanted, whole_footprint(wanted), params)
            shape = (1, wanted.owners, len(made.names))
            assert np.shape(made.area_mm2) == shape, (
                f"area_mm2 must have shape {shape}, found {np.shape(made.area_mm2)}"
            )
            separate = self.costs(plugin, workload, params)[0]
            shared = _costs(plugin, workload, wanted, whole_footprint(wanted), params)
            _check_grows(shared, separate, ("array_area_mm2",))

    def test_occupancy_and_power_fit_the_chip(self, record: PluginRecord) -> None:
        """Occupancy and power have their shapes, no pass is busy longer than it lasts, and the chip of the same size has its own area."""
        after(self.test_breakdowns_sum, record=record)
        for plugin, workload, params in self.cases(record):
            for made in self.evaluate(plugin, workload, params)[1]:
                if made.power is not None:
                    assert made.power.gating in get_args(Gating), f"Power.gating is {made.power.gating!r}"
                if (busy := made.occupancy) is None:
                    continue
                assert (busy.digital_us <= made.latency_us * SLACK).all(), "digital_us is a part of latency_us"
                assert (busy.replicas >= 1).all(), f"replicas must be at least 1, found {busy.replicas.min():g}"
                area = made.area_mm2.sum(axis=(1, 2))
                same, more = (busy.resize(times * busy.replicas, busy.digital_units) for times in (1, 2))
                np.testing.assert_allclose(same, area, err_msg="resize with the chip's own replicas and digital units")
                assert (more >= area / SLACK).all(), "twice the replicas take less area"

    def test_alternatives_are_factors_of_components(self, record: PluginRecord) -> None:
        """Each alternative that the model offers has a positive factor per design, for components that the model charges."""
        after(self.test_charges_have_their_shapes, record=record)
        for plugin, workload, params in self.cases(record):
            for item in plugin.alternatives(params) if isinstance(plugin, HardwareWithAlternatives) else ():
                assert isinstance(item, Alternative), f"alternatives must be dse.Alternative, found {item!r}"
                charged = set(self.evaluate(plugin, workload, params)[1][0].names)
                for name, factor in (*item.area.items(), *item.energy.items()):
                    assert name in charged, f"alternative {item.name!r} names {name!r}, which is not a component"
                    assert np.shape(factor) == (1,), f"a factor must have shape (1,), found {np.shape(factor)}"
                    assert np.isfinite(factor).all(), f"alternative {item.name!r} has a factor that is not finite"
                    assert (np.asarray(factor) > 0).all(), f"alternative {item.name!r} has a factor of {factor[0]:g}"

    def test_nonideality_is_a_record(self, record: PluginRecord) -> None:
        """A model that declares non-idealities of its arrays gives a `dse.Nonideality` for every design."""
        after(self.test_geometry_is_usable, record=record)
        for plugin, _, params in self.cases(record):
            given = plugin.nonideality(params) if isinstance(plugin, NonidealHardware) else Nonideality()
            assert isinstance(given, Nonideality), f"nonideality() must give a dse.Nonideality, found {given!r}"

    def costs(self, plugin: Any, workload: Workload, params: Params) -> list[Costs]:
        """Return the costs of one design with every footprint, summed by the core."""
        wanted = demand(workload, separate_models(workload, 1), generator="test")
        return [_costs(plugin, workload, wanted, footprint, params) for footprint in self.footprints(wanted)]

    def _separate_cases(self, record: PluginRecord) -> Iterator[tuple[Any, Workload, Demand, Params]]:
        """Yield `cases` with the demand of separate models."""
        for plugin, workload, params in self.cases(record):
            yield plugin, workload, demand(workload, separate_models(workload, 1), generator="test"), params

    def _grows(self, record: PluginRecord, small: Workload, large: Workload, metrics: tuple[str, ...]) -> None:
        one, other = self.built(record, small), self.built(record, large)
        declared = self.received(record, one, small)
        for params in values.some_points(declared, small, 4):
            fitting = params if not any(item.scope for item in declared) else values.default_point(declared, large)
            pairs = zip(self.costs(one, small, params), self.costs(other, large, fitting), strict=True)
            for less, more in pairs:
                _check_grows(less, more, metrics)


def deltas(wanted: Demand) -> Footprint:
    """Return the footprint of the whole base, with every task's matrices as three-bit deltas on it."""
    held = np.repeat(wanted.used[..., None].astype(float), wanted.rows.shape[-1], axis=-1)
    magnitude = held * 3.0
    magnitude[:, 0] *= 128 / 3
    on_base = wanted.used.copy()
    on_base[:, 0] = False
    piece = Piece(rows=held * wanted.rows, columns=held * wanted.columns, magnitude=np.round(magnitude))
    return Footprint((piece,), digital_bits=held * 32, on_base=on_base)


def adapters(wanted: Demand) -> Footprint:
    """Return the footprint of the whole base, with every task's factors of its partial sums and digital codes beside it."""
    base = deltas(wanted)
    held = np.repeat(base.on_base[..., None].astype(float), wanted.rows.shape[-1], axis=-1)
    first, whole = base.pieces[0], np.zeros_like(held)
    whole[:, 0] = 1.0
    arrays = replace(first, rows=first.rows * whole, columns=first.columns * whole, magnitude=first.magnitude * whole)
    digital = Piece(held * wanted.rows, held * 2.0, held * 127.0, digital=True)
    bits = base.digital_bits + held * (wanted.rows * 2 * 8 + wanted.columns * 3)
    return Footprint(
        (arrays, digital), bits, base.on_base, scalings=held * wanted.columns, shifts=held * wanted.columns
    )


def scale(footprint: Footprint, *, columns: float, magnitude: float) -> Footprint:
    """Return the footprint with a share of its columns and with smaller codes."""
    pieces = []
    for piece in footprint.pieces:
        live = np.where(piece.magnitude > 0, magnitude, 0.0)
        pieces.append(replace(piece, columns=np.floor(piece.columns * columns), magnitude=live))
    return replace(footprint, pieces=tuple(pieces))


def charge(plugin: Any, workload: Workload, wanted: Demand, footprint: Footprint, params: Params) -> Components:
    """Return the model's charges for a footprint that the core counts."""
    counts = count(workload, wanted, footprint, plugin.geometry(params))
    made: Components = plugin.components(workload, wanted, counts, footprint, params)
    return made


def _costs(plugin: Any, workload: Workload, wanted: Demand, footprint: Footprint, params: Params) -> Costs:
    made = charge(plugin, workload, wanted, footprint, params)
    return total(workload, wanted, made, listed_order(workload, 1), who="hardware")


def _check_grows(small: Costs, large: Costs, metrics: tuple[str, ...]) -> None:
    for name in metrics:
        less, more = getattr(small, name)[0], getattr(large, name)[0]
        assert less <= more * SLACK, f"more work costs less: {name} falls from {less:g} to {more:g}"


def _check_shapes(made: Components, workload: Workload) -> None:
    names = len(made.names)
    assert len(set(made.names)) == names, f"component names repeat: {made.names}"
    assert "switching" not in made.names, "the core adds the component 'switching' itself"
    for name, shape in charge_shapes(workload, names).items():
        given = np.shape(getattr(made, name))
        assert given == (1, *shape), f"Components.{name} must have shape {(1, *shape)}, found {given}"
    for (part, name), shape in part_shapes(workload).items():
        record = getattr(made, part)
        given = shape if record is None else np.shape(getattr(record, name))[1:]
        assert given == shape, f"Components.{part}.{name} must have shape {(1, *shape)}, found {(1, *given)}"
    for limit in made.violations:
        assert np.shape(limit.amount) == (1,), f"violation {limit.name!r} must have one amount per design"
