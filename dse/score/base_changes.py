"""Changes to the base under an owner's matrix: scaled partial sums and reprogrammed blocks, stored and charged."""

from dse.cost.counts import FULL_MAGNITUDE
from dse.cost.reprogramming import blocks_of
from dse.errors import PluginContractError
from dse.records.arrays import Tensor
from dse.records.footprint import Footprint, Reprogrammed
from dse.records.stored import Image, Key, Matrices, Scaling, Stored
from dse.records.workload import Encoder


def held_base(stored: Stored, base: Tensor, weights: Matrices, key: Key, reprogrammed: Reprogrammed | None) -> Tensor:
    """Return the base's matrix (outputs, inputs) as its arrays compute with it while they serve the owner's users.

    Args:
        stored: terms of one matrix.
        base: the base's effective matrix (outputs, inputs), cut like the owner's.
        weights: the owner's matrices, which know which outputs and inputs are left.
        key: layer and matrix.
        reprogrammed: size of the blocks that are written, or None if no block is written.
    """
    import torch

    if stored.scaling is not None:
        scaling = stored.scaling
        factors = torch.where(scaling.live, scaling.factors, torch.ones(()))
        base = base * factors[weights.block_of(key, scaling.rows, inputs=True)].T
    if stored.image is not None and reprogrammed is not None:
        of_rows = weights.block_of(key, reprogrammed.rows, inputs=True)
        of_columns = weights.block_of(key, reprogrammed.columns, inputs=False)
        written = stored.image.blocks[of_columns][:, of_rows]
        scale = stored.image.scale
        values = stored.image.codes.float() * (scale[:, None] if scale.ndim == 1 and scale.numel() > 1 else scale)
        base = torch.where(written, values, base)
    return base


def check_beneath(encoder: Encoder, stored: Stored, footprint: Footprint, owner: int, key: Key, where: str) -> None:
    """Refuse factors and images that differ from what the footprint charged.

    Raises:
        PluginContractError: blocks or the number of factors differ, or codes exceed 8 bits.
    """
    layer, index = key
    for name, shifts in (("scalings", False), ("shifts", True)):
        table = getattr(footprint, name)
        charged = 0 if table is None else int(table[0, owner, layer, index])
        factors = _factors(stored.scaling, shifts=shifts)
        if charged != factors:
            raise PluginContractError(
                f"the footprint and the stored factors disagree on {name}", where=where, expected=charged, found=factors
            )
    if not stored.on_base and (stored.scaling is not None or stored.image is not None):
        raise PluginContractError(
            "factors or images were stored without a base", where=where, expected="on_base = True", found="False"
        )
    _check_image(encoder, stored.image, footprint.reprogrammed, owner, key, where)


def _factors(scaling: Scaling | None, *, shifts: bool) -> int:
    return 0 if scaling is None or scaling.shifts != shifts else int(scaling.live.sum())


def _check_image(
    encoder: Encoder, image: Image | None, reprogrammed: Reprogrammed | None, owner: int, key: Key, where: str
) -> None:
    layer, index = key
    charged = set()
    if reprogrammed is not None:
        by_layer = reprogrammed.blocks[0, owner].reshape(encoder.layers, -1)
        blocks = by_layer[layer, blocks_of(encoder, reprogrammed)[index]]
        charged = set(blocks.nonzero()[0].tolist())
    written = set() if image is None else set(image.blocks.flatten().nonzero()[:, 0].tolist())
    if charged != written:
        raise PluginContractError(
            "the blocks that are written are not the blocks that the footprint charged for",
            where=where,
            expected=f"{len(charged)} blocks, {len(charged - written)} of them missing",
            found=f"{len(written)} blocks, {len(written - charged)} of them not charged",
        )
    if image is not None and image.codes.numel() and int(image.codes.abs().max()) > FULL_MAGNITUDE:
        raise PluginContractError(
            "a code that is written over the base does not fit its cells",
            where=where,
            expected=f"at most {FULL_MAGNITUDE}",
            found=int(image.codes.abs().max()),
        )
