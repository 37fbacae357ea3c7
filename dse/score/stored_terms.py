"""Effective weights of one design's tasks: every owner's matrices, rebuilt from the terms that are charged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dse.cost.combination import Combination
from dse.cost.cost import Built
from dse.cost.demand import demand
from dse.cost.exits import check_heads
from dse.errors import PluginContractError
from dse.plugins.call import call_plugin
from dse.plugins.contract import LearningCompressor
from dse.records.arrays import Ints
from dse.records.demand import Demand
from dse.records.effective import Effective
from dse.records.footprint import Footprint, Reprogrammed
from dse.records.geometry import Geometry
from dse.records.model import Model
from dse.records.params import Params
from dse.records.plan import BASE, Plan
from dse.records.plugin import Kind
from dse.records.stored import Key, Stored
from dse.records.workload import Encoder
from dse.score.check_stored import check_stored
from dse.score.check_values import check_effective, check_model
from dse.score.context import PipelineContext
from dse.score.cut import Cut
from dse.score.gate import check_model_shapes
from dse.score.task_weights import held_by


class Assembly:
    """One design's plan and the stored terms of its owners; a `dse.score.task_weights.Source`.

    Args:
        context: context of the study.
        built: the design's plugins.
        params: parameters of each kind of plugin (P = 1).
        geometry: geometry of the arrays.

    Attributes:
        plan: owner of the weights that each task uses.
        demand: matrices that the compressor was asked to store.
        footprint: the compressor's answer.
        geometry: geometry of the arrays.

    Raises:
        PluginContractError: a plugin raised, or its stored terms differ from its footprint.
    """

    def __init__(
        self, context: PipelineContext, built: Built, params: Mapping[Kind, Params], geometry: Geometry
    ) -> None:
        self._context = context
        self._built = built
        self._params = params
        self._models: dict[int, Model] = {}
        workload, names = context.workload, built.names
        self.geometry = geometry
        self.plan: Plan = call_plugin("generator", names[0], built.generator.plan, workload, params["generator"])
        self.demand: Demand = demand(workload, self.plan, generator=names[0], joint=built.joint)
        self.footprint: Footprint = call_plugin(
            "compressor", names[1], built.compressor.footprint, workload, self.demand, geometry, params["compressor"]
        )

    @property
    def names(self) -> Combination:
        """Names of the plugins."""
        return self._built.names

    def identity(self, owner: int) -> str:
        """Return the digest of an owner's origin, in which neither names of tasks nor their order in a file matter.

        A group's origin is the base and the tasks that use the group.
        """
        names, workload = self._context.workload.task_names, self._context.workload
        digests = workload.seeds or workload.digests
        task = owner - self.demand.task_owner(0)
        if task >= 0:
            return digests[f"task.{names[task]}"]
        if owner == BASE:
            return f"{digests['base']} {BASE}"
        users = np.flatnonzero((self.plan.owner[0] == owner).any(axis=1))
        return " ".join([digests["base"], *sorted(digests[f"task.{names[user]}"] for user in users)])

    @property
    def encoder(self) -> Encoder:
        """Shapes and roles."""
        return self._context.workload.encoder

    @property
    def reprogrammed(self) -> Reprogrammed | None:
        """Blocks of the base that are written."""
        return self.footprint.reprogrammed

    def owners(self, task: int) -> Ints:
        """Return the owner of each of a task's layers, shape (L,)."""
        return np.asarray(self.plan.owner[0, task])

    def of_task(self, task: int) -> Effective:
        """Rebuild the weights that a task computes with."""
        total = held_by(self, task)
        self.check(task, total)
        name = self._context.workload.task_names[task]
        check_effective(self.encoder, total, f"compressor {self.names[1]!r}, task {name!r}")
        return total

    def check(self, task: int, held: Effective) -> None:
        """Refuse exits that the plan does not have.

        Raises:
            PluginContractError: the weights have an exit that the plan lacks.
        """
        check_heads(self.plan, task, held.exits, generator=self.names[0])

    def model(self, owner: int) -> Model:
        """Return an owner's model from the generator, with the vectors and heads that the compressor learnt."""
        if owner not in self._models:
            generator, name = self._built.generator, self._built.names[0]
            own = self._context.of_plugin("generator", name)
            with own.guarded(f"generator {name!r}") as context:
                given = call_plugin("generator", name, generator.weights, context, self._params["generator"], owner)
            if not isinstance(given, Model | Mapping):
                raise PluginContractError(
                    f"generator {name!r}: weights() returned neither a dse.Model nor matrices",
                    expected="a tensor for each (layer, matrix)",
                    found=type(given).__name__,
                )
            model = given if isinstance(given, Model) else Model(given)
            self._check(model, f"generator {name!r}, owner {owner}")
            self._models[owner] = self._with_learnt(model, owner)
        return self._models[owner]

    def get_terms(self, owner: int, layers: Sequence[int]) -> dict[Key, Stored]:
        """Return the terms of an owner's matrices in some layers, checked against the footprint."""
        name, matrices = self._built.names[1], self.model(owner).matrices
        cuts = {key: Cut(self.encoder, self.plan, owner, *key) for key in matrices if key[0] in layers}
        weights = Cut.matrices(cuts, matrices, self.demand)
        base = Cut.matrices(cuts, self.model(BASE).matrices, self.demand)
        store, params = self._built.compressor.store, self._params["compressor"]
        with self._context.guarded(f"compressor {name!r}", weights.whole, base.whole):
            terms: dict[Key, Stored] = call_plugin(
                "compressor", name, store, weights, base, self.geometry, params, owner
            )
        shapes = {key: cut.shape for key, cut in cuts.items()}
        if more := [key for key in terms if key not in shapes]:
            who, expected = f"compressor {name!r}, owner {owner}", "the (layer, matrix) that store() received"
            raise PluginContractError(
                "a matrix is stored that the model does not have", where=who, expected=expected, found=more[0]
            )
        check_stored(self.encoder, terms, shapes, self.footprint, owner, who=f"compressor {name!r}")
        return {key: terms[key] for key in cuts}

    def _check(self, model: Model, where: str) -> None:
        check_model(self.encoder, model, where)
        check_model_shapes(self._context.workload, model, where)

    def _with_learnt(self, model: Model, owner: int) -> Model:
        """Replace biases, norms and heads by those that the compressor learnt with its terms, if it learns any."""
        compressor = self._built.compressor
        if not isinstance(compressor, LearningCompressor):
            return model
        name, params = self._built.names[1], self._params["compressor"]
        more: Model | None = call_plugin("compressor", name, compressor.learnt, params, owner)
        if more is None:
            return model
        self._check(more, f"compressor {name!r}, owner {owner}, learnt")
        return replace(model, vectors={**model.vectors, **more.vectors}, heads={**model.heads, **more.heads})
