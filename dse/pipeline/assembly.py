"""What a task of one design point computes with: every owner's matrices, rebuilt from the terms that are charged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dse.contract import Weights
from dse.pipeline.beneath import held_base
from dse.pipeline.context import PipelineContext
from dse.pipeline.demand import demand
from dse.pipeline.exits import check_heads
from dse.pipeline.hardware_cost import Built, called
from dse.pipeline.kept import Cut, keep_only
from dse.pipeline.rebuild import check_stored, effective, products
from dse.records.batch import BASE, DROPPED, Geometry, Ints, Plan
from dse.records.footprint import Footprint
from dse.records.model import Model
from dse.records.params import Params
from dse.records.plugin import Kind
from dse.records.terms import Effective


class Assembly:
    """One design point's plan, and what its owners' weights come to.

    Args:
        context: of the study.
        built: the point's plugins.
        params: of each kind, P = 1.
        geometry: of its arrays.

    Raises:
        PluginContractError: a plugin raised, or stored something else than its footprint charged for.
    """

    def __init__(
        self, context: PipelineContext, built: Built, params: Mapping[Kind, Params], geometry: Geometry
    ) -> None:
        self._context = context
        self._built = built
        self._params = params
        self._geometry = geometry
        self._models: dict[int, Model] = {}
        workload, names = context.workload, built.names
        self._plan: Plan = called("generator", names[0], built.generator.plan, workload, params["generator"])
        self._demand = demand(workload, self._plan, generator=names[0], joint=built.joint)
        self._footprint: Footprint = called(
            "compressor", names[1], built.compressor.footprint, workload, self._demand, geometry, params["compressor"]
        )

    def owners(self, task: int) -> Ints:
        """Owner (L,) of each of a task's layers."""
        return np.asarray(self._plan.owner[0, task])

    def of_task(self, task: int) -> Effective:
        """Rebuild what a task computes with."""
        owners = self.owners(task)
        used = {int(owner): np.flatnonzero(owners == owner).tolist() for owner in np.unique(owners) if owner != DROPPED}
        beneath = {
            layer for owner, layers in used.items() for layer in layers if self._footprint.on_base[0, owner, layer]
        }
        of_base = used.pop(BASE, [])
        total, base = Effective(), Effective()
        if beneath or of_base:
            base = self._rebuilt(BASE, sorted({*beneath, *of_base}), {})
            total.weights.update({key: weight for key, weight in base.weights.items() if key[0] in of_base})
            total.vectors.update({layer: named for layer, named in base.vectors.items() if layer in of_base})
        for owner, layers in used.items():
            own = self._rebuilt(owner, layers, base.weights)
            total.weights.update(own.weights)
            total.biases.update(own.biases)
            total.products.update(own.products)
            total.vectors.update(own.vectors)
        kept = owners[owners != DROPPED]
        if kept.size:
            last = self._model(int(kept[-1]))
            total.head.update(last.heads.get(task, {}))
            total.exits.update(last.exits.get(task, {}))
        check_heads(self._plan, task, total.exits, generator=self._built.names[0])
        keep_only(self._context.workload.encoder, self._plan, task, total)
        return total

    def _model(self, owner: int) -> Model:
        """What the generator gives of an owner."""
        if owner not in self._models:
            generator, name = self._built.generator, self._built.names[0]
            found = called("generator", name, generator.weights, self._context, self._params["generator"], owner)
            model = found if isinstance(found, Model) else Model(found)
            self._models[owner] = self._with_learnt(model, owner)
        return self._models[owner]

    def _with_learnt(self, model: Model, owner: int) -> Model:
        """The same with the biases, norms and heads that the compressor learnt with its terms, where it learns any."""
        learnt = getattr(self._built.compressor, "learnt", None)
        if learnt is None:
            return model
        more: Model | None = called("compressor", self._built.names[1], learnt, self._params["compressor"], owner)
        if more is None:
            return model
        return replace(model, vectors={**model.vectors, **more.vectors}, heads={**model.heads, **more.heads})

    def _rebuilt(self, owner: int, layers: list[int], base: Weights) -> Effective:
        """What one owner's layers come to, from terms that equal the footprint."""
        encoder, name = self._context.workload.encoder, self._built.names[1]
        model = self._model(owner)
        cut = {key: Cut(encoder, self._plan, owner, *key) for key in model.matrices if key[0] in layers}
        weights = Cut.matrices(cut, model.matrices, self._demand)
        beneath = Cut.matrices(cut, self._model(BASE).matrices, self._demand)
        stored = called(
            "compressor",
            name,
            self._built.compressor.store,
            weights,
            beneath,
            self._geometry,
            self._params["compressor"],
            owner,
        )
        shapes = {key: (weight.shape[0], weight.shape[1]) for key, weight in weights.items()}
        check_stored(encoder, stored, shapes, self._footprint, owner, who=f"compressor {name!r}")
        rebuilt = Effective(vectors={layer: model.vectors[layer] for layer in layers if layer in model.vectors})
        for key, part in cut.items():
            below = part.of(base[key]) if stored[key].on_base else None
            if below is not None:
                below = held_base(stored[key], below, weights, key, self._footprint.reprogrammed)
            rebuilt.weights[key] = part.back(effective(stored[key], below, shapes[key]))
            bias, shift = stored[key].bias, model.shifts.get(key)
            if bias is not None:
                bias = part.bias_back(bias)
                rebuilt.biases[key] = bias if shift is None else bias + shift
            elif shift is not None:
                rebuilt.biases[key] = shift
            found = products(stored[key], shapes[key])
            if found:
                rebuilt.products[key] = tuple((part.inputs_back(one), part.bias_back(two)) for one, two in found)
        return rebuilt
