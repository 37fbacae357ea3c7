"""What compressors share that learn from the base, on each task's rows, what they store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from dse import plugin
from dse.errors import PluginContractError

if TYPE_CHECKING:
    from torch import Tensor, nn

    Build = Callable[[Mapping[tuple[int, int], Tensor]], nn.Module]


class LearningOptions(plugin.Options):
    """Options of what may be learnt.

    Attributes:
        route: ``free``: from the fine-tuned weights, without training; ``trained``: learnt from the base on the task's rows.
        passes: trained: times the epochs that fine-tuning takes.
        distil: trained: share of the loss that follows the outputs of the task's own fine-tuned model.
        seed: trained: of the order of rows and of new heads.
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
        context: of a study.
        options: of the compressor.
        key: what the adapter's behaviour depends on.
        build: makes it.
    """
    rest = (options.passes, options.distil, options.seed)
    return [context.adapted(plugin.Adaption(task, key, build, *rest)) for task in range(len(context.workload.tasks))]


def refuse_others(name: str, *, measured: bool) -> None:
    """Refuse weights that nothing was learnt for.

    Raises:
        PluginContractError: a generator gives other weights than the base's and the tasks' own.
    """
    if not measured:
        raise PluginContractError(
            f"{name} is trained from the base, and the generator gives other weights than the tasks' own",
            where=f"[compressor.{name}.options] route",
            expected="a generator that is not joint, such as independent",
            found="trained",
        )
