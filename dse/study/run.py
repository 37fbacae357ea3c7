"""Run or continue a study.

Each trial is asked, evaluated, appended to the log and shown to the sampler, in this order, one trial at a time. A kill at
any instant loses at most the trial in flight, which is evaluated first when the study continues.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import DseError, SpaceError, raise_errors, unknown_name
from dse.files import write_text_whole
from dse.records.callbacks import MessageCallback, ignore_message
from dse.records.design import DesignPoint
from dse.records.problem import Problem, WithComparisons, WithDigests
from dse.results.files import LOG, SPACE
from dse.samplers.choose import make_generations
from dse.samplers.encoding import Codec
from dse.samplers.groups import choose_parallel, make_suggester
from dse.space.searchspace import SearchSpace
from dse.space.write import resolved_text
from dse.study.baselines import write_baselines
from dse.study.generation import GenerationLoop
from dse.study.log.file import Event, StudyLog, pause_garbage_collection, read_events
from dse.study.log.history import History, read_history
from dse.study.loop import Loop
from dse.study.observer import NullObserver, Observer, Progress
from dse.study.open import check_edition, check_unchanged, hold, prepared_event, session_event
from dse.study.progress import Ledger
from dse.study.provenance import Provenance
from dse.study.stages import Evaluator
from dse.study.tables import check_tables, write_results

WRITE_INTERVAL_S = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """Results of a run.

    Attributes:
        folder: folder of the study.
        trials: path of the table of all trials.
        pareto: path of the table of the front.
        reason: reason why the run stopped.
        progress: progress of the study.
        interrupted: whether a person stopped the run.
    """

    folder: Path
    trials: Path
    pareto: Path
    reason: str
    progress: Progress
    interrupted: bool = False


def run(
    problem: Problem,
    space: SearchSpace,
    *,
    folder: Path | str,
    provenance: Provenance,
    trials: int | None = None,
    observer: Observer | None = None,
    enqueue: Sequence[DesignPoint] = (),
    enqueued_by: str = "enqueued",
    profiled: Sequence[Mapping[str, Any]] = (),
    force: bool = False,
    retry_failed: bool = False,
    hook: MessageCallback = ignore_message,
    usual_parallel: int = 1,
) -> Finished:
    """Run a study up to its budget, from its beginning or from where its log ends.

    Args:
        problem: source of designs' costs and scores.
        space: the resolved search space.
        folder: folder of the study, e.g. ``results/<name>``.
        provenance: versions and hashes that must not change between sessions.
        trials: budget as a total number of trials; by default as in the space file.
        observer: observer of progress.
        enqueue: designs to evaluate first, unless they were evaluated before.
        enqueued_by: source of these designs, for the column ``source``.
        profiled: rows of designs that a profile measured, for a sampler that learns from tasks' scores.
        force: whether to continue even if plugins, data or the space have changed.
        retry_failed: whether to evaluate failed designs again first.
        hook: callback at each step of the log's protocol; for tests.
        usual_parallel: number of designs in a group for a new study that leaves the number open.

    Raises:
        StudyError: the study cannot be continued, its log is damaged or held by another run, or too many trials failed.
        SpaceError: the sampler or its options do not fit, the budget is empty, or an enqueued design lies outside the space.
    """
    folder = Path(folder)
    observer = observer or NullObserver()
    total = _budget(space, trials)
    check_components(space, problem)
    codec = Codec(space)
    _check_designs(codec, enqueue)
    parallel = choose_parallel(space.file.search, folder / LOG, usual_parallel)
    evaluator = Evaluator(problem, space.file)
    generations = None if evaluator.needs_score else make_generations(space, codec)
    suggester = generations or make_suggester(space, codec, problem, parallel)
    with hold(folder), StudyLog(folder / LOG, hook) as log:
        learnt = profiled if suggester.learns else ()
        event, history = _open_session(problem, space, provenance, folder, log, learnt, parallel, force=force)
        kind = Loop if generations is None else GenerationLoop
        loop = kind(space, codec, suggester, evaluator, Ledger(space, total), log, observer)
        loop.restore(history)  # it refuses a log with rows of other designs; only then the session leaves a trace
        log.append(event)
        write_text_whole(folder / SPACE, resolved_text(space, trials=total))
        loop.queue = [(enqueued_by, point) for point in enqueue]
        if retry_failed:
            loop.requeue_failed(history)
        del history  # memory must not grow with each trial
        for note in event["notes"]:
            observer.note(note)
        return _until_done(problem, loop, folder, total, lambda: _record_content(problem, loop, folder, force=force))


def _check_designs(codec: Codec, points: Sequence[DesignPoint]) -> None:
    """Refuse a design outside the space, which must stop the run before it writes anything."""
    for number, point in enumerate(points):
        try:
            codec.encode(point)
        except DseError as error:
            error.where = f"row {number} of the designs to start from: {error.where}"
            raise


@pause_garbage_collection()
def _open_session(
    problem: Problem,
    space: SearchSpace,
    provenance: Provenance,
    folder: Path,
    log: StudyLog,
    profiled: Sequence[Mapping[str, Any]],
    parallel: int,
    *,
    force: bool,
) -> tuple[Event, History]:
    """Read the log, and refuse a study that does not fit it; return the event of a new session, and the log with the event."""
    history = read_history(log.events, log.path)
    check_tables(folder, history, len(history.finished))
    check_edition(folder, history)
    notes = [note for note in (log.note, space.file.reference_hardware.warning) if note]
    event = session_event(space, provenance, problem.components, history, notes)
    event["notes"] += check_unchanged(folder, history, event, force=force)
    event["parallel"] = parallel
    if profiled:
        event["profiled"] = list(profiled)
    events = [*log.events, event]
    log.events.clear()  # the file holds them, and memory must not grow with each trial
    return event, read_history(events, log.path, checked=len(events))  # with earlier rows stale, if they are


def _record_content(problem: Problem, loop: Loop, folder: Path, *, force: bool) -> None:
    """Log the content that a prepared problem knows; refuse it if it has changed."""
    digests = problem.digests if isinstance(problem, WithDigests) else {}
    event = prepared_event(folder, loop.history, digests, force=force)
    if event is None:
        return
    loop.log.append(event)
    loop.hold(read_history(read_events(loop.log.path)[0], loop.log.path, checked=loop.log.lines))
    if event["stale"]:
        loop.ledger.forget_results()
    for note in event["notes"]:
        loop.observer.note(note)


def _until_done(problem: Problem, loop: Loop, folder: Path, total: int, record: Callable[[], None]) -> Finished:
    """Prepare the problem, record its content, run the loop, and write the results whatever ends it."""
    observer, ledger = loop.observer, loop.ledger
    prepared = interrupted = False
    reason = ""
    try:
        observer.on_start(ledger.progress())
        if ledger.evaluated < total:
            problem.prepare(scores=loop.evaluator.needs_score)
            prepared = True
            record()
            observer.on_ready()
        written = time.monotonic()
        while not reason:
            reason = loop.step(total)
            if time.monotonic() - written > WRITE_INTERVAL_S:
                _write(loop, folder)
                written = time.monotonic()
    except KeyboardInterrupt:
        interrupted, reason = True, "interrupted; the trial in flight is evaluated first when the study continues"
    finally:
        paths = _write(loop, folder)
    if prepared and not interrupted and isinstance(problem, WithComparisons):
        write_baselines(folder, problem, loop.space, loop.rows)
    progress = ledger.progress()
    observer.on_finish(progress, reason)
    return Finished(folder, *paths, reason=reason, progress=progress, interrupted=interrupted)


def _write(loop: Loop, folder: Path) -> tuple[Path, Path]:
    loop.log.hook("results:writing")
    loop.log.sync()  # after a power cut, the log must know all trials of the tables
    return write_results(folder, loop.history, loop.rows)


def _budget(space: SearchSpace, trials: int | None) -> int:
    total = space.file.search.trials if trials is None else trials
    if total < 1:
        raise SpaceError("the budget is empty", where="trials", expected="at least 1, as a total", found=total)
    return total


def check_components(space: SearchSpace, problem: Problem) -> None:
    """Raise for columns of components that no hardware model of the study has: they would always be empty."""
    asked = [item for item in space.file.columns_read if item[0].startswith(("area.", "energy."))]
    names = [f"{kind}.{part}" for kind in ("area", "energy") for part in (problem.components if asked else ())]
    raise_errors(unknown_name("metric", name, names, where=where) for name, where in asked if name not in names)
