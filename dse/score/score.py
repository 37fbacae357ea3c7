"""The expensive half: one task's score of one design, from the terms that were charged.

Scores are cached under two keys. The first key names everything that affects a task's weights and products; it is known
before any weight exists. The second key has a hash of the rebuilt weights: designs with equal weights share a score.
"""

from dataclasses import MISSING, Field, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.cache import Recent, cache_key
from dse.cost.combination import stack
from dse.cost.cost import Built, nonideality
from dse.files import hash_parts
from dse.plugins.call import call_plugin
from dse.plugins.registry import Registry
from dse.records.arrays import Tensor
from dse.records.design import DesignPoint, PluginParameter
from dse.records.effective import Effective
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.plan import DROPPED
from dse.records.plugin import Kind
from dse.score.cells import CELLS_VERSION, Cells
from dse.score.context import Outcome, PipelineContext
from dse.score.device import Device, find_device
from dse.score.matrices import effective
from dse.score.noisy_terms import OnChip
from dse.score.stored_terms import Assembly

NOT_OF_CELLS = {
    "input_bits": "every key has the bits",
    "packing": "packing says which arrays hold a matrix, and cells are drawn for each matrix alone",
}
"""Fields of the geometry that no score on real cells needs in its key besides, with the reason."""
ONLY_OF_CONVERSIONS = ("adc_bits", "dac_bits")
"""Fields of the geometry that matter only where conversions are simulated."""


class Scorer:
    """Scorer of designs' tasks, with a cache.

    Attributes:
        evaluated: number of tasks evaluated so far.
        stores: whether scores are read from the disk and written to it.
    """

    def __init__(
        self, context: PipelineContext, parameters: tuple[PluginParameter, ...], registry: Registry | None = None
    ) -> None:
        self._context, self._registry = context, registry or Registry()
        self._devices: dict[str, Device | None] = {}
        self._declared = {parameter.full_name: parameter.parameter for parameter in parameters}
        self._known: dict[str, Outcome] = Recent()
        self.evaluated = 0
        self.stores = True

    def task(self, built: Built, point: DesignPoint, task: int, split: str) -> tuple[Outcome, ...]:
        """Score one task of a design: once, or on each draw of a chip whose arrays are not ideal.

        Raises:
            PluginContractError: a plugin raised, or its stored terms differ from its footprint.
        """
        recipes, before = self.recipes(built, point, task, split), self.evaluated
        outcomes = tuple(
            self._find_or_measure(recipe, partial(self.measure, built, point, task, split, draw))
            for draw, recipe in enumerate(recipes)
        )
        self.evaluated = min(self.evaluated, before + 1)  # a task counts once, however many chips were drawn
        return outcomes

    def measure(self, built: Built, point: DesignPoint, task: int, split: str, draw: int) -> Outcome:
        """Score one task on one draw, unless the same weights have been scored before."""
        params, geometry, nonideality = stack([point]), self._geometry(built, point), self.nonideality(built, point)
        cells = None if nonideality is None else Cells(nonideality, geometry, draw, self._device(nonideality))
        if nonideality is not None and nonideality.adc == "real":
            self._context.tell("scoring with real ADCs")  # so slow that a study seems stopped
        made = Assembly(self._context, built, params, geometry)
        held = made.of_task(task) if cells is None else OnChip(made, cells).of_task(task)
        rows, input_bits = self.rows(nonideality, split), int(geometry.input_bits[0])
        return self._evaluate(task, held, rows, input_bits, made.owners(task))

    def unknown(self, built: Built, point: DesignPoint, task: int, split: str) -> dict[str, int]:
        """Return the draw of each of the task's scores that is missing, by its cache key."""
        recipes = {
            cache_key(recipe): (draw, recipe) for draw, recipe in enumerate(self.recipes(built, point, task, split))
        }
        return {
            key: draw
            for key, (draw, recipe) in recipes.items()
            if key not in self._known and self._context.arrays.get("scores", recipe) is None
        }

    def nonideality(self, built: Built, point: DesignPoint) -> Nonideality | None:
        """Return the non-idealities of a design's arrays."""
        return nonideality(built.names[3], built.hardware, stack([point])["hardware"])

    def _device(self, nonideality: Nonideality) -> Device | None:
        """Return the device that non-idealities name."""
        key = cache_key(nonideality.recipe())
        if key not in self._devices:
            self._devices[key] = find_device(self._registry, nonideality)
        return self._devices[key]

    @staticmethod
    def rows(nonideality: Nonideality | None, split: str) -> str:
        """Return the name of the rows to score: a sample of the split if conversions are simulated."""
        return split if nonideality is None or nonideality.adc == "ideal" else f"{split}:{nonideality.adc_rows}"

    def baseline(
        self,
        task: int,
        split: str,
        input_bits: int,
        *,
        magnitude_bits: int | None = None,
        of_base: int | None = None,
        skipped: int | None = None,
    ) -> Outcome:
        """Score one task of the baseline: its own matrices whole in 8 bits, or on a grid per output in fewer.

        Args:
            task: index of the task.
            split: name of the rows to score.
            input_bits: bits of an activation.
            magnitude_bits: bits of a weight's magnitude, besides its sign; by default the 8-bit grid of each matrix.
            of_base: layer that takes the base's matrices.
            skipped: layer that is left out.
        """
        from dse.score.grid import store_in_bits, store_whole

        def measure() -> Outcome:
            weights = dict(self._context.task_weights(task))
            if of_base is not None:
                weights |= {key: weight for key, weight in self._context.base_weights().items() if key[0] == of_base}
            whole = {
                key: effective(
                    store_in_bits(weight, magnitude_bits) if magnitude_bits else store_whole(weight),
                    None,
                    (weight.shape[0], weight.shape[1]),
                )
                for key, weight in weights.items()
                if key[0] != skipped
            }
            own = np.full(self._context.workload.encoder.layers, task + 1)
            if skipped is not None:
                own[skipped] = DROPPED
            return self._evaluate(task, Effective(whole), split, input_bits, own)

        others = {"of_base": of_base, "skipped": skipped, "magnitude_bits": magnitude_bits}
        change = {name: value for name, value in others.items() if value is not None}
        return self._find_or_measure(self._common(task, split, input_bits) | {"baseline": 1, **change}, measure)

    def in_floats(self, task: int, split: str) -> Outcome:
        """Score one task with its own weights and inputs in 32-bit floating point."""

        def measure() -> Outcome:
            own = np.full(self._context.workload.encoder.layers, task + 1)
            weights = Effective(dict(self._context.task_weights(task)))
            return self._context.evaluate(task, weights, split, 0, own, precision="fp32")

        return self._find_or_measure(self._common(task, split, 0) | {"precision": "fp32", "floats": 1}, measure)

    def _evaluate(self, task: int, held: Effective, split: str, input_bits: int, owners: NDArray[Any]) -> Outcome:
        """Score rebuilt weights, unless the same weights have been scored before."""
        parts: list[tuple[object, Tensor]] = [*sorted(held.weights.items()), *sorted(held.biases.items())]
        parts += [(key, factor) for key, pairs in sorted(held.products.items()) for pair in pairs for factor in pair]
        for layer, vectors in sorted(held.vectors.items()):
            parts += [((layer, name), values) for name, values in sorted(vectors.items())]
        parts += sorted(held.head.items())
        for matrix, pieces in sorted(held.arrays.items()):
            parts += [((matrix, repr(name)), values) for piece in pieces for name, values in piece.parts()]
        parts += [((key, "reads", held.read_seed), values) for key, values in sorted(held.read_variance.items())]
        parts += [((key, "kept"), values) for key, both in sorted(held.kept.items()) for values in both]
        for layer, exit_head in sorted(held.exits.items()):
            parts += [((layer, exit_head.threshold), exit_head.weight), ((layer,), exit_head.bias)]
        content = [part for key, values in parts for part in (repr(key).encode(), _bytes_of(values.numpy()))]
        content.append(_bytes_of(owners.clip(max=1).astype(np.int64)))  # biases and norms follow: base's or the task's
        recipe = self._common(task, split, input_bits) | {"content": hash_parts(content).hex()}

        def measure() -> Outcome:
            self.evaluated += 1
            return self._context.evaluate(task, held, split, input_bits, owners)

        return self._find_or_measure(recipe, measure)

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
            "precision": self._context.arithmetic,
        }

    def _geometry(self, built: Built, point: DesignPoint) -> Geometry:
        params = stack([point])["hardware"]
        geometry: Geometry = call_plugin("hardware", built.names[3], built.hardware.geometry, params)
        return geometry

    def recipes(self, built: Built, point: DesignPoint, task: int, split: str) -> list[dict[str, Any]]:
        """Return the first cache keys of this task's score, one per draw."""
        geometry, nonideality = self._geometry(built, point), self.nonideality(built, point)
        recipe = self._recipe(built, point, geometry, task, self.rows(nonideality, split))
        if nonideality is None:
            return [recipe]
        arrays = arrays_key(geometry, nonideality)
        # On ideal arrays only the geometry of the hardware reaches a score. Here its own law of the cells may, by its code.
        hardware = self._context.identities[f"hardware.{point.hardware}"]
        drawn = {"hardware": hardware, "nonideality": nonideality.recipe(), "arrays": arrays, "version": CELLS_VERSION}
        if (device := self._device(nonideality)) is not None:
            drawn["device"] = device.identity
        return [recipe | {"cells": drawn | {"draw": draw}} for draw in range(nonideality.draws)]

    def _recipe(self, built: Built, point: DesignPoint, geometry: Geometry, task: int, split: str) -> dict[str, Any]:
        """Return the first cache key of this task's score on ideal arrays."""
        reach: dict[str, Any] = {}
        order = self._sorted_tasks() if built.joint else [task]
        for name, value in point.values.items():
            parameter = self._declared[name]
            if parameter.scores:
                reach[name] = value
                if isinstance(value, tuple) and "task" in parameter.scope:
                    reach[name] = [value[one] for one in order]
        used = {name: int(getattr(geometry, name)[0]) for name in built.compressor.geometry_fields}
        kinds: tuple[Kind, ...] = ("generator", "compressor")
        plugins = {kind: self._context.identities[f"{kind}.{point.plugin(kind)}"] for kind in kinds}
        return self._common(task, split, int(geometry.input_bits[0])) | {
            "plugins": plugins,
            "core": self._context.core_versions,
            "parameters": reach,
            "geometry": used,
            **({"joint": [order.index(task), *map(self._identity, order)]} if built.joint else {}),
        }

    def _sorted_tasks(self) -> list[int]:
        """Return the tasks sorted by content, so that their order in a file is in no key."""
        return sorted(range(len(self._context.workload.tasks)), key=self._identity)

    def _identity(self, task: int) -> tuple[str, str]:
        """Return the digests of a task's weights and of its rows."""
        digests, name = self._context.workload.digests, self._context.workload.task_names[task]
        return digests[f"task.{name}"], digests[f"data.{name}"]

    def _find_or_measure(self, recipe: dict[str, Any], measure: Any) -> Outcome:
        key = cache_key(recipe)
        if key not in self._known:
            if not self.stores:
                self._known[key] = measure()
                return self._known[key]

            def make() -> dict[str, NDArray[Any]]:
                outcome: Outcome = measure()
                numbers = {"value": outcome.value, "flagged": outcome.flagged, "reach": outcome.reach}
                return {name: np.array(number) for name, number in numbers.items()} | {
                    "predictions": outcome.predictions
                }

            arrays = self._context.arrays.find_or_make("scores", recipe, make)
            reach = tuple(arrays["reach"].tolist())
            self._known[key] = Outcome(float(arrays["value"]), bool(arrays["flagged"]), arrays["predictions"], reach)
        return self._known[key]


def arrays_key(geometry: Geometry, what: Nonideality) -> dict[str, Any]:
    """Fields of one design's geometry that change a score on non-ideal arrays: all but those excluded by name.

    A field with its default value is left out, so that a score that was cached before the field was added remains valid.
    """
    excluded = {*NOT_OF_CELLS, *(ONLY_OF_CONVERSIONS if what.adc == "ideal" else ())}
    excluded |= {field.name for field in fields(geometry) if _is_default(field, getattr(geometry, field.name))}
    named = {field.name: getattr(geometry, field.name) for field in fields(geometry) if field.name not in excluded}
    return {name: value if isinstance(value, str) else _number(value[0]) for name, value in named.items()}


def _is_default(field: Field[Any], value: Any) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return default is not MISSING and bool(np.array_equal(value, default))


def _number(value: Any) -> int | float:
    """Return a number as JSON holds it."""
    return int(value) if int(value) == value else float(value)


def _bytes_of(values: NDArray[Any]) -> memoryview:
    """Return an array's memory, row by row."""
    return np.ascontiguousarray(values).data
