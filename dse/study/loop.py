"""The loop of a study: finish the trial that a kill left in flight, then choose a design, evaluate it, record the result."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dse.errors import DseError, StudyError, WorkerError
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS
from dse.results.points import point_of
from dse.results.status import Status
from dse.results.writer import Rows
from dse.samplers.encoding import Codec, Params
from dse.samplers.fallback import unseen_point
from dse.samplers.generations import GenerationSampler
from dse.samplers.seeds import derive
from dse.samplers.suggester import Suggester, Told
from dse.space.searchspace import SearchSpace
from dse.study.ahead import Announcer
from dse.study.log.events import check_done
from dse.study.log.file import StudyLog, pause_garbage_collection
from dse.study.log.history import History, Trial, check_row
from dse.study.observer import Observer
from dse.study.progress import Ledger, Patience
from dse.study.stages import Evaluator, Outcome, make_row
from dse.study.tables import cells_of_sessions, collect_rows
from dse.study.task_values import point_in

LENIENT_TRIALS = 5
"""Trials of a session before the share of failures is judged, and designs in a row at which the worker may die."""
NONE_LEFT = "no design is left that has not been evaluated"
RETRY = "continue the study with --retry-failed, which evaluates failed designs again first"


@dataclass
class Loop:
    """One session of a study, a step at a time.

    Args:
        space: the resolved search space.
        codec: translation of the space.
        suggester: proposer of designs.
        evaluator: evaluator of designs.
        ledger: counts, seen designs and front, derived from the log.
        log: record of all events.
        observer: observer of progress.

    Attributes:
        queue: designs to evaluate before the sampler is asked, each with its source.
        rows: rows of all finished trials.
        history: sessions of the log, without its trials.
        announcer: teller of the designs that are scored side by side.
    """

    space: SearchSpace
    codec: Codec
    suggester: Suggester | GenerationSampler
    evaluator: Evaluator
    ledger: Ledger
    log: StudyLog
    observer: Observer
    queue: list[tuple[str, DesignPoint]] = field(default_factory=list, init=False)
    rows: Rows = field(init=False)
    history: History = field(init=False)
    announcer: Announcer = field(init=False)
    _types: Mapping[str, str] = field(default_factory=dict, init=False)
    _cells: Sequence[dict[str, Any]] = field(default=(), init=False)
    _asked_in: int = field(default=-1, init=False)  # the session that asked the open trial
    _failure: Mapping[str, Any] = field(default_factory=dict, init=False)
    _in_flight: Trial | None = field(default=None, init=False)
    _session: Counter[str] = field(default_factory=Counter, init=False)  # failed, evaluated, deaths

    def __post_init__(self) -> None:
        self.announcer = Announcer(self.codec, self.suggester, self.evaluator, self.ledger)

    @pause_garbage_collection()
    def restore(self, history: History) -> None:
        """Replay a log into the sampler and the ledger."""
        self.hold(history)
        self.suggester.restore_study_attributes(history.study_attributes)
        tasks = history.tasks
        results = []
        for trial in history.finished:
            assert trial.done is not None
            self._learn_profiles(history, trial.number)
            row = trial.done["row"]
            told, params, point = self._replay(trial, row, tasks[trial.session])
            results.append((params, told))
            self.ledger.record(row, told, point)
            self._learn(point, row)
        self._learn_profiles(history, len(history.finished))
        self._restore_sampler(history, results)
        self.ledger.mark_restored()
        self._in_flight = history.in_flight

    def _restore_sampler(self, history: History, results: Sequence[tuple[Params | None, Told]]) -> None:
        """Show the sampler the parameters and results of the trials, as often as the log says."""
        for number, attributes in history.learnt:
            self.suggester.restore(results[number][0], attributes, results[number][1])

    def hold(self, history: History) -> None:
        """Hold the rows of a log in little memory, and its sessions."""
        self.rows, self.history = collect_rows(history), replace(history, finished=())
        self._types = {column.name: column.type for column in self.rows.columns}
        self._cells = cells_of_sessions(history)

    def requeue_failed(self, history: History) -> None:
        """Evaluate failed designs again before anything new."""
        rows = {row["trial"]: row for row in history.rows}
        by_session = history.tasks
        tasks = [by_session[trial.session] for trial in history.finished]  # the number of a trial is its place
        failed = self.ledger.forget_failures(rows)
        again = [("enqueued", point_in(self.space, row, tasks[row["trial"]])) for row in failed]
        self.queue = [*again, *self.queue]

    def step(self, total: int) -> str:
        """Do one trial; return why the study is over, or an empty text if it goes on.

        Raises:
            StudyError: too many trials failed.
        """
        if self._in_flight is not None:
            trial, self._in_flight = self._in_flight, None
            self._asked_in = trial.session
            self._finish_in_flight(trial)
            self._asked_in = -1
            return ""
        if self.ledger.evaluated >= total:
            return f"the budget of {total} trials is spent"
        if self.ledger.is_exhausted:
            return f"every one of the {len(self.ledger.seen)} designs of the space has been evaluated"
        return self._advance(total)

    def _advance(self, _total: int) -> str:
        """Ask for a design and evaluate it; return why the study is over, or an empty text if it goes on."""
        assert isinstance(self.suggester, Suggester)
        self.announcer.announce(self.ledger.trials, self.queue)
        number = self.ledger.trials
        source, point = self._choose(self.ledger.patience, number)
        if source == "random" and point is None:
            return NONE_LEFT
        try:
            suggestion = self.suggester.ask(number, None if point is None else self.codec.encode(point))
        except WorkerError:  # the sampler costs designs itself, and one of these ends every worker
            unseen = self._draw_unseen(number)
            if unseen is None:
                raise
            source = "random"
            self.observer.note(
                f"the worker died while the sampler costed designs: trial {number} is a random unseen one"
            )
            suggestion = self.suggester.ask(number, self.codec.encode(unseen))
        asked = {
            "event": "asked",
            "trial": number,
            "source": source,
            "seed": derive(self.space.file.search.seed, number),
            "params": suggestion.params,
            "attributes": suggestion.attributes,
            "study_attributes": suggestion.study_attributes,
        }
        self.log.append(asked)
        told = self._evaluate(asked)
        self.suggester.tell(told)
        self.check_failures()
        return ""

    def _choose(
        self, patience: Patience, number: int, more: Collection[tuple[object, ...]] = ()
    ) -> tuple[str, DesignPoint | None]:
        """Return the source of trial ``number``, and its design unless the sampler is to propose it, or none is left."""
        while self.queue:
            source, point = self.queue.pop(0)
            if point.key() not in self.ledger.seen:
                return source, point
        if not patience.is_lost:
            return "sampler", None
        unseen = self._draw_unseen(number, more)
        if unseen is not None:
            self.observer.note(patience.describe(number))
        return "random", unseen

    def _draw_unseen(self, number: int, more: Collection[tuple[object, ...]] = ()) -> DesignPoint | None:
        """Draw a random design for trial ``number`` that was not evaluated and is not one of ``more``; None if none is left."""
        seen = self.ledger.seen.keys() | more if more else self.ledger.seen
        return unseen_point(self.codec, seen, derive(self.space.file.search.seed, number, "random"))

    def _evaluate(self, asked: Mapping[str, Any]) -> Told:
        """Evaluate the asked design, append the result to the log, and record it in the ledger."""
        started = time.perf_counter()
        self.observer.on_ask(asked["trial"], asked["source"])
        point = self.codec.decode(asked["params"])
        first = self.ledger.seen.get(point.key())
        if first is None:
            outcome = self.evaluator.evaluate(point, self.ledger.beats)
        else:
            reason = f"same design as trial {first}"
            cells = {"status": Status.DUPLICATE, "reason": reason, "duplicate_of": first}
            outcome = Outcome(cells, self.ledger.recall(first))
        row = make_row(asked, point, outcome, time.perf_counter() - started)
        self._close(asked, row, outcome.result, point)
        return outcome.result

    def _close(self, asked: Mapping[str, Any], row: dict[str, Any], told: Told, point: DesignPoint | None) -> None:
        values = None if told.values is None else list(told.values)
        done = {"event": "done", "trial": row["trial"], "row": row, "values": values, "constraints": told.constraints}
        self.log.append(done)
        self._record(asked, done, told, point)

    def _record(self, asked: Mapping[str, Any], done: Mapping[str, Any], told: Told, point: DesignPoint | None) -> None:
        """Check a result that is safe in the log, and show it to all that follow the study but the sampler."""
        row = done["row"]
        check_done(self.log.path, self.log.lines, done, asked, self.history.sessions[-1], self._types)
        self.rows.append(row | self._cells[self._asked_in])
        self.ledger.record(row, told, point)
        self._learn(point, row)
        if Status(row["status"]).counts:
            died = row.get("error_type") == WorkerError.__name__
            self._session["deaths"] = self._session["deaths"] + 1 if died else 0
            self._session["evaluated"] += not died
            self._session["failed"] += row["status"] == Status.FAILED and not died
        if row["status"] == Status.FAILED:
            self._failure = row
        self.observer.trial(self.ledger.progress(), row)

    def _learn(self, point: DesignPoint | None, row: Mapping[str, Any]) -> None:
        if row["status"] == Status.STALE:
            return
        self.evaluator.learn(row)
        if point is not None and row["status"] != Status.DUPLICATE:
            self.suggester.learn(point, row)

    def _learn_profiles(self, history: History, number: int) -> None:
        """Show the sampler the profiles of the sessions that began with this trial."""
        for session in history.sessions:
            if session["at_trial"] == number and session["space_hash"] == self.space.digest:
                for row in session.get("profiled", ()):
                    self.suggester.learn(point_of(row), {**row, "trial": number - 1})

    def _finish_in_flight(self, trial: Trial) -> None:
        """Evaluate the trial that a killed session left behind, as that session would have done."""
        if trial.digest == self.space.digest:
            self.announcer.announce(trial.number, self.queue)
            told = self._evaluate(trial.asked)
            self.suggester.restore(trial.asked["params"], trial.asked["attributes"], told)
        else:
            told = Told(None, {})
            plugins = {str(kind): trial.asked["params"].get(kind, "") for kind in KINDS}
            reason = "asked in a space that differs from the one the study was continued with"
            row = {"trial": trial.number, "source": trial.asked["source"], "seed": trial.asked["seed"], **plugins}
            failed = {**row, "status": Status.FAILED, "reason": reason, "error_message": reason}
            self._close(trial.asked, failed, told, None)
            self.suggester.restore(None, {}, told)
        self.check_failures()

    def check_failures(self) -> None:
        """Refuse to go on where too many trials of this session failed."""
        failed, evaluated = self._session["failed"], self._session["evaluated"]
        if self._session["deaths"] >= LENIENT_TRIALS:
            raise StudyError(
                f"the worker died twice at each of the last {self._session['deaths']} designs",
                where=self.log.path.parent,
                found=self._failure["reason"],
                fix=f"nothing is lost: remove the cause, then {RETRY}",
            )
        share = self.space.file.search.max_failed_share
        if evaluated < LENIENT_TRIALS or failed <= share * evaluated:
            return
        last = self._failure
        raise StudyError(
            f"{failed} of {evaluated} trials failed; the last one, trial {last['trial']}: {last['reason']}",
            where=self.log.path.parent,
            expected=f"at most {share:.0%} of the trials (search.max_failed_share)",
            found=f"{failed / evaluated:.0%}",
            fix=f"nothing is lost, and failed trials keep their traceback: remove the cause, then {RETRY}",
        )

    def _replay(
        self, trial: Trial, row: Mapping[str, Any], tasks: Sequence[str]
    ) -> tuple[Told, Params | None, DesignPoint | None]:
        """Return a trial of the log, of these tasks, as seen from the current space: its result, parameters and design."""
        assert trial.done is not None
        if trial.digest == self.space.digest:
            done = trial.done
            point = self.codec.decode(trial.asked["params"])
            check_row(self.log.path, trial, row, point)
            return Told(done["values"], done["constraints"]), trial.asked["params"], point
        if set(tasks) != set(self.space.tasks):  # its score is a mean over other tasks
            return Told(None, {}), None, None
        try:
            point = point_in(self.space, row, tasks)
            params = self.codec.encode(point)
        except DseError:
            return Told(None, {}), None, None
        return self.evaluator.retold(row), params, point
