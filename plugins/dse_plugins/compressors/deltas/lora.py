"""Compressor ``lora``: frozen arrays, and beside them a low-rank delta that the digital unit multiplies.

Hu et al., "LoRA", ICLR 2022, placed as in "analog hardware-aware LoRA" (arXiv 2411.17367): the arrays hold the base and
are never written; each task's two thin factors lie in SRAM. The route without training takes the factors of the
fine-tuned weights' delta. The trained route learns them from the base on the task's rows.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from dse import plugin
from dse_plugins.compressors.deltas.common import Difference, Part, Sizes
from dse_plugins.compressors.deltas.low_rank import LowRank, round_factor
from dse_plugins.compressors.shared.learning import LearningOptions, learn, refuse_others
from dse_plugins.shared import name_of


class LoraOptions(LearningOptions):
    """Options of ``lora``.

    Attributes:
        ranks: trained route: ranks that are trained; each takes one training of every task.
        route, passes, distil, seed: the options of `LearningOptions`.
    """

    ranks: list[Annotated[int, Field(ge=1)]] = Field(default=[8], min_length=1)


class Lora(LowRank):
    """Singular vectors in one precision, in SRAM."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the rank, and the bits of the factors."""
        side = min(min(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
        return (
            plugin.Int(
                name="rank", low=0, high=min(16, side), default=min(8, side), limits=(0, side), scope=("task",),
                summary="number of singular vectors kept of each matrix",
            ),
            plugin.Int(name="bits", low=3, high=7, default=7, limits=(1, 7), unit="bit", summary="magnitude bits of the factors"),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce two factors in SRAM."""
        parts = []
        for part in super().parts(sizes, _one_precision(params))[:2]:
            bits = part.bits + part.rows * part.columns * (1 + params["bits"][:, None, None, None])
            parts.append(part._replace(bits=bits, digital=True))
        return tuple(parts)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the singular vectors, and the outputs fitted to them."""
        return tuple(replace(term, digital=True) for term in super().terms(difference, _one_precision(params))[:2])


class TrainedLora(Lora):
    """Factors that were learnt for each task and rank."""

    options: LoraOptions

    def __init__(self, options: LoraOptions) -> None:
        super().__init__(options)
        self._learnt: dict[tuple[int, int], plugin.Adapted] = {}

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare one of the trained ranks for each task, and the bits of the factors."""
        ranks = tuple(self.options.ranks)
        rank = plugin.Choice(
            name="rank", choices=ranks, default=ranks[0], scope=("task",), summary="rank of each matrix's delta"
        )
        return (rank, *super().parameters(workload)[1:])

    def prepare(self, context: plugin.Context) -> None:
        """Learn every task with every rank."""
        from dse_plugins.compressors.deltas.lora_adapter import VERSION, Factors

        super().prepare(context)
        for rank in self.options.ranks:
            build = partial(Factors, scales=dict(self._scales), rank=rank)
            adapted = learn(context, self.options, {"lora": VERSION, "rank": rank}, build)
            self._learnt |= {(task, rank): one for task, one in enumerate(adapted)}

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce two factors in SRAM; refuse weights for which none were learnt."""
        refuse_others("lora", measured=sizes.demand.measured)
        return super().parts(sizes, params)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the factors that were learnt."""
        rank = int(params["rank"][0, difference.place])
        state = self._learnt[difference.place, rank].state
        where, bits = name_of(difference.key), int(params["bits"][0])
        inputs = difference.weights.inputs.get(difference.key)
        down = state[f"down.{where}"] if inputs is None else state[f"down.{where}"][:, inputs]
        up = difference.weights.of_outputs(difference.key, state[f"up.{where}"])
        first, second = round_factor(down, bits), round_factor(up, bits)
        return replace(first, digital=True), replace(second, digital=True, fed_by=0)

    def learnt(self, params: plugin.Params, owner: int) -> plugin.Model | None:
        """Return the biases, norms and head that were learnt with the factors."""
        if owner == plugin.BASE:
            return None
        return self._learnt[owner - 1, int(params["rank"][0, owner - 1])].model


def build(options: LoraOptions) -> plugin.WeightCompressor:
    """Build the route that the options choose."""
    return TrainedLora(options) if options.route == "trained" else Lora(options)


def _one_precision(params: plugin.Params) -> plugin.Params:
    """Return the parameters of `LowRank` that make all vectors precise, in the chosen bits."""
    values = {"rank": params["rank"], "precise": np.ones(params["rank"].shape)}
    return plugin.Params(params.points, values | dict.fromkeys(("high_bits", "low_bits"), params["bits"]))


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="lora",
        summary="frozen arrays, and low-rank deltas that the digital unit multiplies",
        build=build,
        options=LoraOptions,
        source="Hu et al., LoRA, ICLR 2022; placed as in arXiv 2411.17367",
    )
