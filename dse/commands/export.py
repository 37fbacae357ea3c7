"""`dse export`: write one design of a study into a folder that needs nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dse.commands.open import call_apart
from dse.errors import DseError, OutputError, StudyError
from dse.exports.check import check_export
from dse.exports.files import ROWS
from dse.exports.manifest import MANIFEST
from dse.files import check_new_folder
from dse.records.callbacks import ProgressCallback
from dse.records.plugin import KINDS
from dse.results.files import TRIALS, VALIDATION
from dse.results.read import DAMAGE, damaged_table_error, show, table_file
from dse.results.status import Status
from dse.results.studies import find_space, study_folder
from dse.score.problem import WorkloadProblem
from dse.space.searchspace import SearchSpace
from dse.study.load import Request, load, request
from dse.study.open import check_content
from dse.study.provenance import Provenance, machine, versions
from dse.study.rebuild import rebuild_design

if TYPE_CHECKING:
    from dse.exports.write import Wanted


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported design.

    Attributes:
        folder: folder of the export.
        megabytes: size of the folder.
        scores: table with columns task, split and recorded; after a check also reloaded and difference.
    """

    folder: Path
    megabytes: float
    scores: pd.DataFrame


def export(
    study: Path | str,
    trial: int,
    folder: Path | str,
    *,
    results: Path | str = "results",
    rows: bool = False,
    check: bool = False,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: ProgressCallback | None = None,
) -> Exported:
    """Export a design: packed weights, the place of every array, schedule, hardware and recorded scores.

    `dse.load_export` rebuilds every task's model from the folder. The folder appears whole or not at all.

    Args:
        study: name of a study, or its folder.
        trial: number of a trial with scores.
        folder: folder to write; it must not exist, or be empty.
        results: folder that holds the studies.
        rows: whether to export the search and report rows of every task too. Mind the licences of the data.
        check: whether to load the export in a process of its own, and score every task.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache
            folder.
        plugins: bare plugin files, besides those that the study names.
        in_process: whether to rebuild the design in this process, as for `run`.
        activity: callback for downloads and fine-tuning.

    Raises:
        StudyError: there is no such study or trial, the trial has no scores, or its models or data differ on this machine.
        UnknownNameError: a plugin of the study is not installed.
        OutputError: the folder is not empty, or cannot be written.
    """
    table, target = table_file(study_folder(study, results), TRIALS), Path(folder)
    source, record = table.parent, show(table, trial)
    scores = _read_scores(source, record)
    check_new_folder(target, "the folder of the export", error=OutputError, fix="remove it, or name another folder")
    wanted, asked = request(find_space(source), device, cache, plugins, data=data), {"rows": rows, "check": check}
    try:
        done = call_apart(wanted, activity, _export, source, target, record, scores, asked, in_process=in_process)
        return Exported(target, done[0], pd.DataFrame(done[1]))
    except DseError:  # some of which are OSErrors as well
        raise
    except OSError as error:
        raise OutputError(
            f"the design cannot be exported: {error.strerror or error}",
            where=target,
            fix="make room, or name a folder where you may write",
        ) from error


def _export(
    request: Request,
    source: Path,
    target: Path,
    record: Mapping[str, Any],
    scores: dict[str, dict[str, float]],
    asked: Mapping[str, bool],
    activity: ProgressCallback,
) -> tuple[float, list[dict[Any, Any]]]:
    """Write the export; return its size in MB and the rows of its table of scores."""
    wanted = _describe_export(*load(request, activity), record, scores)
    _check_scores(source, wanted, activity)
    activity("writing the design", None)
    return _write(target, wanted, activity=activity, **asked)


def _read_scores(source: Path, record: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the recorded scores by task and split.

    Raises:
        StudyError: the trial has no scores, or stale ones.
    """
    prefix = "score."
    scores = {name.removeprefix(prefix): {"search": value} for name, value in record.items() if name.startswith(prefix)}
    if not scores or record["status"] == Status.STALE:
        same = record.get("duplicate_of")
        raise StudyError(
            f"trial {record['trial']} has no scores to reproduce"
            + (", since its models have changed" if scores else ""),
            where=source,
            expected="a trial whose tasks were scored",
            found=f"status {record['status']}" + (f": {record['reason']}" if "reason" in record else ""),
            fix="export a trial of `dse pareto`" if same is None else f"export trial {same}, the same design",
        )
    if "draws" in record:
        raise StudyError(
            f"trial {record['trial']} was scored on draws of arrays that are not ideal, and an export holds what is stored",
            where=source,
            expected="a study on ideal arrays",
            found=f"means over {record['draws']} draws",
            fix="run the design in a study without these options, with --start, and export it from there",
        )
    if (source / VALIDATION).is_file():
        try:
            table = pd.read_parquet(source / VALIDATION, use_threads=False)
            for row in table[table["trial"] == record["trial"]].to_dict("records"):
                for task, by_split in scores.items():
                    by_split["report"] = float(row[f"report.score.{task}"])
        except DAMAGE as error:
            fix = "validate the study again, or delete the file"
            raise damaged_table_error(source / VALIDATION, error, subject="the validation", fix=fix) from error
    return scores


def _describe_export(
    problem: WorkloadProblem,
    space: SearchSpace,
    provenance: Provenance,
    record: Mapping[str, Any],
    scores: Mapping[str, Mapping[str, float]],
) -> Wanted:
    """Return the design and the facts that an export records about it.

    Raises:
        StudyError: the version or the parameters of a plugin have changed since the trial.
    """
    from dse.exports.write import Wanted

    point = rebuild_design(problem, space, provenance, record)
    plugins = {
        kind: {
            "name": point.plugin(kind),
            "version": provenance.plugins[f"{kind}.{point.plugin(kind)}"],
            "options": space.file.kind(kind).table(point.plugin(kind)).options,
            "parameters": {
                name.rpartition(".")[2]: value for name, value in point.values.items() if name.startswith(f"{kind}.")
            },
        }
        for kind in KINDS
    }
    about = {"study": space.file.name, "trial": record["trial"], "record": record, "plugins": plugins}
    return Wanted(problem, point, {**about, "versions": versions(), "machine": machine()}, scores)


def _check_scores(source: Path, wanted: Wanted, activity: ProgressCallback) -> None:
    """Refuse to export models whose scores differ from the recorded scores; usually the cache holds all scores.

    Raises:
        StudyError: a score differs, or the content of a model or data file.
    """
    wanted.problem.prepare(scores=False)
    check_content(source, wanted.problem.digests)  # before the scores, which would only say that something differs
    splits = dict.fromkeys(split for by_split in wanted.scores.values() for split in by_split)
    for split in splits:
        activity(f"looking up the scores on the {split} split", None)
        measured = wanted.problem.score(wanted.point, split).tasks
        recorded = {task: by_split[split] for task, by_split in wanted.scores.items()}
        for task in {**recorded, **measured}:
            if measured.get(task) != recorded.get(task):
                raise StudyError(
                    "the model that this machine makes of the design differs from the one that the study scored",
                    where=f"{split} score of task {task}",
                    expected=recorded.get(task, "none: the study has other tasks now"),
                    found=measured.get(task, "none: the study has other tasks now"),
                    fix="export it where the study was run, with its cache, plugins and data; or run the study again here",
                )
    weights = {f"weights.{name}": task.content for name, task in wanted.loaded.tasks.items()}
    check_content(source, {**wanted.problem.digests, **weights})


def _write(
    target: Path, wanted: Wanted, *, rows: bool, check: bool, activity: ProgressCallback
) -> tuple[float, list[dict[Any, Any]]]:
    from dse.exports.write import write_export, write_rows

    with _whole_folder(target) as inner:
        write_export(inner, wanted, rows=rows)
    megabytes = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    recorded = [
        {"task": task, "split": split, "recorded": value}
        for task, by_split in wanted.scores.items()
        for split, value in by_split.items()
    ]
    if not check:
        return megabytes, recorded
    activity("scoring the export in a process of its own", None)
    with tempfile.TemporaryDirectory() as beside:
        where = target / ROWS if rows else Path(beside) / ROWS
        if not rows:
            write_rows(where, wanted)
        return megabytes, check_export(target, where).to_dict("records")


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder, and move its content to the target if the context ends without an error."""
    place = target.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as beside:
        made = Path(beside) / place.name
        made.mkdir()
        yield made
        if not place.is_dir():
            made.replace(place)
            return
        # The manifest comes last: a folder without it is not an export.
        for path in sorted(made.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(place / path.name)
