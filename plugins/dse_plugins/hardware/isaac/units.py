"""Unit costs for the parameters of each design, scaled from ISAAC's table."""

from __future__ import annotations

from typing import Any

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.shared import Array


def parts(geometry: plugin.Geometry, params: plugin.Params, options: IsaacOptions) -> tuple[plugin.Part, ...]:
    """Scale the table to every design's parameters."""
    imas, arrays, adcs = options.imas_per_tile, params["arrays_per_ima"], params["adcs_per_ima"]
    width, one = geometry.columns + geometry.flip, 1.0
    adc_area, adc_energy = adc_laws.relative(options.adc_law, geometry.adc_bits)
    dac = 2.0 ** (geometry.dac_bits - 1)  # MNSIM 2.0's DAC library: area and power double with each bit
    per_ima: tuple[tuple[str, table.Group, Any, Any, Any, plugin.Event, Any], ...] = (
        ("arrays", table.ARRAY, arrays * geometry.rows * width, one, one, "read", geometry.rows * width),
        ("adc", table.ADC, adcs, adc_area, adc_energy, "conversion", one),
        ("dac", table.DAC, arrays * geometry.rows, dac, dac, "drive", one),
        ("sample_hold", table.SAMPLE_HOLD, arrays * width, one, one, "conversion", one),
        ("shift_add", table.SHIFT_ADD, adcs, one, one, "conversion", one),
        ("registers", table.INPUT_REGISTER, arrays * geometry.rows, one, one, "drive", one),
        ("registers", table.OUTPUT_REGISTER, arrays * width, one, one, "conversion", one),
    )
    per_tile: tuple[tuple[str, table.Group, plugin.Event | None, float], ...] = (
        ("buffer", table.EDRAM, "byte", one),
        ("bus", table.BUS, "byte", one),
        ("router", table.ROUTER, "byte", 1 / table.ROUTER_FLIT_BYTES),
        ("activation", table.SIGMOID, None, one),
        ("activation", table.MAX_POOL, None, one),
        ("shift_add", table.TILE_SHIFT_ADD, "addition", one),
        ("registers", table.TILE_REGISTER, "partial", one),
    )
    of_ima = (
        plugin.Part(name, imas * row.unit_mm2 * units * area, imas * row.unit_mw * units * energy, event, row.event_pj * energy * size)
        for name, row, units, area, energy, event, size in per_ima
    )  # fmt: skip
    of_tile = (plugin.Part(name, row.area_mm2, row.power_mw, event, row.event_pj * share) for name, row, event, share in per_tile)  # fmt: skip
    return (*of_ima, *of_tile)


def arrange_tile(
    geometry: plugin.Geometry,
    params: plugin.Params,
    imas: int,
    of: tuple[plugin.Part, ...],
    digital: plugin.DigitalUnit,
) -> plugin.Tile:
    """Return a tile of these parts with ISAAC's IMAs, routers and pipeline."""
    arrays = params["arrays_per_ima"]
    width = geometry.columns + geometry.flip
    with np.errstate(divide="ignore"):  # to convert every bitline of an IMA
        conversions_us: Array = width * arrays / (params["adcs_per_ima"] * table.ADC_GSPS * 1e3)
    return plugin.Tile(
        of,
        arrays=arrays * imas,
        cycle_us=np.maximum(table.CYCLE_NS / 1e3, conversions_us),
        writers=imas,
        pipeline_cycles=table.PIPELINE_CYCLES,
        router_bytes_per_us=table.ROUTER_BYTES_PER_US,
        digital=digital,
    )
