"""The part of the problem that shares scores: which are missing, and how other processes and machines bring them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.cache import cache_key
from dse.cost.combination import combination
from dse.files import hash_parts
from dse.models.inference.task_metrics import score
from dse.opened import heard
from dse.records.design import DesignPoint
from dse.records.effective import Effective
from dse.score.context import PipelineContext
from dse.score.costing import Costing
from dse.score.entries import Entry, pack_entry, refuse_entry, unpack_entry
from dse.score.matrices import effective
from dse.score.score import Scorer
from dse.score.separate_models import SeparateModels


@dataclass(frozen=True, slots=True)
class Missing:
    """A score that is not in the cache.

    Attributes:
        task: index of the task.
        chip: number of the draw of the chip; 0 on ideal arrays.
        key: cache key of the score.
    """

    task: int
    chip: int
    key: str


class Exchange:
    """Scores that other processes need or bring; a base of the problem of a workload."""

    context: PipelineContext
    costing: Costing

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, in order."""
        raise NotImplementedError

    @property
    def _scorer(self) -> Scorer:
        raise NotImplementedError

    @property
    def _separate(self) -> SeparateModels:
        raise NotImplementedError

    def find_unmeasured(self, points: Sequence[DesignPoint], split: str = "search") -> tuple[tuple[int, ...], ...]:
        """Return the tasks of each design whose score is neither in the cache nor missing at an earlier design."""
        return tuple(tuple(dict.fromkeys(one.task for one in lacks)) for lacks in self.find_missing(points, split))

    def find_missing(self, points: Sequence[DesignPoint], split: str = "search") -> tuple[tuple[Missing, ...], ...]:
        """Return the scores of each design that are neither in the cache nor missing at an earlier design."""
        listed: set[str] = set()
        missing = []
        for point in points:
            built = self.costing.build(combination(point))
            lacks = [self._scorer.unknown(built, point, task, split).items() for task in range(len(self.tasks))]
            of_point = [Missing(task, chip, key) for task, chips in enumerate(lacks) for key, chip in chips]
            missing.append(tuple(one for one in of_point if one.key not in listed))
            listed.update(one.key for one in of_point)
        return tuple(missing)

    def measure(self, point: DesignPoint, tasks: Sequence[int], split: str = "search") -> int:
        """Bring a design's scores on some tasks into the cache; return how many were evaluated."""
        built = self.costing.build(combination(point))
        before = self._scorer.evaluated
        for task in tasks:
            self._scorer.task(built, point, task, split)
        return self._scorer.evaluated - before

    def compute(self, point: DesignPoint, task: int, split: str, chip: int) -> Entry:
        """Score a task on one chip for another machine; this one's cache of scores on disk is neither read nor written."""
        built, scorer = self.costing.build(combination(point)), self._scorer
        scorer.stores = False
        with heard() as files:
            outcome = scorer.measure(built, point, task, split, chip)
        key = cache_key(scorer.recipes(built, point, task, split)[chip])
        return pack_entry(key, outcome, self.context.arrays.hash_files(files))

    def accept(self, point: DesignPoint, task: int, split: str, chip: int, entry: Entry) -> None:
        """Store a score that another machine computed.

        Raises:
            DataError: the entry has another form or another score, or was made from other files.
        """
        built, scorer, arrays = self.costing.build(combination(point)), self._scorer, self.context.arrays
        recipe = scorer.recipes(built, point, task, split)[chip]
        loaded = self.context.loaded.tasks[self.tasks[task]]
        labels = loaded.evaluator.labels(scorer.rows(scorer.nonideality(built, point), split))
        facts, held = unpack_entry(entry, cache_key(recipe), len(labels), self.context.workload.encoder.layers)
        value, flagged = score(loaded.spec.metric, labels, held["predictions"])
        files = [arrays.folder / path for path in facts["files"]]
        if any(not file.is_file() for file in files) or arrays.hash_files(files) != facts["files"]:
            raise refuse_entry("a score made from this machine's files", ", ".join(facts["files"]))
        arrays.put("scores", recipe, held | {"value": np.array(value), "flagged": np.array(flagged)}, files)

    def digest_outputs(self) -> str:
        """Return a hash of all outputs of the first task's 8-bit baseline on the search split, as this machine computes them."""
        from dse.score.grid import store_whole

        weights = self.context.task_weights(0).items()
        whole = {
            key: effective(store_whole(weight), None, (weight.shape[0], weight.shape[1])) for key, weight in weights
        }
        evaluator, bits = self.context.loaded.evaluator(self.tasks[0]), self._separate.input_bits
        outputs = evaluator.compute_outputs(Effective(whole), "search", bits, self.context.precision)[1]
        return hash_parts([np.ascontiguousarray(outputs).data]).hex()
