"""The problem that a search solves: exact cost of many designs at once, and scores of one design at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.cache import ArrayCache
from dse.cost.combination import Combination, combination
from dse.cost.counted import Counted
from dse.cost.reference import Reference, default_value, reference_values
from dse.cost.sum import Costs
from dse.opened import heard
from dse.plugins.call import call_plugin
from dse.plugins.contract import is_joint
from dse.plugins.declared import declare_parameters
from dse.plugins.origin import Origin, digests_of, identities_of
from dse.plugins.registry import Registry
from dse.records.baseline_facts import BaselineFacts
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint, PluginParameter
from dse.records.plugin import KINDS, Kind
from dse.records.scored import BaselineCosts, CostResult, ScoreResult
from dse.records.workload import Workload
from dse.score.context import PipelineContext
from dse.score.costing import BuiltReference, Costing
from dse.score.exchange import Exchange
from dse.score.metrics import summary
from dse.score.resamples import Resamples
from dse.score.score import Scorer
from dse.score.separate_models import SeparateModels

if TYPE_CHECKING:
    from dse.models.inference.evaluate import Precision
    from dse.models.loaded_workload import LoadedWorkload


class WorkloadProblem(Exchange):
    """Designs of a workload, with their costs and scores; implements `dse.records.problem.Problem`.

    Args:
        loaded: base, tasks and traffic.
        plugins: kind, name and options of every plugin that the study names.
        reference: hardware of the baseline.
        registry: registry that builds the plugins.
        cache: folder for scores and statistics.
        precision: precision of scoring, ``bf16`` or ``fp32``.
        progress: callback for what is being prepared.

    Attributes:
        context: weights, evaluation and caches.
        costing: costs of designs, of which `prepare` finds what they leave out and what they are compared with.
    """

    def __init__(
        self,
        loaded: LoadedWorkload,
        plugins: tuple[tuple[Kind, str, dict[str, Any]], ...],
        reference: Reference,
        registry: Registry,
        *,
        cache: Path,
        precision: Precision = "bf16",
        progress: ProgressCallback | None = None,
    ) -> None:
        self._loaded, self._registry = loaded, registry
        self._tell = progress or ignore_progress
        self._names: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
        self._plugins: dict[tuple[Kind, str], Any] = {}
        self._origins: dict[str, Origin] = {}
        for kind, name, options in plugins:
            self._names[kind].append(name)
            origin = Origin(registry, kind, name, options, where=f"[{kind}.{name}.options]")
            self._origins[f"{kind}.{name}"], self._plugins[kind, name] = origin, origin.plugin
        origin = Origin(registry, "hardware", reference.plugin, reference.options, where="[reference_hardware] options")
        self._origins["reference_hardware"] = origin
        params = reference_values(reference, origin.plugin.parameters(loaded.shape), loaded.shape)
        self._reference = BuiltReference(reference.plugin, origin.plugin, params)
        self._scored = False
        self.costing = Costing(loaded.shape, self._origins, self._reference)
        self._resamples = Resamples(loaded)
        self.context = PipelineContext(loaded, ArrayCache(cache), precision, progress, identities_of(self._origins))

    @property
    def workload(self) -> Workload:
        """Shapes, tasks and traffic."""
        return self._loaded.shape

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, in order."""
        return self.workload.task_names

    @property
    def counted_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that costs and mean drops are for: those whose baseline beats chance, once `prepare` has found them."""
        return self.costing.workload.task_names

    @property
    def layers(self) -> int:
        """Encoder layers."""
        return self.workload.encoder.layers

    @property
    def joint(self) -> tuple[str, ...]:
        """Names of the generators that make a task's score depend on the parameters of all tasks."""
        return tuple(name for name in self._names["generator"] if is_joint(self._plugins["generator", name]))

    @property
    def data(self) -> tuple[DataFacts, ...]:
        """Facts about every task's rows: how many were read, dropped and kept."""
        return tuple(task.facts for task in self._loaded.tasks.values())

    @property
    def digests(self) -> dict[str, str]:
        """Content hashes of all that results depend on; weights of fine-tuned tasks are available once they are scored."""
        tuned = [task for task in self._loaded.tasks.values() if self._scored and not task.spec.checkpoint]
        weights = {f"weights.{task.spec.name}": task.content for task in tuned}
        findings = {"baseline.best": self.costing.best.sentence()} if self._scored else {}
        if self.counted_tasks != self.tasks:
            findings["baseline.counted"] = ", ".join(self.counted_tasks)
        return {**self._loaded.recorded, **weights, **findings, **digests_of(self._origins)}

    @cached_property
    def parameters(self) -> tuple[PluginParameter, ...]:
        """Declared parameters of every plugin that the study names."""
        return tuple(
            PluginParameter(kind, name, parameter)
            for (kind, name), plugin in self._plugins.items()
            for parameter in declare_parameters(kind, name, plugin, self.workload, self._origins[f"{kind}.{name}"].api)
        )

    @cached_property
    def components(self) -> tuple[str, ...]:
        """Names of all components that the study's hardware models charge."""
        return self.costing.names([self.default_point(chosen) for chosen in self._combinations()])

    @property
    def baseline(self) -> Costs:
        """Cost of the baseline on the reference hardware."""
        return self.costing.baseline

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work (cached), and measure the baseline's scores if ``scores`` are needed."""
        for (kind, name), plugin in self._plugins.items():
            own, files = self.context.of_plugin(kind, name), self._origins[f"{kind}.{name}"].files
            with own.guarded(f"{kind} {name!r}") as context, heard(files):
                call_plugin(kind, name, plugin.prepare, context)
        self.context.identities = identities_of(self._origins)
        if scores:
            self.baseline_scores()
            self.leave_out_others(self._separate.find_counted())
            self.costing.best = self._separate.find_best(self.counted_tasks)
            self._tell(f"baseline `best`: {self.costing.best.sentence()}", 1.0)
            self._scored = True

    def plugin(self, kind: Kind, name: str) -> Any:
        """Return a built plugin that the study names."""
        return self._plugins[kind, name]

    def default_point(self, combination: Combination) -> DesignPoint:
        """Return the design with every active parameter at its declared default."""
        values = {}
        for item in self.parameters:
            if item.plugin == combination[KINDS.index(item.kind)]:
                values[item.full_name] = default_value(item.parameter, self.workload)
        return DesignPoint(*combination, values)

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        """Cost many designs, in the given order."""
        return self.costing.cost(points)

    def cost_measured(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> CostResult:
        """Return the cost of a design whose inputs run each layer in these shares, by task."""
        return self.costing.cost_measured(point, reach)

    def compare(self, points: Sequence[DesignPoint], throughput_rps: Sequence[float | None]) -> list[BaselineCosts]:
        """Return each baseline's cost by column, on each design's own hardware, by the baseline's name."""
        return self.costing.compare(points, throughput_rps)

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score one design on a split; with non-ideal arrays, the mean over draws; cached per task and draw."""
        built = self.costing.build(combination(point))
        before = self._scorer.evaluated
        outcomes = {name: self._scorer.task(built, point, task, split) for task, name in enumerate(self.tasks)}
        nonideality = self._scorer.nonideality(built, point)
        rows = self._scorer.rows(nonideality, split)
        return summary(
            outcomes,
            {name: self._separate.score(task, rows) for task, name in enumerate(self.tasks)},
            {name: self._separate.chance(name, rows) for name in self.tasks},
            lambda name, outcome: self._resamples.draw(name, rows, outcome),
            nonideality,
            self._scorer.evaluated - before,
            {task.name: task.rate for task in self.workload.tasks},
            self.counted_tasks if self._scored else (),
        )

    def baseline_scores(self) -> tuple[float, ...]:
        """Return the baseline's score on the search split, by task (T,)."""
        scores = tuple(facts.score for facts in self.baselines())
        self._tell("baseline scored", 1.0)
        return scores

    def baselines(self, *, ready: bool = False) -> tuple[BaselineFacts, ...]:
        """Describe each task's baseline on the search split; with ``ready``, of tasks with a ready checkpoint alone."""
        return self._separate.describe(ready=ready)

    def layer_scores(self, *, skipped: bool = False) -> tuple[tuple[float, ...], ...]:
        """Return the baseline's scores (T, L) when a layer has the base's matrices, or when the layer is skipped."""
        return self._separate.layer_scores(skipped=skipped)

    def leave_out_others(self, counted: Sequence[str]) -> None:
        """Leave all tasks but these out of every cost from here on, and say so."""
        left_out = [name for name in self.tasks if name not in counted]
        if left_out:
            places = tuple(self.tasks.index(name) for name in counted)
            self.costing.leave_out_others(Counted(self._loaded.shape_of(counted), places, self.parameters))
            names = ", ".join(left_out)
            self._tell(f"costs leave out {names}: the baseline there does not beat chance by 3 points", 1.0)

    def _combinations(self) -> list[Combination]:
        names = self._names
        return list(product(names["generator"], names["compressor"], names["scheduler"], names["hardware"]))

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.context, self.parameters, self._registry)

    @cached_property
    def _separate(self) -> SeparateModels:
        name, hardware, params = self._reference
        geometry = call_plugin("hardware", name, hardware.geometry, params)
        return SeparateModels(self._loaded, self._scorer, int(geometry.input_bits[0]), self._tell)
