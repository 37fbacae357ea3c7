"""The expensive half: one task's score of one point, from the terms that were charged.

Scores are cached twice. The recipe names everything that reaches a task's weights and products before any weight exists;
the content is a hash of the rebuilt weights themselves, for recipes that lead to the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.contract import Weights
from dse.pipeline.combination import stacked
from dse.pipeline.context import Outcome, PipelineContext
from dse.pipeline.demand import demand
from dse.pipeline.hardware_cost import Built, called
from dse.pipeline.kept import Cut, keep_only
from dse.pipeline.rebuild import check_stored, effective, products
from dse.records.batch import BASE, DROPPED, Footprint, Geometry, Params, Plan
from dse.records.plugin import Kind
from dse.records.point import DesignPoint, PluginParameter
from dse.records.terms import Effective


class Scorer:
    """Scores tasks of design points on one split."""

    def __init__(
        self, context: PipelineContext, parameters: tuple[PluginParameter, ...], versions: Mapping[str, str]
    ) -> None:
        self._context = context
        self._declared = {parameter.full_name: parameter.parameter for parameter in parameters}
        self._versions = versions
        self._known: dict[str, Outcome] = {}
        self.evaluated = 0

    def task(self, built: Built, point: DesignPoint, task: int, split: str) -> Outcome:
        """Score one task of a point.

        Raises:
            PluginContractError: a plugin raised, or stored something else than its footprint charged for.
        """
        params = stacked([point])
        geometry: Geometry = called("hardware", built.names[3], built.hardware.geometry, params["hardware"])
        recipe = self._recipe(built, point, geometry, task, split)
        return self._cached(recipe, lambda: self._measure(built, params, geometry, task, split))

    def baseline(self, task: int, split: str, input_bits: int, *, of_base: int | None = None) -> Outcome:
        """Score one task of the baseline: its own matrices whole in 8 bits, or in one layer those of the base."""
        from dse.pipeline.grid import store_whole

        def measure() -> Outcome:
            weights = dict(self._context.task_weights(task))
            if of_base is not None:
                weights |= {key: weight for key, weight in self._context.base_weights().items() if key[0] == of_base}
            whole = {
                key: effective(store_whole(weight), None, (weight.shape[0], weight.shape[1]))
                for key, weight in weights.items()
            }
            own = np.full(self._context.workload.encoder.layers, task + 1)
            return self._evaluate(task, Effective(whole), split, input_bits, own)

        layer = {} if of_base is None else {"of_base": of_base}
        return self._cached(self._common(task, split, input_bits) | {"baseline": 1, **layer}, measure)

    def _measure(
        self, built: Built, params: Mapping[Kind, Params], geometry: Geometry, task: int, split: str
    ) -> Outcome:
        """Store, check and rebuild the weights the task uses, and score them."""
        workload = self._context.workload
        plan: Plan = called("generator", built.names[0], built.generator.plan, workload, params["generator"])
        wanted = demand(workload, plan, generator=built.names[0])
        footprint: Footprint = called(
            "compressor", built.names[1], built.compressor.footprint, workload, wanted, geometry, params["compressor"]
        )
        owners = plan.owner[0, task]
        used = {int(owner): np.flatnonzero(owners == owner) for owner in np.unique(owners) if owner != DROPPED}
        beneath = sorted(
            {int(layer) for owner, layers in used.items() for layer in layers if footprint.on_base[0, owner, layer]}
        )
        layers_of_base = sorted({*beneath, *(int(layer) for layer in used.pop(BASE, np.empty(0, int)))})
        total = Effective()
        base: Weights = {}
        if layers_of_base:
            base = self._rebuilt(built, params, geometry, plan, footprint, BASE, layers_of_base, {}).weights
            total.weights.update({key: base[key] for key in base if owners[key[0]] == BASE})
        for owner, layers in used.items():
            own = self._rebuilt(built, params, geometry, plan, footprint, owner, [int(layer) for layer in layers], base)
            total.weights.update(own.weights)
            total.biases.update(own.biases)
            total.products.update(own.products)
        keep_only(workload.encoder, plan, task, total)
        return self._evaluate(task, total, split, int(geometry.input_bits[0]), owners)

    def _rebuilt(
        self,
        built: Built,
        params: Mapping[Kind, Params],
        geometry: Geometry,
        plan: Plan,
        footprint: Footprint,
        owner: int,
        layers: list[int],
        base: Weights,
    ) -> Effective:
        """What one owner's layers come to, from terms that equal the footprint."""
        encoder = self._context.workload.encoder
        generator, compressor = built.generator, built.compressor
        everything = called("generator", built.names[0], generator.weights, self._context, params["generator"], owner)
        cut = {key: Cut(encoder, plan, owner, *key) for key in everything if key[0] in layers}
        weights = Cut.matrices(cut, everything)
        stored = called(
            "compressor",
            built.names[1],
            compressor.store,
            weights,
            Cut.matrices(cut, self._context.base_weights()),
            geometry,
            params["compressor"],
            owner,
        )
        shapes = {key: (weight.shape[0], weight.shape[1]) for key, weight in weights.items()}
        check_stored(encoder, stored, shapes, footprint, owner, who=f"compressor {built.names[1]!r}")
        rebuilt = Effective()
        for key, part in cut.items():
            below = part.of(base[key]) if stored[key].on_base else None
            rebuilt.weights[key] = part.back(effective(stored[key], below, shapes[key]))
            bias = stored[key].bias
            if bias is not None:
                rebuilt.biases[key] = part.bias_back(bias)
            found = products(stored[key], shapes[key])
            if found:
                rebuilt.products[key] = tuple((part.inputs_back(one), part.bias_back(two)) for one, two in found)
        return rebuilt

    def _evaluate(self, task: int, held: Effective, split: str, input_bits: int, owners: NDArray[Any]) -> Outcome:
        """Score rebuilt weights, unless these very weights have been scored before."""
        content = hashlib.blake2b(digest_size=16)
        parts = [*sorted(held.weights.items()), *sorted(held.biases.items())]
        parts += [(key, factor) for key, found in sorted(held.products.items()) for pair in found for factor in pair]
        for key, values in parts:
            content.update(repr(key).encode())
            content.update(np.ascontiguousarray(values.numpy()).data)
        content.update(owners.clip(max=1).astype(np.int64).tobytes())  # biases and norms follow: base's or the task's
        recipe = self._common(task, split, input_bits) | {"content": content.hexdigest()}

        def measure() -> Outcome:
            self.evaluated += 1
            return self._context.evaluate(task, held, split, input_bits, owners)

        return self._cached(recipe, measure)

    def _common(self, task: int, split: str, input_bits: int) -> dict[str, Any]:
        name = self._context.workload.task_names[task]
        digests = self._context.workload.digests
        return {
            "base": digests["base"],
            "task": digests[f"task.{name}"],
            "data": digests[f"data.{name}"],
            "split": split,
            "input_bits": input_bits,
            "evaluator": self._context.evaluator_version,
            "precision": self._context.precision,
        }

    def _recipe(self, built: Built, point: DesignPoint, geometry: Geometry, task: int, split: str) -> dict[str, Any]:
        """Everything that reaches this task's weights and products."""
        reach: dict[str, Any] = {}
        for name, value in point.values.items():
            parameter = self._declared[name]
            if parameter.scores:
                reach[name] = value[task] if "task" in parameter.scope and isinstance(value, tuple) else value
        fields = {name: int(getattr(geometry, name)[0]) for name in built.compressor.geometry_fields}
        kinds: tuple[Kind, ...] = ("generator", "compressor")
        plugins = {kind: (point.plugin(kind), self._versions[f"{kind}.{point.plugin(kind)}"]) for kind in kinds}
        return self._common(task, split, int(geometry.input_bits[0])) | {
            "plugins": plugins,
            "parameters": reach,
            "geometry": fields,
        }

    def _cached(self, recipe: dict[str, Any], measure: Any) -> Outcome:
        key = self._context.digest(recipe)
        if key not in self._known:
            arrays = self._context.arrays.get("scores", recipe)
            if arrays is None:
                outcome: Outcome = measure()
                arrays = {
                    "value": np.array(outcome.value),
                    "flagged": np.array(outcome.flagged),
                    "predictions": outcome.predictions,
                }
                self._context.arrays.put("scores", recipe, arrays)
            self._known[key] = Outcome(float(arrays["value"]), bool(arrays["flagged"]), arrays["predictions"])
        return self._known[key]
