"""Counts: arrays and events that a footprint needs on a geometry, made by the core."""

from dataclasses import dataclass

from dse.records.arrays import Floats


@dataclass(frozen=True, slots=True)
class Counts:
    """Arrays and events of a footprint on a geometry, made by the core: whole numbers (P, O, L) kept as floats.

    ``conversions`` and ``drives`` are events of one input vector in one input cycle; a vector takes
    ceil(input_bits / dac_bits) cycles. ``inputs``, ``partials`` and ``outputs`` happen once per vector.

    What a request asks of poolers, classifiers and heads of early exits is counted per owner, ``(P, O)``, or task, ``(P, T)``.

    Attributes:
        arrays: physical arrays; each is read once per cycle.
        cells: cells that hold a bit slice of a code, of all the cells of these arrays.
        conversions: live bitlines converted, the extra column of flip encoding included.
        drives: live wordlines driven.
        inputs: live inputs fetched, once for each input vector of the layer.
        partials: partial sums that leave the arrays' shift-and-add and are added up: one for each live output, block of
            rows and sign.
        outputs: live outputs.
        digital_bits: bits in on-chip SRAM.
        fed: inputs that are outputs of another piece, quantised on the way.
        extra_stages: products that wait for another product, beyond the encoder's own sequence of inputs.
        macs: multiplications of digital codes.
        scalings: partial sums of the base's arrays that are multiplied by a factor.
        shifts: partial sums of the base's arrays that are shifted and added instead.
        head_bits: (P, O) bits of poolers, classifiers and heads of early exits in on-chip SRAM.
        head_macs: (P, T) products of these heads for one request, in the mean over its inputs: an input that left early
            asks neither pooler nor classifier.
        head_sums: (P, T) additions of one request for the means over tokens that heads of early exits read.
    """

    arrays: Floats
    cells: Floats
    conversions: Floats
    drives: Floats
    inputs: Floats
    partials: Floats
    outputs: Floats
    digital_bits: Floats
    fed: Floats
    extra_stages: Floats
    macs: Floats
    scalings: Floats
    shifts: Floats
    head_bits: Floats
    head_macs: Floats
    head_sums: Floats
