"""Scores of separate models: the baselines of accuracy, in 8 bits and in fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.records.baseline_facts import BaselineFacts
from dse.records.callbacks import ProgressCallback
from dse.score.best import Best, find_best
from dse.score.context import Outcome
from dse.score.metrics import count_measurable
from dse.score.score import Scorer

if TYPE_CHECKING:
    from dse.models.loaded_workload import LoadedWorkload


@dataclass(frozen=True)
class SeparateModels:
    """Scorer of the tasks' own models without any method.

    Attributes:
        loaded: base, tasks and traffic.
        scorer: scorer with a cache.
        input_bits: bits of an activation of the 8-bit baseline.
        tell: callback for what is being scored.
    """

    loaded: LoadedWorkload
    scorer: Scorer
    input_bits: int
    tell: ProgressCallback

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, in order."""
        return self.loaded.shape.task_names

    def score(self, task: int, split: str) -> Outcome:
        """Score the 8-bit baseline of a task, by its index."""
        return self.scorer.baseline(task, split, self.input_bits)

    def chance(self, name: str, split: str) -> float:
        """Return the score of the best constant answer to a task."""
        from dse.models.inference import task_metrics as metrics

        task = self.loaded.tasks[name]
        return metrics.chance(task.spec.metric, task.evaluator.labels(split))

    def describe(self, *, ready: bool = False) -> tuple[BaselineFacts, ...]:
        """Describe each task's baseline on the search split; with ``ready``, of tasks with a ready checkpoint alone."""
        described = []
        for task, name in enumerate(self.tasks):
            if ready and not self.loaded.spec.tasks[task].checkpoint:
                continue
            spec = self.loaded.tasks[name].spec
            self.tell(f"scoring the baseline of {name}", task / len(self.tasks))
            score = self.score(task, "search").value
            fp32 = self.scorer.in_floats(task, "search").value
            described.append(BaselineFacts(name, spec.metric, score, fp32, self.chance(name, "search")))
            self.tell(f"baseline of {described[-1].sentence()}", 1.0)
            if warning := described[-1].warning():
                self.tell(f"WARNING: {warning}", 1.0)
        return tuple(described)

    def layer_scores(self, *, skipped: bool = False) -> tuple[tuple[float, ...], ...]:
        """Return scores (T, L) when a layer has the base's matrices, or when the layer is skipped."""
        by_task = []
        changed, message = ("skipped", "{} without a layer") if skipped else ("of_base", "layers of {}")
        layers = self.loaded.shape.encoder.layers
        for task, name in enumerate(self.tasks):
            scores = []
            for layer in range(layers):
                self.tell(message.format(name), layer / layers)
                scores.append(self.scorer.baseline(task, "search", self.input_bits, **{changed: layer}).value)
            by_task.append(tuple(scores))
        return tuple(by_task)

    def find_counted(self) -> list[str]:
        """Return the names of the tasks that count: those whose baseline beats chance on the search split."""
        paper = {name: self.score(task, "search").value for task, name in enumerate(self.tasks)}
        return count_measurable(paper, {name: self.chance(name, "search") for name in self.tasks})

    def find_best(self, counted: Sequence[str]) -> Best:
        """Find the bits of the baseline ``best`` on the tasks that count; see `dse.score.best.find_best`."""
        paper = [self.score(task, "search").value for task in range(len(self.tasks))]
        rows = {self.tasks.index(name): len(self.loaded.tasks[name].evaluator.labels("search")) for name in counted}

        def score(task: int, magnitude_bits: int, input_bits: int) -> float:
            self.tell(f"{self.tasks[task]} in {magnitude_bits} magnitude bits, {input_bits} input bits", None)
            return self.scorer.baseline(task, "search", input_bits, magnitude_bits=magnitude_bits).value

        return find_best(score, rows, paper)
