"""Find studies by their names, folders, folders of studies and parquet files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from dse.errors import StudyError
from dse.files import is_file, is_folder
from dse.results.files import PARETO, SPACE, TRIALS
from dse.results.parts import is_sweep
from dse.results.read import DAMAGE, table_file

Studies: TypeAlias = Path | str | Sequence[Path | str]


@dataclass(frozen=True, slots=True)
class Source:
    """Files that one study is read from.

    Attributes:
        study: name in the column `study`: that of its folder or file, or the whole path if two studies share the name.
        trials: file of its trials.
        pareto: file of its front; the same file if a single file was named.
    """

    study: str
    trials: Path
    pareto: Path


def study_folder(study: Path | str, results: Path | str) -> Path:
    """Return the folder or file of a study: the path if it exists, else the folder of this name in ``results``.

    Text that is written as a path, such as ``./a`` or ``a/b``, stays a path where neither exists, so that messages name it.
    """
    path, inside = Path(study), Path(results) / study
    if is_folder(path) or is_file(path) or ("/" in str(study) and not is_folder(inside)):
        return path
    return inside


def find_space(folder: Path) -> Path:
    """Return the space file of a study's folder.

    Raises:
        StudyError: the folder has no space file.
    """
    if not is_file(folder / SPACE):
        raise StudyError(
            "this study's space file is missing", where=folder / SPACE, expected=f"{SPACE}, as a run writes it"
        )
    return folder / SPACE


def find(studies: Studies, results: Path | str) -> list[Source]:
    """Find studies in the order in which the caller names them, each study once.

    Args:
        studies: names of studies, folders of one or several studies, or parquet files; empty: all studies in ``results``.
        results: folder that holds the studies.

    Raises:
        StudyError: one of the names or paths is not a study, or the folder holds no study.
    """
    named = [studies] if isinstance(studies, str | Path) else list(studies)
    if not named:
        sources = list(_inside(Path(results)))
        if not sources:
            raise StudyError(
                "no study was found",
                where=results,
                expected=f"folders with {TRIALS}, as `dse run` writes them",
                fix="name a study's folder, or the folder that holds the studies with --results",
            )
        return sources
    sources = [source for item in named for source in _find_named(study_folder(item, results))]
    once = list({source.trials.resolve(): source for source in sources}.values())
    names = [source.study for source in once]
    return [
        replace(source, study=_place(source).as_posix()) if names.count(source.study) > 1 else source for source in once
    ]


def _find_named(path: Path) -> list[Source]:
    if is_folder(path) and not is_file(path / TRIALS) and not is_sweep(path) and (inside := list(_inside(path))):
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


def place(sources: Sequence[Source]) -> str:
    """Return the folders of the studies as an error message names them."""
    return ", ".join(str(source.pareto.parent) for source in sources)


def join_tables(tables: Sequence[Any], sources: Sequence[Source]) -> Any:
    """Join an Arrow table of each study; the first column of the result, `study`, names the study of each row.

    Raises:
        StudyError: a column has another type in another study.
    """
    import pyarrow as pa

    pairs = zip(tables, sources, strict=True)
    named = [table.add_column(0, "study", pa.array([item.study] * len(table), pa.string())) for table, item in pairs]
    try:
        return pa.concat_tables(named, promote_options="permissive")
    except DAMAGE as error:
        raise StudyError("these tables cannot be joined", where=place(sources), found=error) from error
