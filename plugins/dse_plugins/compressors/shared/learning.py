"""Helpers of compressors that learn their stored weights from the base, on each task's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from dse import plugin
from dse.errors import PluginContractError
from dse_plugins.shared import Key

if TYPE_CHECKING:
    from torch import Tensor, nn

    Build = Callable[[Mapping[Key, Tensor]], nn.Module]


class LearningOptions(plugin.Options):
    """Options of compressors that can learn their stored weights.

    Attributes:
        route: ``free`` uses the fine-tuned weights, without training; ``trained`` learns from the base on the task's
            rows.
        passes: trained route: length of the training, as a multiple of the epochs of fine-tuning.
        distil: trained route: share of the loss that follows the outputs of the task's own fine-tuned model.
        seed: trained route: seed of the order of rows and of new heads.
    """

    route: Literal["free", "trained"] = "free"
    passes: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.5, ge=0, le=1)
    seed: int = Field(default=0, ge=0)


def learn(
    context: plugin.Context, options: LearningOptions, key: Mapping[str, Any], build: Build
) -> list[plugin.Adapted]:
    """Learn every task.

    Args:
        context: context of the study.
        options: options of the compressor.
        key: everything the adapter's behaviour depends on.
        build: function that makes the adapter from the base's matrices.
    """
    rest = (options.passes, options.distil, options.seed)
    return [context.adapted(plugin.Adaption(task, key, build, *rest)) for task in range(len(context.workload.tasks))]


def cut(weights: plugin.Matrices, key: Key, whole: Tensor) -> Tensor:
    """Cut a matrix (outputs, inputs) to the outputs and inputs that the plan keeps."""
    left = weights.of_outputs(key, whole)
    return left[:, weights.inputs[key]] if key in weights.inputs else left


def refuse_others(name: str, *, measured: bool) -> None:
    """Refuse weights of a generator for which nothing was learnt.

    Raises:
        PluginContractError: the generator's weights are not the base's and the tasks' own.
    """
    if not measured:
        raise PluginContractError(
            f"{name} is trained from the base, but the generator's weights are not the tasks' own",
            where=f"[compressor.{name}.options] route",
            expected="a generator that is not joint, such as independent",
            found="trained",
        )
