"""Which studies are meant by names, folders, folders of studies and parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from dse.errors import StudyError
from dse.results.files import PARETO, TRIALS
from dse.results.read import table_file

Studies: TypeAlias = Path | str | Sequence[Path | str]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one study is read from.

    Attributes:
        study: what the column `study` calls it: the name of its folder or file, or the whole path where two agree.
        trials: its table of trials.
        pareto: its front; the same file where a single one was named.
    """

    study: str
    trials: Path
    pareto: Path


def study_folder(study: Path | str, results: Path | str) -> Path:
    """Folder of a study given by name or by folder; a folder that exists wins."""
    path = Path(study)
    return path if path.is_dir() or path.is_file() else Path(results) / path


def find(studies: Studies, results: Path | str) -> list[Source]:
    """Find studies, each once, in the order named.

    Args:
        studies: names of studies, their folders, folders that hold studies, or parquet files; all of ``results`` if none.
        results: folder that holds the studies.

    Raises:
        StudyError: one of them is no study, or there is none at all.
    """
    named = [studies] if isinstance(studies, str | Path) else list(studies)
    if not named:
        found = list(_inside(Path(results)))
        if not found:
            raise StudyError(
                "no study was found",
                where=results,
                expected=f"folders with {TRIALS}, as `dse run` writes them",
                fix="name a study's folder, or the folder that holds the studies with --results",
            )
        return found
    sources = [source for item in named for source in _find_named(study_folder(item, results))]
    once = list({source.trials.resolve(): source for source in sources}.values())
    names = [source.study for source in once]
    return [
        replace(source, study=_place(source).as_posix()) if names.count(source.study) > 1 else source for source in once
    ]


def _find_named(path: Path) -> list[Source]:
    if path.is_dir() and not (path / TRIALS).is_file() and (inside := list(_inside(path))):
        return inside
    trials = table_file(path, TRIALS)
    if trials == path:
        return [Source(path.parent.resolve().name if path.name in (TRIALS, PARETO) else path.stem, path, path)]
    return [Source(path.resolve().name, trials, table_file(path, PARETO))]


def _inside(folder: Path) -> Iterator[Source]:
    for trials in sorted(folder.glob(f"*/{TRIALS}")):
        yield Source(trials.parent.name, trials, table_file(trials.parent, PARETO))


def _place(source: Source) -> Path:
    return source.trials if source.trials == source.pareto else source.trials.parent
