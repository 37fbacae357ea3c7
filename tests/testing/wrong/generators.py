"""Generators with one fault each."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from dse_plugins.generators.independent import Independent
from dse_plugins.generators.shared_prefix import SharedPrefix

import dse

CALLS = count()


class NoSuchOwner(Independent):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        return dse.Plan(super().plan(workload, params).owner + 1)


class MaskOfAnotherEncoder(Independent):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        owner = super().plan(workload, params).owner
        return dse.Plan(owner, heads=np.ones((*owner.shape, workload.encoder.heads + 1), dtype=bool))


class KeepsNothing(Independent):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        owner = super().plan(workload, params).owner
        return dse.Plan(owner, ffn=np.zeros((*owner.shape, workload.encoder.ffn), dtype=bool))


class InputsFirst(Independent):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights:
        return {key: weight.T for key, weight in super().weights(context, params, owner).items()}


class Noisy(Independent):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights:
        return {key: weight + next(CALLS) for key, weight in super().weights(context, params, owner).items()}


class FirstDepthForAll(SharedPrefix):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        first = np.repeat(params["depth"][:1], params.points, axis=0)
        return super().plan(workload, dse.Params(params.points, {"depth": first}))


class DeadDepth(SharedPrefix):
    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        return dse.separate_models(workload, params.points)


class HidesWeightsInHeads(Independent):
    """Every task runs on the base, and brings its own matrices as a part of its head."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        return dse.Plan(np.full((params.points, len(workload.tasks), workload.encoder.layers), dse.BASE))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        del params, owner
        matrices = context.workload.encoder.matrices
        heads = {
            task: {f"{layer}.{matrices[index].name}": own for (layer, index), own in context.task_weights(task).items()}
            for task in range(len(context.workload.tasks))
        }
        return dse.Model(context.base_weights(), heads=heads)


class HidesWeightsInVectors(Independent):
    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        matrices = super().weights(context, params, owner)
        first = context.workload.encoder.matrices[0].name
        return dse.Model(matrices, vectors={layer: {f"{first}.weight": matrices[layer, 0]} for layer, _ in matrices})


class Misspelt(Independent):
    jointly = True


def record(build: type) -> dse.Generator:
    return dse.Generator(name="wrong", summary="wrong on purpose", build=build)


CASES = (
    (record(Misspelt), "test_record_is_valid"),
    (record(NoSuchOwner), "test_plan_fits_the_workload"),
    (record(MaskOfAnotherEncoder), "test_plan_fits_the_workload"),
    (record(KeepsNothing), "test_plan_fits_the_workload"),
    (record(InputsFirst), "test_weights_fit_the_plan"),
    (record(HidesWeightsInHeads), "test_weights_fit_the_plan"),
    (record(HidesWeightsInVectors), "test_weights_fit_the_plan"),
    (record(Noisy), "test_is_deterministic"),
    (record(FirstDepthForAll), "test_batch_equals_single"),
    (record(DeadDepth), "test_every_parameter_changes_something"),
)
