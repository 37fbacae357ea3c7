"""Conformance suite of hardware models."""

from collections.abc import Iterator
from typing import Any, ClassVar, get_args

import numpy as np

from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.charges import check_components
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.limits import find_clipping, find_drop
from dse.cost.schedule import listed_order
from dse.cost.sum import Costs, total
from dse.plugins.contract import HardwareWithAlternatives, NonidealHardware
from dse.plugins.declared import is_given_input_bits
from dse.records.charges import Alternative, Components
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.occupancy import Gating
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plan import Plan
from dse.records.plugin import API, Kind, PluginRecord
from dse.records.workload import Workload
from dse.testing import _values as values
from dse.testing.anchors import find_differences, find_far
from dse.testing.charges import Case, check_shapes, find_free, find_skipped, vary_converters
from dse.testing.common import PluginTests
from dse.testing.footprints import adapters, deltas, reprogram, scale
from dse.testing.outcomes import Check, NothingToTest, after, once_each
from dse.testing.workloads import GEOMETRY, tiny_workload

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

    def evaluate(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the geometry and all components, and the non-idealities and alternatives of one design."""
        geometry, made = self.evaluate_batch(plugin, workload, params)
        if getattr(made[0], "write_pulses", None) is not None:
            wanted = demand(workload, separate_models(workload, params.points), generator="test")
            made = *made, charge(plugin, workload, wanted, reprogram(deltas(wanted), workload), params)
        noise: Any = plugin.nonideality(params) if isinstance(plugin, NonidealHardware) else None
        if isinstance(
            noise, Nonideality
        ):  # options of the model that only stand beside those of its arrays change nothing
            noise = noise.recipe(), noise.model_dump(include=set(Nonideality.model_fields))
        others = tuple(plugin.alternatives(params)) if isinstance(plugin, HardwareWithAlternatives) else ()
        return geometry, made, noise, others

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
                check_shapes(made, workload)

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

    def test_larger_footprint_costs_no_less(self, record: PluginRecord) -> None:
        """Larger codes and more bitlines take no less area or energy."""
        after(self.test_more_layers_cost_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record):
            whole = whole_footprint(wanted)
            few = scale(whole, columns=0.5, magnitude=7)
            small, large = (_costs(plugin, workload, wanted, footprint, params) for footprint in (few, whole))
            _check_grows(small, large, ("area_mm2", "energy_uj"))

    def test_every_quantity_is_charged(self, record: PluginRecord) -> None:
        """Counts, tokens, input bits, kept heads and columns each move the charges that they should, or the record says why not."""
        after(self.test_larger_footprint_costs_no_less, record=record)
        for case in self._charged_cases(record):
            faults = find_free(case, getattr(record, "uncharged", {}))
            assert not faults, "; ".join(faults)

    def test_skipped_layers_cost_nothing(self, record: PluginRecord) -> None:
        """A layer that a task skips takes neither energy nor time."""
        after(self.test_larger_footprint_costs_no_less, record=record)
        for case in self._charged_cases(record):
            charged = find_skipped(case)
            assert not charged, f"a layer that the task skips is charged: {charged}"

    def test_converters_cost_by_their_bits(self, record: PluginRecord) -> None:
        """A parameter that gives converters more bits, and changes nothing else of the geometry, raises energy."""
        after(self.test_every_quantity_is_charged, record=record)
        workload = tiny_workload(2, layers=2)
        plugin = self.built(record, workload)
        pairs = list(vary_converters(plugin, workload, self.received(record, plugin, workload)))
        if record.api < API or not pairs:
            raise NothingToTest("no parameter changes the bits of converters alone")
        for name, coarse, fine in pairs:
            less, more = (float(made.energy_uj.sum()) for made in (coarse, fine))
            assert more > less, f"converters with more bits cost nothing: energy_uj stays at {less:g} when {name} rises"

    def test_usual_design_keeps_its_limits(self, record: PluginRecord) -> None:
        """The design at the defaults breaks no limit, neither the model's own nor the core's."""
        after(self.test_breakdowns_sum, record=record)
        for plugin, workload, declared in self._each_workload(record) if record.api >= API else ():
            params = values.default_point(declared, workload)
            geometry = plugin.geometry(params)
            made = self.evaluate(plugin, workload, params)[1][0]
            for limit in (*made.violations, find_clipping(geometry), find_drop(geometry)):
                assert limit.amount[0] <= 0, f"the design at the defaults breaks the limit {limit.name}: {limit.reason}"

    def test_unit_costs_are_plausible(self, record: PluginRecord) -> None:
        """Energy, time and area of a product lie within a factor of 30 of ISAAC's, or the record has a published anchor."""
        after(self.test_batch_equals_single, record=record)
        if record.api < API:
            raise NothingToTest("contract 1 does not ask for it")
        faults = find_far(self.built(record, tiny_workload()), getattr(record, "anchors", ()))
        assert not faults, "; ".join(faults)

    def test_anchors_are_reproduced(self, record: PluginRecord) -> None:
        """Each published cost that the record states is what the model charges, within its tolerance."""
        after(self.test_batch_equals_single, record=record)
        anchors = getattr(record, "anchors", ())
        if not anchors:
            raise NothingToTest("the record states no published cost")
        faults = find_differences(self.built(record, tiny_workload()), anchors)
        assert not faults, "; ".join(faults)

    def test_reprogramming_is_charged(self, record: PluginRecord) -> None:
        """Blocks of the base that are written cost writes, energy and time, and their images are kept off-chip."""
        after(self.test_larger_footprint_costs_no_less, record=record)
        for plugin, workload, wanted, params in self._separate_cases(record):
            none = deltas(wanted)
            made = charge(plugin, workload, wanted, none, params)
            if made.write_pulses is None:  # a study that reprograms refuses this model by name
                raise NothingToTest("the model reprograms nothing: Components.write_pulses is None")
            written = reprogram(none, workload)
            for name in ("switch_energy_uj", "switch_latency_us", "switch_writes", "offchip_mb"):
                before = getattr(made, name).max()
                after_it = getattr(charge(plugin, workload, wanted, written, params), name).max()
                assert after_it > before, f"{name} does not grow by blocks that are written: {before:g} to {after_it:g}"

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
            if not isinstance(plugin, HardwareWithAlternatives):
                raise NothingToTest("the model offers no alternatives")
            for item in plugin.alternatives(params):
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
            if not isinstance(plugin, NonidealHardware):
                raise NothingToTest("the model declares no non-idealities")
            given = plugin.nonideality(params)
            assert isinstance(given, Nonideality), f"nonideality() must give a dse.Nonideality, found {given!r}"

    def costs(self, plugin: Any, workload: Workload, params: Params) -> list[Costs]:
        """Return the costs of one design with every footprint, summed by the core."""
        wanted = demand(workload, separate_models(workload, 1), generator="test")
        return [_costs(plugin, workload, wanted, footprint, params) for footprint in self.footprints(wanted)]

    def _separate_cases(self, record: PluginRecord) -> Iterator[tuple[Any, Workload, Demand, Params]]:
        """Yield `cases` with the demand of separate models."""
        for plugin, workload, params in self.cases(record):
            yield plugin, workload, demand(workload, separate_models(workload, 1), generator="test"), params

    def _charged_cases(self, record: PluginRecord) -> Iterator[Case]:
        """Yield deltas with adapters beside them, at the defaults and at one drawn design; contract 1 owes less."""
        if record.api < API:
            raise NothingToTest("contract 1 does not say what a model owes; state api=2")
        workload = tiny_workload(2, layers=2)
        plugin = self.built(record, workload)
        for params in values.some_points(self.received(record, plugin, workload), workload, 1):
            yield Case.make(plugin, workload, adapters, params)

    def _grows(self, record: PluginRecord, small: Workload, large: Workload, metrics: tuple[str, ...]) -> None:
        one, other = self.built(record, small), self.built(record, large)
        declared = self.received(record, one, small)
        for params in values.some_points(declared, small, 4):
            fitting = params if not any(item.scope for item in declared) else values.default_point(declared, large)
            pairs = zip(self.costs(one, small, params), self.costs(other, large, fitting), strict=True)
            for less, more in pairs:
                _check_grows(less, more, metrics)


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
