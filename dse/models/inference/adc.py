"""Products as arrays compute them: per block of rows, cycle of input bits and bit slice, each sum is converted."""

from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from dse.records.effective import BitSlice, Converter, OnArrays


def product(piece: OnArrays, codes: Tensor) -> Tensor:
    """Multiply integer inputs with a stored piece.

    Columns whose sums never exceed the ADC's range lose nothing, so they are multiplied at once.

    Args:
        piece: stored piece as its arrays hold it.
        codes: whole numbers of the whole matrix's inputs, float32 or float64 (vectors, inputs).

    Returns:
        Outputs of the whole matrix in units of the inputs' step, of the same type (vectors, outputs).
    """
    driven = codes if piece.inputs is None else codes[:, piece.inputs]
    digits, worth = digits_of(driven, piece.converter)
    vectors, rows = len(driven), piece.converter.rows
    total = codes.new_zeros(vectors, piece.slices[0].levels.shape[0])
    ones = torch.zeros_like(total)
    exact = codes.new_zeros(piece.slices[0].levels.shape)
    for block, start in enumerate(range(0, driven.shape[1], rows)):
        some = slice(start, start + rows)
        for index, part in enumerate(piece.slices):
            safe = _safe(part.levels[:, some], part, piece.converter)
            exact[safe, some] += part.factor * part.levels[safe, some]
            if bool(safe.all()):
                continue
            sums, extra = _sums(part, digits[..., some], some, block, ~safe, piece.converter)
            total[:, ~safe] += part.factor * torch.einsum("p,pno->no", worth, sums)
            if index == 0 and piece.offset is not None and extra is not None:
                ones += torch.einsum("p,pno->no", worth, extra)
    total += driven @ exact.T
    total -= piece.bias * driven.sum(dim=1, keepdim=True)
    values = total * piece.scale.reshape(1, -1)
    if piece.offset is not None:
        values += ones * piece.offset.reshape(1, -1)
    if piece.outputs is None:
        return values
    whole = values.new_zeros(vectors, piece.shape[0])
    whole[:, piece.outputs] = values
    return whole


def digits_of(codes: Tensor, converter: Converter) -> tuple[Tensor, Tensor]:
    """Return the digits that DACs apply in each cycle (cycles, vectors, inputs), and each cycle's weight (cycles,).

    Inputs are in two's complement: the sums of the cycle with the sign bit are subtracted, as in ISAAC. A DAC of several
    bits applies the last digit with its sign.
    """
    bits, each = converter.input_bits, converter.dac_bits
    cycles = -(-bits // each)
    word = torch.remainder(codes, 2.0 ** (cycles * each))  # two's complement, extended by the sign
    base = 2.0**each
    digits = torch.stack([torch.remainder(torch.floor(word / base**index), base) for index in range(cycles)])
    worth = base ** torch.arange(cycles, dtype=codes.dtype, device=codes.device)
    if each == 1:
        worth[-1] = -worth[-1]
    else:
        digits[-1] -= base * (digits[-1] >= base / 2)
    return digits, worth


def _safe(levels: Tensor, part: BitSlice, converter: Converter) -> Tensor:
    """Return which columns (outputs,) of a block never saturate and have whole sums, converted in steps of one."""
    if part.unit is not None or converter.step != 1 or levels.is_floating_point():
        return torch.zeros(len(levels), dtype=torch.bool, device=levels.device)
    most: Tensor = levels.sum(dim=1) * (2**converter.dac_bits - 1)
    return most <= converter.most


def _sums(
    part: BitSlice, cycles: Tensor, rows: slice, block: int, columns: Tensor, converter: Converter
) -> tuple[Tensor, Tensor | None]:
    """Return converted sums of some columns of a block, and of their extra columns, both (cycles, vectors, outputs)."""
    sums = _convert(cycles @ part.levels[columns, rows].to(cycles.dtype).T, converter)
    if part.unit is None:
        return sums, None
    extra = _convert(cycles @ part.unit[:, rows].to(cycles.dtype).T, converter)
    extra = extra.repeat_interleave(converter.columns, dim=-1)[..., : sums.shape[-1]]
    if part.flipped is not None:
        sums = torch.where(part.flipped[block], converter.top * extra - sums, sums)
    return sums, extra


def _convert(sums: Tensor, converter: Converter) -> Tensor:
    """Convert sums (cycles, vectors, outputs) to whole steps of the ADC, from 0 to the end of its range.

    The last digit of a DAC with several bits has a sign, so its sums do too; they are converted as magnitudes.
    """
    most = float(converter.most)
    sums = sums.div_(converter.step).round_()
    signed = converter.dac_bits > 1
    last = sums[-1].clamp(-most, most) if signed else None
    sums = sums.clamp_(0, most)
    if last is not None:
        sums[-1] = last
    return sums.mul_(converter.step)


def move_to(value: Any, device: torch.device) -> Any:
    """Return a tensor on a device, or a copy of a stored piece, or of a tuple of parts, whose tensors lie there."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(move_to(part, device) for part in value)
    if isinstance(value, OnArrays | BitSlice):
        return replace(value, **{field.name: move_to(getattr(value, field.name), device) for field in fields(value)})
    return value


def draw_reads(vectors: Tensor, variance: Tensor, generator: torch.Generator) -> Tensor:
    """Return the noise (..., outputs) of reads: each input vector (..., inputs) reads every weight (outputs, inputs) once."""
    sigma = torch.nn.functional.linear(vectors.square(), variance).sqrt()
    return sigma * torch.randn(sigma.shape, generator=generator, dtype=sigma.dtype, device=sigma.device)
