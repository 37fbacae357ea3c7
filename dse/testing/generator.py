"""Conformance suite of model generators."""

from functools import cache
from typing import Any, ClassVar

import numpy as np

from dse.cost.demand import demand
from dse.plugins.contract import is_joint
from dse.records.model import Model
from dse.records.parameters import Int
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.plugin import Kind, PluginRecord
from dse.records.workload import Workload
from dse.score.gate import check_model_shapes
from dse.testing import _values as values
from dse.testing.common import PluginTests
from dse.testing.outcomes import Check, NothingToTest, after, once_each
from dse.testing.workloads import TinyContext


@once_each
class GeneratorTests(PluginTests):
    """Checks of a `dse.ModelGenerator`: its plan fits the workload and its weights fit the plan."""

    kind: ClassVar[Kind] = "generator"
    scored: ClassVar[slice | None] = slice(None)

    def evaluate(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the plan, and the weights of every owner that it names."""
        return self.answer(plugin, _context(workload), params)

    def answer(self, plugin: Any, context: TinyContext, params: Params) -> Any:
        """Return the plan, and the weights of every owner that it names; weights that are changed in place are refused."""
        plan: Plan = plugin.plan(context.workload, params)
        owners = sorted({BASE, *np.unique(plan.owner).tolist()} - {DROPPED})
        last = plan.groups + len(context.workload.tasks)
        with context.guarded("the generator") as guarded:
            return plan, {owner: plugin.weights(guarded, params, owner) for owner in owners if 0 <= owner <= last}

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the plan."""
        return plugin.plan(workload, params)

    def test_plan_fits_the_workload(self, record: PluginRecord) -> None:
        """Owners exist, and masks have the shape of the heads and FFN columns they keep."""
        after(self.test_is_deterministic, record=record)
        for plugin, workload, params in self.cases(record):
            plan: Plan = plugin.plan(workload, params)
            owner = np.asarray(plan.owner)
            assert owner.dtype.kind == "i", f"Plan.owner must be whole numbers, found {owner.dtype}"
            assert len(owner) == 1, f"a plan of one design has {len(owner)}"
            demand(workload, plan, generator=record.name, joint=is_joint(plugin))
            for name in ("heads", "ffn"):
                mask = getattr(plan, name)
                if mask is not None:
                    assert mask.dtype == bool, f"Plan.{name} must be booleans, found {mask.dtype}"
                    usable = mask.any(axis=-1) | (owner == DROPPED)
                    assert usable.all(), f"Plan.{name} keeps nothing in a layer that runs; use dse.DROPPED to skip it"

    def test_weights_fit_the_plan(self, record: PluginRecord) -> None:
        """Every owner has float32 matrices, outputs first, finite and whole, in each layer that uses it."""
        after(self.test_plan_fits_the_workload, record=record)
        for plugin, workload, params in self.cases(record):
            plan, weights = self.evaluate(plugin, workload, params)
            for owner, given in weights.items():
                model = given if isinstance(given, Model) else Model(given)
                check_model_shapes(workload, model, f"owner {owner}")
                matrices = model.matrices
                layers = {int(layer) for layer in np.flatnonzero((plan.owner[0] == owner).any(axis=0))}
                for layer in layers:
                    for index, matrix in enumerate(workload.encoder.matrices):
                        _check_matrix(matrices, (layer, index), (matrix.columns, matrix.rows), owner)

    def test_only_joint_generators_change_or_mix_weights(self, record: PluginRecord) -> None:
        """Without joint = True, a task runs the context's weights of the base, or weights of its own that follow from these and its own there."""
        after(self.test_weights_fit_the_plan, record=record)
        for plugin, workload, params in self.cases(record):
            if is_joint(plugin):
                raise NothingToTest("the generator is joint")
            plan, weights = self.evaluate(plugin, workload, params)
            cure = "give those of the context, or set joint = True, since scores of a task are kept without other tasks"
            for task, owners in enumerate(plan.owner[0]):
                others = sorted(set(owners.tolist()) - {DROPPED, BASE, 1 + task})
                assert not others, f"task {task} runs the weights of owner {others[0]}, which is another task; {cure}"
            for owner, given in weights.items():
                context = _context(workload)
                own = context.base_weights() if owner == BASE else context.task_weights(owner - 1)
                changed = _find_differing(given, own)
                if changed and owner != BASE:  # they may be made from the task's own weights and the base's
                    changed = _find_differing(given, self._weigh_beside_others(record, workload, params, owner))
                whose = "the base" if owner == BASE else f"task {owner - 1}"
                assert not changed, (
                    f"owner {owner}, {whose}: matrix {changed[0]} differs from the context's weights of {whose}, or follows "
                    f"other tasks; {cure}"
                )

    def _weigh_beside_others(self, record: PluginRecord, workload: Workload, params: Params, owner: int) -> Any:
        """Return an owner's weights where all other tasks have weights of twice the size."""
        context: Any = TinyContext(workload)
        beside = [
            weights if place in (BASE, owner) else {key: 2 * weight for key, weight in weights.items()}
            for place, weights in enumerate(context._all)  # noqa: SLF001  # the checks' own context
        ]
        context.__dict__["_all"] = beside
        plugin = self.build_for(record, record.options.model_validate(self.options), context)
        return plugin.weights(context, params, owner)

    def test_each_number_of_layers_is_a_plan_of_its_own(self, record: PluginRecord) -> None:
        """A parameter that counts layers gives another plan or other weights at each of its values."""
        after(self.test_weights_fit_the_plan, record=record)
        counted = None
        for plugin, workload, declared in self._each_workload(record):
            usual = values.default_point(declared, workload)
            for item in declared:
                if isinstance(item, Int) and item.unit.startswith("layer"):
                    low, high = item.limits or (item.low, item.high)
                    for value in range(low, min(high, workload.encoder.layers)):
                        both = [values.with_value(usual, item, workload, number) for number in (value, value + 1)]
                        one, other = (self.evaluate(plugin, workload, params) for params in both)
                        counted = values.first_difference(one, other)
                        assert counted, (
                            f"{item.name} gives the same at {value} and {value + 1} layers: is it off by one?"
                        )
        if counted is None:
            raise NothingToTest("no parameter has the unit layers")

    @property
    def sound(self) -> Check:
        """The check without which plans cannot be compared."""
        return self.test_weights_fit_the_plan


@cache
def _context(workload: Workload) -> TinyContext:
    return TinyContext(workload)


def _check_matrix(matrices: Any, key: tuple[int, int], shape: tuple[int, int], owner: int) -> None:
    where = f"owner {owner}, layer {key[0]}, matrix {key[1]}"
    assert key in matrices, f"{where}: no weights are given, though the plan uses them"
    weight = matrices[key]
    assert tuple(weight.shape) == shape, f"{where}: expected (outputs, inputs) {shape}, found {tuple(weight.shape)}"
    assert str(weight.dtype) == "torch.float32", f"{where}: expected float32, found {weight.dtype}"
    assert bool(weight.isfinite().all()), f"{where}: weights are not finite"


def _find_differing(given: Any, own: Any) -> list[Any]:
    """Return the places of the matrices that differ between two sets of weights, or models."""
    first, second = (one.matrices if isinstance(one, Model) else one for one in (given, own))
    return [key for key, weight in first.items() if not bool((weight == second[key]).all())]
