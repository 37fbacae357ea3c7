"""Breakdown of one design's costs by owner, layer and matrix: its rows sum to the costs of the design."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dse.cost.cost import Built, Costed, is_compensated
from dse.cost.counts import count, count_bits
from dse.cost.filling import count_cells, count_copies
from dse.cost.runs import Runs, count_runs
from dse.cost.sum import count_served
from dse.plugins.call import call_plugin
from dse.records.arrays import Bools, Floats
from dse.records.counts import Counts
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.params import Params

Row: TypeAlias = dict[str, Any]
WEIGHTS = "weights"
"""Part of the rows that stand for the weights of one matrix in one owner's layer."""


class _Design(NamedTuple):
    """One design (P = 1), with its hardware model and what a request of it runs."""

    costed: Costed
    built: Built
    params: Params
    geometry: Geometry
    runs: Runs

    @property
    def uses(self) -> Bools:
        """Whether each task uses an owner's layer, (O, T, L)."""
        demand = self.costed.layout.demand
        return np.asarray(demand.owner[0] == np.arange(demand.owners)[:, None, None])

    @property
    def passes_uj(self) -> Floats:
        """Energy of one pass of each task's layer, (T, L)."""
        return np.asarray(self.costed.components.energy_uj[0].sum(axis=-1))


class _Shares(NamedTuple):
    """Shares of the matrices: arrays and cells (O, L, M), and energy of a request, uJ (O, L, M)."""

    arrays: Floats
    cells: Floats
    energy_uj: Floats


def break_down(costed: Costed, built: Built, params: Params) -> list[Row]:
    """Return the parts of one design's costs (P = 1).

    Each row has a ``part``, and ``owner``, ``layer`` and ``matrix`` as far as these apply. Rows of the part ``weights`` stand for one
    matrix of one owner's layer. A hardware model charges a layer as a whole. So what it charges beyond a layer without weights is
    divided in proportion to what it charges for each matrix alone; the rest is the layer's ``digital work``.

    Args:
        costed: the design.
        built: its plugins.
        params: parameters of its hardware model.

    Returns:
        Rows with ``area_mm2``, ``energy_uj``, ``latency_us``, ``arrays``, ``tiles``, ``cells`` (those that hold a slice of a code),
        ``room`` (all cells of the arrays), ``tokens``, ``macs`` and ``bits``. A row lacks what it has no share of.
    """
    geometry = call_plugin("hardware", built.names[3], built.hardware.geometry, params)
    runs = count_runs(costed.workload, costed.layout.demand, costed.schedule)
    design = _Design(costed, built, params, geometry, runs)
    shares = _share_layers(design)
    return [*_describe_weights(design, shares), *_describe_layers(design, shares.energy_uj), *_describe_rest(design)]


def _share_layers(design: _Design) -> _Shares:
    """Divide the arrays, cells and energy of the layers among owners and matrices."""
    demand, counts = design.costed.layout.demand, design.costed.counts
    shape = (*demand.used.shape[1:], len(design.costed.workload.encoder.matrices))
    nothing = np.zeros((shape[0], shape[2]), dtype=bool)
    bare = _charge(design, nothing)[0]
    arrays, cells, energy = np.zeros(shape), np.zeros(shape), np.zeros((*shape, demand.tasks))
    for at in np.ndindex(nothing.shape):
        if demand.used[0, at[0]].any():
            alone = nothing.copy()
            alone[at] = True
            passes, counted = _charge(design, alone)
            energy[at[0], :, at[1]] = np.maximum(passes - bare, 0.0).T
            arrays[at[0], :, at[1]], cells[at[0], :, at[1]] = counted.arrays[0, at[0]], counted.cells[0, at[0]]
    energy *= _divide(design.passes_uj - bare, energy.sum(axis=(0, 2)).T).T[None, :, None]
    per_request = np.einsum("olmt,tl->olm", energy, design.runs.layers[0])
    arrays *= _divide(counts.arrays[0], arrays.sum(axis=2))[..., None]
    return _Shares(arrays, cells, per_request)


def _charge(design: _Design, keep: Bools) -> tuple[Floats, Counts]:
    """Return the energy of a pass of each task's layer, (T, L), and the counts, with the weights of some matrices (O, M) alone."""
    workload, hardware, name = design.costed.workload, design.built.hardware, design.built.names[3]
    demand, footprint = design.costed.layout
    stored = _keep_weights(footprint, keep[None, :, None])
    compensated = is_compensated(name, hardware, design.params)
    counts = count(workload, demand, stored, design.geometry, compensated)
    made = call_plugin("hardware", name, hardware.components, workload, demand, counts, stored, design.params)
    return made.energy_uj[0].sum(axis=-1), counts


def _keep_weights(footprint: Footprint, keep: Bools) -> Footprint:
    """Return the footprint with the weights of some matrices (1, O, 1, M) alone."""
    pieces = tuple(replace(piece, magnitude=piece.magnitude * keep) for piece in footprint.pieces)
    scalings, shifts = (None if one is None else one * keep for one in (footprint.scalings, footprint.shifts))
    return replace(footprint, pieces=pieces, scalings=scalings, shifts=shifts)


def _describe_weights(design: _Design, shares: _Shares) -> list[Row]:
    """Return a row for each matrix of each owner's layer that is stored or run."""
    (demand, footprint), made = design.costed.layout, design.costed.components
    encoder, shape = design.costed.workload.encoder, shares.arrays.shape
    copies = count_copies(demand, made)[0, :, :, None]
    arrays = shares.arrays * copies
    part = arrays / max(arrays.sum(), 1.0)
    vectors = np.array([task.tokens for task in design.costed.workload.tasks])
    tokens = np.einsum("otl,tl,t->ol", design.uses, design.runs.layers[0], vectors)[..., None]
    values = {
        "area_mm2": part * made.array_area_mm2[0],
        "energy_uj": shares.energy_uj,
        "arrays": arrays,
        "tiles": part * (np.nan if made.tiles is None else made.tiles[0]),
        "cells": shares.cells * copies,
        "room": arrays * count_cells(design.geometry)[0],
        "tokens": np.broadcast_to(tokens, shape),
        "macs": tokens * (demand.rows * demand.columns)[0],
        "bits": np.broadcast_to(count_bits(footprint)[0], shape),
    }
    names, owners = [matrix.name for matrix in encoder.matrices], _name_owners(design)
    shown = np.argwhere(((arrays > 0) | (values["macs"] > 0) | (values["bits"] > 0)).transpose(1, 0, 2))
    return [
        {"part": WEIGHTS, "owner": owners[owner], "layer": int(layer), "matrix": names[matrix]}
        | {name: float(value[owner, layer, matrix]) for name, value in values.items()}
        for layer, owner, matrix in shown
    ]


def _describe_layers(design: _Design, weights_uj: Floats) -> list[Row]:
    """Return the time that vectors take through each owner's arrays, and the digital work of each layer."""
    runs, made = design.runs.layers[0], design.costed.components
    digital_us = runs * (0.0 if made.occupancy is None else made.occupancy.digital_us[0])
    arrays_us = np.einsum("otl,tl->ol", design.uses, made.latency_us[0] * runs - digital_us)
    rest_uj = (design.passes_uj * runs).sum(axis=0) - weights_uj.sum(axis=(0, 2))
    owners = _name_owners(design)
    through: list[Row] = [
        {
            "part": "vectors through arrays",
            "owner": owners[owner],
            "layer": int(layer),
            "latency_us": arrays_us[owner, layer],
        }
        for layer, owner in np.argwhere(arrays_us.T > 0)
    ]
    work = zip(rest_uj.tolist(), digital_us.sum(axis=0).tolist(), strict=True)
    return through + [
        {"part": "digital work", "layer": layer, "energy_uj": uj, "latency_us": us}
        for layer, (uj, us) in enumerate(work)
    ]


def _describe_rest(design: _Design) -> list[Row]:
    """Return what belongs to no layer: the ends of a request, switches, static energy, and the chip beside its arrays."""
    (costed, _, _, _, runs), made = design, design.costed.components
    costs, served = costed.costs, count_served(costed.workload, costed.schedule)
    energy = dict(zip(costs.names, costs.energy[0].tolist(), strict=True))
    beside = costs.area_mm2 - made.array_area_mm2
    one_by_one = costs.cycle_us / served
    parts = {
        "inputs": (
            0.0,
            (runs.enters[..., None] * made.input_energy_uj).sum(),
            (runs.enters * made.input_latency_us).sum(),
        ),
        "answers": (
            0.0,
            (runs.answers[..., None] * made.request_energy_uj).sum(),
            (runs.answers * made.request_latency_us).sum(),
        ),
        "switches": (0.0, energy["switching"], (costs.switch_us.sum(axis=1) / served)[0]),
        "static": (0.0, energy["static"], 0.0),
        "tasks side by side": (0.0, 0.0, (costs.latency_us - one_by_one)[0]),
        "chip beside arrays": (beside[0], 0.0, 0.0),
    }
    names = ("area_mm2", "energy_uj", "latency_us")
    return [
        {"part": part, **dict(zip(names, map(float, values), strict=True))}
        for part, values in parts.items()
        if any(values)
    ]


def _name_owners(design: _Design) -> list[str]:
    groups = [f"group {number}" for number in range(design.costed.layout.demand.groups)]
    return ["base", *groups, *design.costed.workload.task_names]


def _divide(whole: Floats, parts: Floats) -> Floats:
    """Return the factor that brings a sum of parts to the whole; 0 where there are no parts."""
    return np.divide(whole, parts, out=np.zeros(np.broadcast(whole, parts).shape), where=parts > 0)
