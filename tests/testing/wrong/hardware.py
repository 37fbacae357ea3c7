"""Hardware models with one fault each."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions

import dse

CALLS = count()


class Changed(Isaac):
    """Charges as `isaac` does, but for what `change` replaces."""

    def components(
        self,
        workload: dse.Workload,
        demand: dse.Demand,
        counts: dse.Counts,
        footprint: dse.Footprint,
        params: dse.Params,
    ) -> dse.Components:
        made = super().components(workload, demand, counts, footprint, params)
        return replace(made, **self.change(made, workload, footprint))

    def change(self, made: dse.Components, workload: dse.Workload, footprint: dse.Footprint) -> dict[str, Any]:
        raise NotImplementedError


class Random(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"latency_us": made.latency_us * (1 + next(CALLS))}


class NegativeEnergy(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"energy_uj": -made.energy_uj}


class NotANumber(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"switch_energy_uj": made.switch_energy_uj * np.nan}


class ArraysLargerThanTheChip(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"array_area_mm2": made.area_mm2.sum(axis=(1, 2)) * 2}


class UnnamedComponent(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"area_mm2": np.concatenate([made.area_mm2, made.area_mm2[..., :1]], axis=2)}


class DeepIsCheap(Changed):
    def change(self, made: dse.Components, workload: dse.Workload, *_: Any) -> dict[str, Any]:
        return {"energy_uj": made.energy_uj / workload.encoder.layers**3}


class LongIsCheap(Changed):
    def change(self, made: dse.Components, workload: dse.Workload, *_: Any) -> dict[str, Any]:
        assert made.occupancy is not None
        less = workload.tasks[0].tokens ** 3
        occupancy = replace(made.occupancy, digital_us=made.occupancy.digital_us / less)
        return {"latency_us": made.latency_us / less, "occupancy": occupancy}


class LargeIsCheap(Changed):
    def change(self, made: dse.Components, workload: dse.Workload, footprint: dse.Footprint) -> dict[str, Any]:
        size = sum(piece.columns.sum(axis=(1, 2, 3)) for piece in footprint.pieces) / workload.encoder.layers
        return {"energy_uj": made.energy_uj / np.asarray(size)[:, None, None, None] ** 3}


class Overlooks(Isaac):
    """Charges as `isaac` does, except what `overlook` leaves out."""

    def components(
        self,
        workload: dse.Workload,
        demand: dse.Demand,
        counts: dse.Counts,
        footprint: dse.Footprint,
        params: dse.Params,
    ) -> dse.Components:
        return super().components(workload, demand, *self.overlook(counts, footprint), params)

    def overlook(self, counts: dse.Counts, footprint: dse.Footprint) -> tuple[dse.Counts, dse.Footprint]:
        raise NotImplementedError


class WritesForNothing(Overlooks):
    def overlook(self, counts: dse.Counts, footprint: dse.Footprint) -> tuple[dse.Counts, dse.Footprint]:
        return counts, replace(footprint, reprogrammed=None)


class HeadsForFree(Overlooks):
    def overlook(self, counts: dse.Counts, footprint: dse.Footprint) -> tuple[dse.Counts, dse.Footprint]:
        return replace(counts, head_macs=counts.head_macs * 0), footprint


class WithoutGroups(Changed):
    def change(self, made: dse.Components, workload: dse.Workload, *_: Any) -> dict[str, Any]:
        return {"area_mm2": made.area_mm2[:, -1 - len(workload.tasks) :]}


class FirstPointForAll(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        return {"energy_uj": np.repeat(made.energy_uj[:1], len(made.energy_uj), axis=0)}


class DeadParameter(Isaac):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        return (*super().parameters(workload), dse.Choice(name="mood", choices=("calm", "wild"), default="calm"))


class NothingUnderAnotherLaw(Isaac):
    def alternatives(self, params: dse.Params) -> tuple[dse.Alternative, ...]:
        return (dse.Alternative("free", {"adc": np.zeros(params.points)}, {}),)


class HalfARow(Isaac):
    def geometry(self, params: dse.Params) -> dse.Geometry:
        return replace(super().geometry(params), rows=params["array_size"] + 0.5)  # type: ignore[arg-type]  # that is wrong


class InputBitsOfItsOwn(Isaac):
    def geometry(self, params: dse.Params) -> dse.Geometry:
        return replace(super().geometry(params), input_bits=np.full(params.points, 8))


class ReplicasForFree(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        assert made.occupancy is not None
        area = made.area_mm2.sum(axis=(1, 2))
        return {"occupancy": replace(made.occupancy, resize=lambda replicas, _: area / replicas.max(axis=1))}


class OneReplicaForAll(Changed):
    def change(self, made: dse.Components, *_: Any) -> dict[str, Any]:
        assert made.occupancy is not None
        return {"occupancy": replace(made.occupancy, replicas=made.occupancy.replicas[:, :1])}


class NoiseInWords(Isaac):
    def nonideality(self, params: dse.Params) -> Any:
        del params
        return "much"


def record(build: type) -> dse.HardwareModel:
    return dse.HardwareModel(api=2, name="wrong", summary="wrong on purpose", build=build, options=IsaacOptions)


CASES = (
    (record(Random), "test_is_deterministic"),
    (record(NegativeEnergy), "test_costs_are_finite_and_not_negative"),
    (record(NotANumber), "test_costs_are_finite_and_not_negative"),
    (record(ArraysLargerThanTheChip), "test_breakdowns_sum"),
    (record(UnnamedComponent), "test_charges_have_their_shapes"),
    (record(DeepIsCheap), "test_more_layers_cost_no_less"),
    (record(LongIsCheap), "test_every_quantity_is_charged"),
    (record(LargeIsCheap), "test_larger_footprint_costs_no_less"),
    (record(WritesForNothing), "test_reprogramming_is_charged"),
    (record(HeadsForFree), "test_every_quantity_is_charged"),
    (record(WithoutGroups), "test_groups_are_charged"),
    (record(FirstPointForAll), "test_batch_equals_single"),
    (record(DeadParameter), "test_every_parameter_changes_something"),
    (record(HalfARow), "test_geometry_is_usable"),
    (record(InputBitsOfItsOwn), "test_geometry_is_usable"),
    (record(ReplicasForFree), "test_occupancy_and_power_fit_the_chip"),
    (record(OneReplicaForAll), "test_charges_have_their_shapes"),
    (record(NothingUnderAnotherLaw), "test_alternatives_are_factors_of_components"),
    (record(NoiseInWords), "test_nonideality_is_a_record"),
)
