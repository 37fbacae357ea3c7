"""Work outside ReRAM: attention products, softmax, norms, GELU, heads and embeddings, and the SRAM beside the arrays."""

from __future__ import annotations

import numpy as np

from dse.charging.designs import Designs, of_tasks, widen
from dse.charging.tile import CLOCK_GHZ, DRAM_BYTE_PJ
from dse.records.arrays import Floats
from dse.records.plan import BASE
from dse.records.stored import VECTOR_BITS

ATTENTION_MULTIPLIERS = 4
"""8-bit multipliers that a product of attention takes: scores compute it in 16 bits, which takes four times the area of 8
bits and, with its operands from SRAM, four times the energy (1.5 + 0.31 against 0.3 + 0.16 pJ)."""
# Numbers of lane operations for one element.
SOFTMAX_OPS = 8
NORM_OPS = 6
GELU_OPS = 8
RESIDUAL_OPS = 1
QUANTISE_OPS = 2
RESCALE_OPS = 2
"""Operations of one stored output: the product with its scale, and the sum with its bias."""


def count_layers(designs: Designs) -> tuple[Floats, Floats]:
    """Count the multiplications and lane operations of each task's layers, each (P, T, L).

    The work of a layer is: two attention products of a head's width in 16 bits for each kept head and pair of tokens; softmax over one
    score for each kept head and pair; two norms and two residual sums for each token; GELU and one quantisation of kept values; codes
    in SRAM; scales and biases of stored outputs; factors of partial sums.
    """
    encoder, demand, tokens = designs.workload.encoder, designs.demand, designs.tokens[None, :, None]
    pairs = np.array([task.tokens_squared for task in designs.workload.tasks])[None, :, None]
    heads, ffn = (
        of_tasks(np.full((1, 1, 1), float(whole)) if mask is None else mask.sum(axis=-1).astype(float), demand.owner)
        for mask, whole in ((demand.heads, encoder.heads), (demand.ffn, encoder.ffn))
    )
    first = {matrix.input: index for index, matrix in reversed(list(enumerate(encoder.matrices)))}
    inputs = of_tasks(demand.rows[..., sorted(first.values())].sum(axis=-1), demand.owner)
    macs = ATTENTION_MULTIPLIERS * 2 * encoder.head_size * heads * pairs
    per_token = 2 * (NORM_OPS + RESIDUAL_OPS) * encoder.hidden * designs.runs + GELU_OPS * ffn + QUANTISE_OPS * inputs
    stored = designs.per_pass("outputs") * RESCALE_OPS + designs.per_pass("fed") * QUANTISE_OPS
    lanes = SOFTMAX_OPS * heads * pairs + tokens * (per_token + stored + designs.per_pass("scalings"))
    return macs + tokens * designs.per_pass("macs"), lanes


def charge_inputs(designs: Designs) -> tuple[Floats, Floats]:
    """Energy (P, T, C) and time of one digital unit (P, T) of an input's off-chip embeddings: a word and a position for each token."""
    hidden = designs.tokens * designs.workload.encoder.hidden
    macs, lanes = np.zeros((1, len(hidden))), hidden[None] * (NORM_OPS + RESIDUAL_OPS)
    energy = np.zeros((designs.demand.points, len(hidden), len(designs.index)))
    energy[..., designs.index["offchip"]] = 2 * hidden * VECTOR_BITS / 8 * DRAM_BYTE_PJ * 1e-6
    energy[..., designs.index["digital"]] = energy_uj(designs, macs, lanes)
    return energy, np.broadcast_to(time_us(designs, macs, lanes), energy.shape[:2])


def charge_requests(designs: Designs) -> tuple[Floats, Floats]:
    """Energy (P, T, C) and time of one digital unit (P, T) of a request's poolers, classifiers and heads of early exits."""
    macs, lanes = designs.counts.head_macs, designs.counts.head_sums
    energy = np.zeros((*macs.shape, len(designs.index)))
    energy[..., designs.index["digital"]] = energy_uj(designs, macs, lanes)
    energy[..., designs.index["sram"]] = macs * VECTOR_BITS / 8 * widen(designs.tile.digital.sram_byte_pj, 2) * 1e-6
    return energy, time_us(designs, macs, lanes)


def count_sram_bits(designs: Designs) -> Floats:
    """Count the bits of each owner's scales, metadata, biases, norms and heads, (P, O)."""
    layers = designs.demand.used.sum(axis=2).astype(float)
    layers[:, BASE] = designs.demand.direct.sum(axis=1)
    vectors = layers * designs.workload.encoder.vector_parameters * VECTOR_BITS
    return np.asarray(designs.counts.digital_bits.sum(axis=2) + vectors + designs.counts.head_bits)


def energy_uj(designs: Designs, macs: Floats, lanes: Floats) -> Floats:
    """Energy of 8-bit multiplications and lane operations, uJ, (P, ...); arguments may broadcast to it."""
    unit = designs.tile.digital
    return np.asarray((macs * widen(unit.mac_pj, macs.ndim) + lanes * widen(unit.lane_pj, macs.ndim)) * 1e-6)


def time_us(designs: Designs, macs: Floats, lanes: Floats) -> Floats:
    """Time that one digital unit takes for 8-bit multiplications and then lane operations, us."""
    options = designs.options
    return np.asarray((macs / options.digital_macs + lanes / options.digital_lanes) / (CLOCK_GHZ * 1e3))
