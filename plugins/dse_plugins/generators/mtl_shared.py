"""Generator ``mtl-shared``: one encoder trained on all tasks together, with one head per task.

Multi-task learning with hard sharing, as in MT-DNN (Liu et al., ACL 2019), the baseline of all trained sharing.
"""

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from dse import plugin


class SharedOptions(plugin.Options):
    """Options of ``mtl-shared``.

    Attributes:
        passes: length of the training, as a multiple of each task's own epochs.
        distil: share of the loss that follows the tasks' own fine-tuned models.
        seed: seed of the training.
    """

    passes: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.0, ge=0, le=1)
    seed: int = Field(default=0, ge=0)


class Shared(plugin.Base):
    """Every layer belongs to one trained encoder, which takes the place of the base."""

    options: SharedOptions
    joint = True

    def prepare(self, context: plugin.Context) -> None:
        """Train the encoder."""
        context.trained(self._training(context.workload))

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Give every layer to the base's owner."""
        return plugin.Plan(np.full((params.points, len(workload.tasks), workload.encoder.layers), plugin.BASE))

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights | plugin.Model:
        """Return the trained encoder."""
        del params
        shared = context.trained(self._training(context.workload))
        return shared if owner == plugin.BASE else context.task_weights(owner - 1)

    def _training(self, workload: plugin.Workload) -> plugin.Training:
        tasks = tuple(range(len(workload.tasks)))
        return plugin.Training(tasks, passes=self.options.passes, distil=self.options.distil, seed=self.options.seed)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(
        api=2,
        name="mtl-shared",
        summary="one encoder trained on all tasks, with one head per task",
        build=Shared,
        options=SharedOptions,
        source="after Liu et al., MT-DNN, ACL 2019",
    )
