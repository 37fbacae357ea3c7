"""The bridge to models and text: weights by layer and matrix, evaluation and caches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dse.cache import ArrayCache
from dse.opened import unheard
from dse.plugins.contract import Weights
from dse.plugins.frozen import Guard, guarded
from dse.records.callbacks import ProgressCallback
from dse.records.effective import Effective
from dse.records.model import Model
from dse.records.observation import Observation
from dse.records.plan import BASE, DROPPED
from dse.records.plugin import Kind
from dse.records.training import Adapted, Adaption, Training
from dse.records.workload import Workload
from dse.score.exit_heads import FIT_EXITS_VERSION

if TYPE_CHECKING:
    from dse.models.inference.evaluate import Precision
    from dse.models.loaded_workload import LoadedWorkload


@dataclass(frozen=True, slots=True)
class Outcome:
    """Predictions of one task.

    Attributes:
        value: score of the task.
        flagged: whether predictions were constant, so that a correlation is 0 by definition.
        predictions: predicted classes or values of the split's rows, shape (n,).
        reach: share of rows that ran each encoder layer, shape (L,), if rows may leave early; else empty.
    """

    value: float
    flagged: bool
    predictions: NDArray[Any]
    reach: tuple[float, ...] = ()

    @property
    def layers_run(self) -> float:
        """Mean number of encoder layers that a row ran if rows may leave early, else not a number."""
        return sum(self.reach) if self.reach else float("nan")


class PipelineContext:
    """The models, data and caches that plugins use while they prepare, and the core while it scores.

    Attributes:
        arrays: cache of scores and of plugins' measurements.
        precision: precision of scoring.
        evaluator_version: part of the cache key of every score.
        core_versions: versions of the core's observing, training and fitting; part of the keys that depend on them.
        identities: version, code and options of each plugin by ``kind.name``.
        plugin: identity of the plugin that owns the cached arrays; empty for a context that belongs to no plugin.
        guard: watcher of the weights that one call of a plugin gets, or None.
    """

    def __init__(
        self,
        loaded: LoadedWorkload,
        arrays: ArrayCache,
        precision: Precision,
        progress: ProgressCallback | None,
        identities: Mapping[str, str] | None = None,
    ) -> None:
        from dse.models.inference.evaluate import EVALUATOR_VERSION
        from dse.models.inference.observe import OBSERVE_VERSION
        from dse.models.training.adapter import ADAPT_VERSION
        from dse.models.training.joint import JOINT_VERSION

        self._loaded = loaded
        self._progress = progress
        self.arrays = arrays
        self.precision = precision
        self.evaluator_version = EVALUATOR_VERSION
        self.core_versions = [ADAPT_VERSION, FIT_EXITS_VERSION, JOINT_VERSION, OBSERVE_VERSION]
        self.identities = dict(identities or {})
        self.plugin = ""
        self.guard: Guard | None = None

    @property
    def arithmetic(self) -> str:
        """The precision, and how this device computes it: part of the cache key of every score."""
        from dse.models.precision import has_bf16

        native = self.precision != "bf16" or has_bf16(self._loaded.device)
        return self.precision if native else "bf16, computed in fp32"

    def of_plugin(self, kind: Kind, name: str) -> PipelineContext:
        """Return a copy of the context for one plugin, which shares its cached arrays with no other code or options."""
        other = copy(self)
        other.plugin = self.identities[f"{kind}.{name}"]
        return other

    @property
    def workload(self) -> Workload:
        """Shapes, tasks and traffic."""
        return self._loaded.shape

    @property
    def loaded(self) -> LoadedWorkload:
        """Models, tokenizer and rows."""
        return self._loaded

    def guarded(self, who: str, *weights: Weights) -> AbstractContextManager[PipelineContext]:
        """Give a copy to one call of a plugin, and refuse in-place changes; see `dse.plugins.frozen.guarded`."""
        return guarded(self, who, self._loaded.forget_weights, *weights)

    @unheard()
    def base_weights(self) -> Weights:
        """Every linear matrix of the base encoder."""
        return self._watched(self._loaded.base_weights())

    @unheard()
    def task_weights(self, task: int) -> Weights:
        """Every linear matrix of a task's fine-tuned encoder."""
        return self._watched(self._loaded.task_weights(self.workload.task_names[task]))

    def _watched(self, weights: Weights) -> Weights:
        if self.guard is not None:
            self.guard.watch(weights)
        return weights

    def observe(self, task: int, rows: int = 384, model: Model | None = None) -> Iterator[Observation]:
        """Run training rows through a task's own model, or a given one, and observe the inputs of every matrix."""
        observations = self._loaded.tasks[self.workload.task_names[task]].observe(rows, model)
        while True:
            with unheard():
                observation = next(observations, None)
            if observation is None:
                return
            yield observation

    @unheard()
    def similarity(self, rows: int) -> dict[str, NDArray[Any]]:
        """Compare the hidden states of base and tasks on the same rows; see `dse.models.inference.similarity.similarity`."""
        from dse.models.inference.similarity import similarity

        return similarity(self._loaded, rows)

    @unheard()
    def trained(self, training: Training) -> Model:
        """Train an encoder for some tasks, or find it in the cache."""
        return self._loaded.trained(training)

    @unheard()
    def adapted(self, adaption: Adaption) -> Adapted:
        """Learn a task from the base through an adapter, or find it in the cache."""
        from dse.models.training.adapter import adapt

        return adapt(self._loaded, adaption)

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays of this key, which are made once for all studies."""

        def tell_and_make() -> dict[str, NDArray[Any]]:
            self.tell(name)
            return make()

        return self.arrays.find_or_make(
            "plugins", {"plugin": self.plugin, "core": self.core_versions, "name": name, "key": key}, tell_and_make
        )

    @unheard()
    def tell(self, message: str) -> None:
        """Report what is being done."""
        if self._progress is not None:
            self._progress(message, None)

    @unheard()
    def evaluate(
        self,
        task: int,
        held: Effective,
        split: str,
        input_bits: int,
        owners: NDArray[Any],
        *,
        precision: Precision | None = None,
    ) -> Outcome:
        """Score a task with these matrices; the base's layers use its biases and norms, dropped layers are skipped.

        A ``precision`` other than the study's is for one score: its model is not kept.
        """
        evaluator = self._loaded.evaluator(self.workload.task_names[task])
        score = evaluator.score(
            held,
            split=split,
            input_bits=input_bits,
            precision=precision or self.precision,
            keep_layers=[bool(owner != DROPPED) for owner in owners],
            base_layers=[bool(owner == BASE) for owner in owners],
        )
        wanted = precision or self.precision
        if score.precision != wanted:
            name = self.workload.task_names[task]
            self.tell(f"{name} in {score.precision}: {wanted} gave outputs that are not finite")
        if wanted != self.precision:
            evaluator.forget(wanted)
        layers = range(self.workload.encoder.layers)
        reach = () if score.reach is None else tuple(score.reach.get(layer, 0.0) for layer in layers)
        return Outcome(score.value, score.flagged, score.predictions, reach)
