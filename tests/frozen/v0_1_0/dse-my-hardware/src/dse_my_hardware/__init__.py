"""Hardware model ``my-hardware``: a few constants for each array, conversion and product.

A chip as large as all weights: nothing is ever written, so switching tasks is free.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dse
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

Array = NDArray[Any]
NAMES = ("arrays", "adc", "digital")
"""What area and energy are charged to."""
MADE_FOR = 128
"""Wordlines and bitlines of the array that the constants are of."""


class MyHardwareOptions(dse.Options):
    """Options of ``my-hardware``.

    Attributes:
        array_mm2: area of an array of 128 x 128 cells and its periphery.
        array_pj: energy of reading such an array once.
        conversion_pj: energy of one conversion of 8 bits; it doubles with each bit.
        cycle_ns: time of one input cycle.
        mac_pj: energy of one multiplication in the digital unit.
        digital_mm2: area of the digital unit.
    """

    array_mm2: float = Field(default=0.002, gt=0)
    array_pj: float = Field(default=30.0, gt=0)
    conversion_pj: float = Field(default=1.5, gt=0)
    cycle_ns: float = Field(default=100.0, gt=0)
    mac_pj: float = Field(default=0.2, gt=0)
    digital_mm2: float = Field(default=0.5, gt=0)


class MyHardwareHardware:
    """Charges what the core has counted."""

    def __init__(self, options: MyHardwareOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """What a search may choose."""
        return (
            dse.Choice(
                name="array_size",
                choices=(64, 128, 256),
                default=128,
                summary="wordlines and bitlines of an array",
                scores=False,
            ),
        )

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do before the first design."""

    def geometry(self, params: dse.Params) -> dse.Geometry:
        """One-bit cells and inputs, and converters that never clip."""
        size = params["array_size"]
        one = np.ones_like(size)
        bits = np.log2(size).astype(int) + 1
        return dse.Geometry(
            rows=size,
            columns=size,
            cell_bits=one,
            adc_bits=bits,
            dac_bits=one,
            input_bits=8 * one,
            encoding=dse.ENCODINGS.index("separate") * one,
        )

    def components(
        self,
        workload: dse.Workload,
        demand: dse.Demand,
        counts: dse.Counts,
        footprint: dse.Footprint,
        params: dse.Params,
    ) -> dse.Components:
        """Charge area by owner, and energy and time of a pass of each task's layer."""
        geometry = self.geometry(params)
        points, tasks, _ = demand.owner.shape
        tokens = np.array([task.tokens for task in workload.tasks])[None, :, None]
        heads = np.array([float(task.head_parameters) for task in workload.tasks])
        none = np.zeros((points, tasks, tasks))
        energy_uj = tokens[..., None] * self._vector_pj(
            demand, counts, footprint, geometry
        )
        cycles = geometry.input_bits[:, None, None]
        latency_us = tokens * cycles * self.options.cycle_ns * 1e-3
        request_uj = np.zeros((points, tasks, len(NAMES)))
        request_uj[..., NAMES.index("digital")] = heads * self.options.mac_pj * 1e-6
        area_mm2, array_area_mm2 = self._area(counts, geometry)
        return dse.Components(
            names=NAMES,
            area_mm2=area_mm2,
            array_area_mm2=array_area_mm2,
            energy_uj=energy_uj * 1e-6,
            latency_us=latency_us * (demand.owner != dse.DROPPED),
            input_energy_uj=np.zeros((points, tasks, len(NAMES))),
            input_latency_us=np.zeros((points, tasks)),
            request_energy_uj=request_uj,
            request_latency_us=np.zeros((points, tasks)),
            switch_energy_uj=none,
            switch_latency_us=none,
            switch_writes=none,
            cell_writes=none,
            endurance=np.full(points, 1e6),
            offchip_mb=np.full(points, 2e-6 * workload.encoder.embedding_parameters),
        )

    def _area(self, counts: dse.Counts, geometry: dse.Geometry) -> tuple[Array, Array]:
        """Area of each owner (P, O, C), and of all arrays (P,)."""
        one = self.options.array_mm2 * (geometry.rows / MADE_FOR) ** 2
        arrays = counts.arrays.sum(axis=2) * one[:, None]
        area = np.zeros((*arrays.shape, len(NAMES)))
        area[..., NAMES.index("arrays")] = arrays
        area[:, dse.BASE, NAMES.index("digital")] = self.options.digital_mm2
        return area, arrays.sum(axis=1)

    def _vector_pj(
        self,
        demand: dse.Demand,
        counts: dse.Counts,
        footprint: dse.Footprint,
        geometry: dse.Geometry,
    ) -> Array:
        """Energy (P, T, L, C) of one input vector through each task's layer, in pJ."""
        cycles = geometry.input_bits[:, None, None]
        size = (geometry.rows[:, None, None] / MADE_FOR) ** 2
        conversion = self.options.conversion_pj * 2.0 ** (geometry.adc_bits - 8)
        by_owner = (
            cycles * counts.arrays * self.options.array_pj * size,
            cycles * counts.conversions * conversion[:, None, None],
            (counts.macs + counts.scalings + counts.shifts) * self.options.mac_pj,
        )
        return np.stack(
            [_of_tasks(part, demand, footprint) for part in by_owner], axis=-1
        )


def _of_tasks(values: Array, demand: dse.Demand, footprint: dse.Footprint) -> Array:
    """What runs for each task's layer, (P, T, L), from what each owner's takes.

    The owner's own and, where that is a difference from the base, the base's beneath.
    """
    runs = demand.owner != dse.DROPPED
    owner = np.where(runs, demand.owner, dse.BASE)
    own = np.take_along_axis(values, owner, axis=1)
    on_base = np.take_along_axis(footprint.on_base, owner, axis=1)
    return np.asarray(runs * (own + on_base * values[:, [dse.BASE]]))


@dse.hookimpl
def dse_hardware_models() -> Iterable[dse.HardwareModel]:
    """Yield the one model."""
    yield dse.HardwareModel(
        name="my-hardware",
        summary="a few constants for each array, conversion and product",
        build=MyHardwareHardware,
        options=MyHardwareOptions,
    )
