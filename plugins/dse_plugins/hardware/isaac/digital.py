"""Work outside ReRAM: attention products, softmax, norms, GELU, heads, embeddings, and the SRAM beside the arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import of_tasks
from dse_plugins.hardware.isaac.units import INDEX, NAMES, Digital
from dse_plugins.shared import Array


@dataclass(frozen=True, slots=True)
class Widths:
    """Sizes of each task's layer as it is kept, each of shape (P, T, L).

    Attributes:
        heads: number of attention heads.
        ffn: number of feed-forward columns.
        inputs: number of values in all distinct input vectors.
    """

    heads: Array
    ffn: Array
    inputs: Array

    @classmethod
    def count(cls, encoder: plugin.Encoder, demand: plugin.Demand) -> Widths:
        """Count the kept heads, columns and inputs."""
        first = {matrix.input: index for index, matrix in reversed(list(enumerate(encoder.matrices)))}
        heads, ffn = (
            np.full((1, 1, 1), float(whole)) if mask is None else mask.sum(axis=-1).astype(float)
            for mask, whole in ((demand.heads, encoder.heads), (demand.ffn, encoder.ffn))
        )
        inputs = demand.rows[..., sorted(first.values())].sum(axis=-1)
        return cls(*(of_tasks(values, demand.owner) for values in (heads, ffn, inputs)))


def layer(workload: plugin.Workload, widths: Widths, costs: Digital, options: IsaacOptions) -> tuple[Array, Array]:
    """Energy (uJ) and time (us) of one layer's digital work for each task, shape (P, T, L).

    The work is: two attention products of a head's width in 16 bits for each kept head and pair of tokens; softmax over one score
    for each kept head and pair; two norms and two residual sums for each token; GELU and one quantisation of kept
    values.

    Args:
        workload: tokens of T tasks.
        widths: sizes of the layers that run, each of shape (P, T, L).
        costs: costs of the digital unit.
        options: options of the hardware.
    """
    encoder, over = workload.encoder, (None, slice(None), None)
    tokens = np.array([task.tokens for task in workload.tasks])[over]
    pairs = np.array([task.tokens_squared for task in workload.tasks])[over]
    macs = table.ATTENTION_MULTIPLIERS * 2 * encoder.head_size * widths.heads * pairs
    lanes = table.SOFTMAX_OPS * widths.heads * pairs + tokens * (
        2 * (table.NORM_OPS + table.RESIDUAL_OPS) * encoder.hidden
        + table.GELU_OPS * widths.ffn
        + table.QUANTISE_OPS * widths.inputs
    )
    return energy_uj(macs, lanes, costs), time_us(macs, lanes, options)


def inputs(workload: plugin.Workload, costs: Digital, options: IsaacOptions) -> tuple[Array, Array]:
    """Energy (P, T, C) and time (P, T) of an input's off-chip embeddings: a word and a position for each token."""
    tokens = np.array([task.tokens for task in workload.tasks])
    width = workload.encoder.hidden
    fetched = tokens * 2 * width * table.VECTOR_BITS / 8
    lanes = tokens * (table.NORM_OPS + table.RESIDUAL_OPS) * width
    energy = np.zeros((len(costs.mac_pj), len(tokens), len(NAMES)))
    energy[..., INDEX["offchip"]] = fetched * table.DRAM_BYTE_PJ * 1e-6
    energy[..., INDEX["digital"]] = energy_uj(np.zeros((1, len(tokens))), lanes[None], costs)
    return energy, np.broadcast_to(time_us(np.zeros_like(lanes), lanes, options), energy.shape[:2])


def requests(counts: plugin.Counts, costs: Digital, options: IsaacOptions) -> tuple[Array, Array]:
    """Energy (P, T, C) and time (P, T) of a request's poolers, classifiers and heads of early exits."""
    macs, lanes = counts.head_macs, counts.head_sums
    energy = np.zeros((*macs.shape, len(NAMES)))
    energy[..., INDEX["digital"]] = energy_uj(macs, lanes, costs)
    energy[..., INDEX["sram"]] = macs * table.VECTOR_BITS / 8 * costs.sram_byte_pj[:, None] * 1e-6
    return energy, time_us(macs, lanes, options)


def sram_bits(workload: plugin.Workload, demand: plugin.Demand, counts: plugin.Counts) -> Array:
    """Number of bits of each owner's scales, metadata, biases, norms and heads, shape (P, O)."""
    layers = demand.used.sum(axis=2).astype(float)
    layers[:, plugin.BASE] = demand.direct.sum(axis=1)
    vectors = layers * workload.encoder.vector_parameters * table.VECTOR_BITS
    return np.asarray(counts.digital_bits.sum(axis=2) + vectors + counts.head_bits)


def embedding_bytes(workload: plugin.Workload) -> float:
    """Number of bytes of all different embeddings that the tasks read, which are off-chip."""
    return workload.encoder.embedding_parameters * table.VECTOR_BITS / 8


def energy_uj(macs: Array, lanes: Array, costs: Digital) -> Array:
    """Energy of 8-bit multiplications and lane operations, uJ, shape (P, ...); arguments may broadcast to it."""
    over = (slice(None), *[None] * (macs.ndim - 1))
    return np.asarray((macs * costs.mac_pj[over] + lanes * costs.vector_pj[over]) * 1e-6)


def time_us(macs: Array, lanes: Array, options: IsaacOptions) -> Array:
    """Time of 8-bit multiplications and then lane operations, us."""
    return np.asarray((macs / options.digital_macs + lanes / options.digital_lanes) / (table.CLOCK_GHZ * 1e3))
