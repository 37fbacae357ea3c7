"""Weights that each form of storage leaves out of a matrix, and their effect on the logits."""

from dse import plugin
from dse_plugins.shared import Array, Key, Tensor
from dse_plugins.shared.measuring import stack_matrices

NONE, BINARY, TERNARY = range(3)
FORMS = 3
BASE_BITS = (3, 4, 5, 6, 7)
"""Magnitude bits of a base that is not stored in full, 8 bits."""
CLIPS = tuple(1 - step / 20 for step in range(12))
"""Ends that an output's grid may have, as shares of its largest weight."""
DAMPING = 0.01
"""Share of the layer's mean gradients that is added to each output's own, so that a bias without effect stays small:
attention does not depend on the biases of keys, whose gradients cancel."""


def ternary(codes: Tensor) -> Tensor:
    """Clip integer deltas to their signs."""
    return codes.clamp(-1, 1)


def binary(difference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give each output (row) of a delta its best two values.

    Args:
        difference: delta, float32 (outputs, inputs).

    Returns:
        Bits (outputs, inputs), the step between the values (outputs, 1), and the lower value (outputs, 1).
    """
    import torch

    values, order = difference.sort(dim=1)
    size = values.shape[1]
    below = values.cumsum(dim=1)[:, :-1]  # sums of the lower group for each place where the sorted row may be cut
    count = torch.arange(1, size)
    spread = below.square() / count + (values.sum(1, keepdim=True) - below).square() / (size - count)
    cut = spread.argmax(dim=1, keepdim=True)  # the largest spread between groups leaves the smallest squared error
    low = below.gather(1, cut) / (cut + 1)
    high = (values.sum(1, keepdim=True) - below.gather(1, cut)) / (size - 1 - cut)
    bits = torch.zeros_like(order, dtype=torch.bool).scatter_(1, order, torch.arange(size) > cut)
    return bits, high - low, low


def residuals(tuned: Tensor, base: Tensor, scale: Tensor) -> Tensor:
    """Return the weights that each form leaves out of a matrix, shape (forms, outputs, inputs)."""
    import torch

    parts = plugin.decompose(base, tuned, scale=scale)
    difference = tuned - parts.base * scale
    bits, step, low = binary(difference)
    return torch.stack(
        (difference, difference - (bits * step + low), difference - ternary(parts.delta).float() * scale)
    )


def coarse(base: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Put a base matrix on few levels, each output on its own grid.

    Args:
        base: matrix, float32 (outputs, inputs).
        bits: number of bits of the magnitude.

    Returns:
        Codes (outputs, inputs) from -(2^bits - 1) to 2^bits - 1, and the steps (outputs, 1) with the least squared
        error.
    """
    import torch

    top = 2**bits - 1
    largest = base.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny * 2**24)
    best, least = largest / top, torch.full_like(largest, float("inf"))
    for clip in CLIPS:
        scale = largest * (clip / top)
        error = ((base / scale).round_().clamp_(-top, top).mul_(scale).sub_(base)).square_().sum(dim=1, keepdim=True)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return (base / best).round_().clamp_(-top, top), best


def base_residuals(base: Tensor, scale: Tensor) -> Tensor:
    """Return the weights that each number of bits leaves out of an 8-bit base, shape (bits, outputs, inputs)."""
    import torch

    whole = plugin.quantise(base, scale) * scale
    return torch.stack([whole - codes * step for codes, step in (coarse(base, bits) for bits in BASE_BITS)])


def measure_outputs(context: plugin.Context, task: int, scales: dict[Key, Tensor], rows: int) -> dict[str, Array]:
    """Measure every output of every matrix on training rows.

    To first order, leaving ``r`` out of an output's weights changes a row's logits by ``a``, the sum over tokens of
    ``g (x r)``, with inputs ``x`` and gradients ``g`` at the output; a bias ``b`` adds ``b c``, with ``c`` the sum of
    ``g``. The best bias is the least-squares bias. It is linear in ``r``: the sum over rows of ``a c`` is ``r`` times
    the sum of ``c g x``.

    Args:
        context: context of the study.
        task: index of the task.
        scales: steps of the base's grid, by (layer, matrix).
        rows: number of training rows.

    Returns:
        Arrays ``plain`` and ``recovered``, shape (forms, L, outputs of all matrices in order): mean square change of
        the logits, without and with the best bias. ``bias`` is the best bias, in the same shape. ``base_bias`` is the
        bias that a coarse base adds, shape (bits, L, outputs).
    """
    import torch

    base, tuned = context.base_weights(), context.task_weights(task)
    left = {key: residuals(tuned[key], base[key], scale) for key, scale in scales.items()}
    squares = {key: torch.zeros(values.shape[:2]) for key, values in left.items()}
    pulls = {key: torch.zeros(values.shape[1:]) for key, values in left.items()}
    weights = {key: torch.zeros(values.shape[1]) for key, values in left.items()}
    count = 0
    for seen in context.observe(task, rows):
        count += len(seen.mask)
        for key, out in left.items():
            inputs, gradients = seen.inputs[key], seen.gradients[key] * seen.mask[..., None]
            alone = gradients.sum(dim=1)
            weights[key] += alone.square().sum(dim=0).cpu()
            pulls[key] += torch.einsum("ro,rto,rti->oi", alone, gradients, inputs).cpu()
            for form in range(FORMS):
                change = ((inputs @ out[form].T.to(gradients)) * gradients).sum(dim=1)
                squares[key][form] += change.square().sum(dim=0).cpu()
    tables: dict[str, dict[Key, Tensor]] = {"plain": {}, "recovered": {}, "bias": {}, "base_bias": {}}
    for key, out in left.items():
        layer = torch.cat([weight for other, weight in weights.items() if other[0] == key[0]])
        damped = weights[key] + DAMPING * layer.mean() + torch.finfo(torch.float32).tiny
        if not context.workload.encoder.matrices[key[1]].bias:
            damped = torch.full_like(damped, torch.inf)  # the best bias is then zero
        cross = torch.einsum("oi,foi->fo", pulls[key], out)
        bias = cross / damped
        tables["plain"][key] = squares[key] / count
        recovered = squares[key] - 2 * bias * cross + bias.square() * weights[key]
        tables["recovered"][key] = recovered.clamp_min(0) / count
        tables["bias"][key] = bias
        coarser = base_residuals(base[key], scales[key])
        tables["base_bias"][key] = torch.einsum("oi,foi->fo", pulls[key], coarser) / damped
    return {name: stack_matrices(parts, context.workload.encoder) for name, parts in tables.items()}
