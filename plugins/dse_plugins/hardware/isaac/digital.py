"""What ReRAM does not do: attention products, softmax, norms, GELU, heads, embeddings, and the SRAM beside the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.units import INDEX, NAMES

Array = NDArray[Any]


def area_mm2(options: IsaacOptions) -> float:
    """One digital unit with a 64 KB buffer."""
    return options.digital_macs * table.MAC_MM2 + options.digital_lanes * table.LANE_MM2 + table.EDRAM.area_mm2


def layer(workload: dse.Workload, options: IsaacOptions) -> tuple[Array, Array]:
    """Energy (uJ) and time (us) of one layer's digital work for each task, both (T,).

    Two attention products of ``hidden`` multiplies for each pair of tokens; softmax over ``heads`` scores for each
    pair; two norms, two residual sums and one GELU for each token; one quantisation for each input vector.
    """
    encoder = workload.encoder
    tokens = np.array([task.tokens for task in workload.tasks])
    pairs = np.array([task.tokens_squared for task in workload.tasks])
    inputs = sum({matrix.input: matrix.rows for matrix in encoder.matrices}.values())
    macs = 2 * encoder.hidden * pairs
    lanes = table.SOFTMAX_OPS * encoder.heads * pairs + tokens * (
        2 * (table.NORM_OPS + table.RESIDUAL_OPS) * encoder.hidden
        + table.GELU_OPS * encoder.ffn
        + table.QUANTISE_OPS * inputs
    )
    return _energy(macs, lanes), _time(macs, lanes, options)


def requests(workload: dse.Workload, options: IsaacOptions, points: int) -> tuple[Array, Array]:
    """Energy (P, T, C) and time (P, T) of a request beyond its layers: embeddings from off-chip, pooler and classifier."""
    tokens = np.array([task.tokens for task in workload.tasks])
    heads = np.array([float(task.head_parameters) for task in workload.tasks])
    width = workload.encoder.hidden
    fetched = tokens * 2 * width * table.VECTOR_BITS / 8  # a word and a position vector for each token
    lanes = tokens * (table.NORM_OPS + table.RESIDUAL_OPS) * width
    energy = np.zeros((len(workload.tasks), len(NAMES)))
    energy[:, INDEX["offchip"]] = fetched * table.DRAM_BYTE_PJ * 1e-6
    energy[:, INDEX["digital"]] = _energy(heads, lanes)
    energy[:, INDEX["sram"]] = heads * table.VECTOR_BITS / 8 * table.SRAM_BYTE_PJ * 1e-6
    latency = _time(heads, lanes, options)
    return np.repeat(energy[None], points, axis=0), np.repeat(latency[None], points, axis=0)


def sram_bits(workload: dse.Workload, demand: dse.Demand, counts: dse.Counts) -> Array:
    """Bits (P, O) of scales, metadata, biases, norms and heads of each owner."""
    layers = demand.used.sum(axis=2).astype(float)
    layers[:, dse.BASE] = demand.direct.sum(axis=1)
    bits = counts.digital_bits.sum(axis=2) + layers * workload.encoder.vector_parameters * table.VECTOR_BITS
    for index, task in enumerate(workload.tasks):
        bits[:, demand.task_owner(index)] += task.head_parameters * table.VECTOR_BITS
    return np.asarray(bits)


def embedding_bytes(workload: dse.Workload) -> float:
    """Bytes of the embeddings, off-chip and shared by all tasks."""
    return workload.encoder.embedding_parameters * table.VECTOR_BITS / 8


def _energy(macs: Array, lanes: Array) -> Array:
    return np.asarray((macs * table.MAC_PJ + lanes * table.VECTOR_PJ) * 1e-6)


def _time(macs: Array, lanes: Array, options: IsaacOptions) -> Array:
    return np.asarray((macs / options.digital_macs + lanes / options.digital_lanes) / (table.CLOCK_GHZ * 1e3))
