"""Generator ``mgen``: one trunk trained on all tasks, with fewer layers, and branches where a task needs its own.

After Kang et al., "MGen", IEEE TC 2023, of which only the abstract is public: models that support several tasks with less
computation. Ours: some encoder layers are skipped by all; the rest is trained on all tasks together and follows the tasks'
own models; the last layers of a task may be its own, trained on from there with everything beneath them as it is. On an
input that all tasks share, what they have in common runs once.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

import dse


class MGenOptions(dse.Options):
    """Options of ``mgen``.

    Attributes:
        passes: times each task's own epochs, for the trunk.
        branch_passes: the same for a branch.
        distil: share of the loss that follows the tasks' own fine-tuned models.
    """

    passes: float = Field(default=1.0, gt=0)
    branch_passes: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.5, ge=0, le=1)


class MGen:
    """A shared trunk and branches; the trunk stands in the base's place."""

    joint = True

    def __init__(self, options: MGenOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Layers that run, and how many of the last are each task's own."""
        layers = workload.encoder.layers
        return (
            dse.Int(
                name="layers", low=max(1, layers // 2), high=layers, default=layers, limits=(1, layers), unit="layers",
                summary="encoder layers that run, the others are skipped",
            ),
            dse.Int(
                name="own", low=0, high=min(2, layers), default=0, limits=(0, layers), scope=("task",), unit="layers",
                summary="last layers of a task that are its own; the others are those of the trunk",
            ),
        )  # fmt: skip

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do: a trunk or branch is trained when a design first needs it."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Skip what does not run, and give the last layers that do to the tasks."""
        layers = workload.encoder.layers
        runs = np.stack([np.isin(np.arange(layers), spread(layers, int(count))) for count in params["layers"]])
        place = np.cumsum(runs, axis=1) - 1  # of a layer among those that run
        first = params["layers"][:, None] - params["own"]  # (P, T) layers of the trunk
        own = dse.separate_models(workload, params.points).owner
        owner = np.where(place[:, None, :] < first[..., None], dse.BASE, own)
        return dse.Plan(np.where(runs[:, None, :], owner, dse.DROPPED))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights | dse.Model:
        """Give the trunk, or a task's branch."""
        workload, count = context.workload, int(params["layers"][0])
        kept = spread(workload.encoder.layers, count)
        tasks = tuple(range(len(workload.tasks)))
        trunk = dse.Training(tasks, kept, distil=self.options.distil, passes=self.options.passes)
        if owner == dse.BASE:
            return context.trained(trunk)
        frozen = max(0, count - int(params["own"][0, owner - 1]))
        return context.trained(
            dse.Training(
                (owner - 1,), kept, frozen, start=trunk, distil=self.options.distil, passes=self.options.branch_passes
            )
        )


def spread(layers: int, count: int) -> tuple[int, ...]:
    """Layers that run if so many do: the first and the last, and others evenly between."""
    places: NDArray[np.float64] = np.linspace(0, layers - 1, count) if count > 1 else np.array([layers - 1.0])
    return tuple(int(place) for place in np.floor(places + 0.5))


@dse.hookimpl
def dse_generators() -> Iterable[dse.Generator]:
    """Yield the one generator."""
    yield dse.Generator(
        name="mgen",
        summary="a trunk of fewer layers trained on all tasks, and branches of their own",
        build=MGen,
        options=MGenOptions,
        source="after Kang et al., MGen, IEEE TC 2023 (abstract)",
    )
