"""Choice of the next design: the one that is expected to add most to the front per score to measure; cost is exact."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from dse.records.arrays import Floats
from dse.records.design import DesignPoint
from dse.records.scored import CostResult
from dse.results.objectives import evaluate_objectives
from dse.results.pareto import mask_nondominated
from dse.results.points import PROFILED, cells_of
from dse.results.status import Status
from dse.samplers.encoding import Codec, Params
from dse.samplers.graybox.candidates import Candidates
from dse.samplers.graybox.feasibility import Feasibility
from dse.samplers.graybox.features import Features
from dse.samplers.graybox.goals import Goals
from dse.samplers.graybox.improvement import expected_improvement
from dse.samplers.graybox.recombined import Recombined
from dse.samplers.graybox.scores import Key, TaskScores
from dse.samplers.seeds import derive
from dse.space.constraints import check, constraints_of

CostFunction = Callable[[list[DesignPoint]], list[CostResult]]
CONFIDENT = 150
"""Trials after which the search looks for surprises. By then the search has found the designs that were expected to be good,
and the remaining good designs are those whose scores no model predicts."""
FREE = (1.0, 3.0)
"""Fixed price of a design beside the scores it needs, in scores, before and after `CONFIDENT` trials."""
DOUBT = 3.0
"""Factor on a score's uncertainty after `CONFIDENT` trials, at every other trial."""


@dataclass(frozen=True, slots=True)
class GrayboxOptions:
    """Options of the sampler.

    Attributes:
        initial: number of designs drawn before anything is predicted.
        pool: number of designs looked at per trial.
        batch: number of designs proposed in parallel, before any of them is scored.
    """

    initial: int = 6
    pool: int = 600
    batch: int = 1


@dataclass(frozen=True, slots=True)
class _Measured:
    """A design that was evaluated: its flat parameters, exact and uncertain objectives, and whether it keeps all limits."""

    params: Params
    exact: Floats
    uncertain: Floats
    is_feasible: bool = True


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A design that was looked at: its exact and expected objectives, and the keys of its tasks' scores."""

    point: DesignPoint
    exact: Floats
    expected: Floats
    keys: tuple[Key, ...]


class Proposer:
    """Proposes designs from what it learned of earlier ones.

    The option ``batch`` sets how many designs are proposed in parallel. They are chosen one after the other, as if the earlier
    ones had their expected scores, so they differ, and a score that several need counts once. A group of parallel designs
    begins at every trial whose number ``batch`` divides. It depends only on the trials before, however many of its own are
    done.

    Args:
        codec: translation of the space.
        cost: function that gives the exact cost of many designs.
        joint: generators under which a task's score depends on all tasks.
        options: options of the sampler.
    """

    def __init__(
        self,
        codec: Codec,
        cost: CostFunction,
        joint: Collection[str],
        options: GrayboxOptions,
    ) -> None:
        space = codec.space
        self._codec, self._cost, self._options, self._tasks = codec, cost, options, space.tasks
        self._features = Features(space, joint)
        self._scores = TaskScores(len(space.tasks), self._features.width)
        self._recombined = Recombined(codec, self._features, self._scores)
        self._constraints = tuple(item for item in constraints_of(space.file) if not item.needs_score)
        self._feasibility = Feasibility(space.file, space.tasks)
        self._goals = Goals(space.file, space.tasks)
        self._objectives = [item for item in space.file.objectives if not item.needs_score]
        self._baseline = 1.0
        self._measured: list[_Measured] = []
        self._seen: set[tuple[object, ...]] = set()
        self._finished: list[tuple[DesignPoint, Mapping[str, Any]]] = []
        self._begins, self._batch = -1, list[Params]()

    def learn(self, point: DesignPoint, row: Mapping[str, Any]) -> None:
        """Store a finished trial, or a design of a profile, which has scores but is not a trial.

        Args:
            point: the design.
            row: its values by column.
        """
        self._finished.append((point, row))

    def propose(self, number: int, seed: int) -> Params:
        """Return flat parameters of trial ``number``."""
        return self.plan(number, seed)[0]

    def plan(self, number: int, seed: int) -> list[Params]:
        """Return flat parameters of this trial and the later ones of its group: they follow from seed and earlier groups."""
        begins = number - number % self._options.batch
        if begins != self._begins:
            self._learn_until(begins)
            self._begins, self._batch = begins, self._plan_batch(begins, seed)
        return self._batch[number - begins :]

    def _learn_until(self, begins: int) -> None:
        """Learn from the trials before a group."""
        for point, row in self._finished:
            if row["trial"] < begins:
                self._learn(point, row)
        self._finished = [item for item in self._finished if item[1]["trial"] >= begins]

    def _learn(self, point: DesignPoint, row: Mapping[str, Any]) -> None:
        is_trial = row["status"] != PROFILED
        if is_trial:
            self._seen.add(point.key())
        names = [f"score.{task}" for task in self._tasks]
        scored = all(row.get(name) is not None for name in names)
        if scored:
            rows = self._features.of([point])
            (keys,) = self._features.keys([point], rows)
            for task, name in enumerate(names):
                self._scores.learn(rows[0, task], task, keys[task], float(row[name]), measured=is_trial)
            self._baseline = float(row["score_mean"]) + float(row["accuracy_drop_all"]) / 100
            self._goals.learn(row)
        feasible = row["status"] == Status.DONE
        if is_trial and (scored if self._goals.uncertain_count else feasible):
            exact = self._goals.exact(row)
            with suppress(ValueError):  # an objective has no value
                uncertain = self._goals.uncertain(row)
                if np.isfinite(exact).all():
                    self._measured.append(_Measured(self._codec.encode(point), exact, uncertain, feasible))

    def _plan_batch(self, begins: int, seed: int) -> list[Params]:
        """Choose the designs of a group."""
        measured, seen, batch = len(self._measured), set(self._seen), self._options.batch
        planned: list[Params] = []
        for number in range(begins, begins + batch):
            make = Candidates(self._codec, self._tasks, derive(seed, number, "graybox"))
            if measured + len(planned) < self._options.initial or not measured:
                planned.append(self._first(make, number))
            else:
                planned.append(self._best(make, number))
            self._seen.add(self._codec.decode(planned[-1]).key())
        self._seen, self._measured = seen, self._measured[:measured]
        self._scores.awaited = set()
        return planned

    def _best(self, make: Candidates, number: int) -> Params:
        """Return the design expected to add most; it counts as measured, with its expected score, until the group is whole."""
        front = self._front()
        good = self._sort_pool([*self._pool(make, front), *self._recombinations(make, front)], front, number)
        best_known = [self._codec.encode(item.point) for item in good[:8]]
        near = [make.near(make.one_of(best_known)) for _ in range(self._options.pool // 4 if good else 0)]
        best = self._sort_pool([*best_known[:1], *near], front, number)
        if not best:
            return make.anywhere()
        params = self._codec.encode(best[0].point)
        self._measured.append(_Measured(params, best[0].exact, best[0].expected))
        self._scores.awaited.update(best[0].keys)
        return params

    def _first(self, make: Candidates, number: int) -> Params:
        """Return a design before anything is predicted: the defaults, then in turn one setting for all tasks or any design."""
        if number == 0:
            return {**make.anywhere(), **{name: domain.default for name, domain in self._codec.domains.items()}}
        drawn = [make.alike() if number % 2 else make.anywhere() for _ in range(32)]
        allowed = self._filter_allowed(drawn)
        return self._codec.encode(allowed[0][0]) if allowed else drawn[0]

    def _pool(self, make: Candidates, front: list[_Measured]) -> list[Params]:
        everything = [item.params for item in self._measured]
        good, third = [item.params for item in front], self._options.pool // 3
        return [
            *(make.mix(make.one_of(good), make.one_of(everything)) for _ in range(third)),
            *(make.near(make.one_of(good)) for _ in range(third)),
            *(make.anywhere() for _ in range(third // 2)),
            *(make.alike() for _ in range(third // 2)),
        ]

    def _recombinations(self, make: Candidates, front: list[_Measured]) -> list[Params]:
        """Return designs around one of the front: each task has the setting that is best for this task alone."""
        unit, _ = self._goals.scale(np.array([item.exact for item in self._measured]))
        good = [item.params for item in front]
        base = make.one_of(good)

        def worth(points: list[DesignPoint]) -> Floats:
            costs = self._cost(points)
            return np.array([self._goals.exact(cells_of(*pair)) for pair in zip(points, costs, strict=True)]) / unit

        lost = max(self._baseline - self._goals.worst_score(self._baseline), 1e-6)
        return self._recombined.around(make, base, good, worth, lost, self._options.pool // 4)

    def _sort_pool(self, pool: list[Params], front: list[_Measured], number: int) -> list[_Candidate]:
        """Return the new and allowed designs of a pool in descending order of expected gain for their price."""
        allowed = self._filter_allowed(pool)
        if not allowed:
            return []
        points = [point for point, _ in allowed]
        cells = [row for _, row in allowed]
        exact = np.array([self._goals.exact(row) for row in cells])
        expected, deviation = np.ones((len(points), 1)), np.zeros((len(points), 1))
        missing = np.zeros(len(points), dtype=np.int64)
        keys: list[tuple[Key, ...]] = [()] * len(points)
        feasible: Floats | float = 1.0
        if self._goals.uncertain_count:
            rows = self._features.of(points)
            keys = self._features.keys(points, rows)
            means, deviations, missing = self._scores.predict(rows, keys)
            expected, deviation = self._goals.expect(cells, means, deviations, self._baseline)
            feasible = self._feasibility.chance(means, deviations, self._baseline)
        late = number >= CONFIDENT
        if late and number % 2:
            deviation = DOUBT * deviation
        pair, turn = self._choose_objectives(number)
        unit, worst = self._goals.scale(np.array([item.exact for item in self._measured]))
        uncertain = np.array([item.uncertain[turn] for item in self._measured])
        limits = np.array([*worst[pair], self._goals.worst(turn, uncertain, self._baseline)])
        best = np.array([(*(item.exact / unit)[pair], item.uncertain[turn]) for item in front if item.is_feasible])
        gained = expected_improvement(
            (exact / unit)[:, pair], expected[:, turn], deviation[:, turn], best.reshape(-1, 3), limits
        )
        order = np.argsort(-gained * feasible / (FREE[late] + missing), kind="stable")
        return [_Candidate(points[at], exact[at], expected[at], keys[at]) for at in order]

    def _filter_allowed(self, pool: list[Params]) -> list[tuple[DesignPoint, dict[str, Any]]]:
        """Return new designs that keep every limit known before a score, once each, and their cells."""
        unseen: dict[tuple[object, ...], DesignPoint] = {}
        for params in pool:
            point = self._codec.decode(params)
            if (key := point.key()) not in self._seen:
                unseen.setdefault(key, point)
        points = list(unseen.values())
        allowed = []
        for point, cost in zip(points, self._cost(points) if points else [], strict=True):
            cells = cells_of(point, cost)
            values, reasons = evaluate_objectives(cells, self._objectives)
            reasons += cost.violations
            if not reasons and not (self._constraints and check(self._constraints, {**cells, **values})[1]):
                allowed.append((point, cells))
        return allowed

    def _front(self) -> list[_Measured]:
        """Return the measured designs that no other one beats, among those that keep all limits if any does."""
        some = [item for item in self._measured if item.is_feasible] or self._measured
        values = np.array([(*item.exact, *item.uncertain) for item in some])
        directions = [*(False for _ in some[0].exact), *(True for _ in some[0].uncertain)]
        return [item for item, best in zip(some, mask_nondominated(values, directions), strict=True) if best]

    def _choose_objectives(self, number: int) -> tuple[list[int], int]:
        """Return the two exact objectives and the uncertain one that a trial looks at; all others have their turns."""
        pairs = list(combinations(range(self._goals.dimensions), 2))
        turn = number // len(pairs) % max(self._goals.uncertain_count, 1)
        return list(pairs[number % len(pairs)]), turn
