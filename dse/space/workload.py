"""The `[workload]` table of a space file, validated. Imports nothing heavy."""

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from dse.errors import raise_errors, unknown_name
from dse.files import has_table, is_folder
from dse.input_errors import tell, validate_rest
from dse.space.data import FILES, NO_DATA, ArchiveSpec, DataSpec, Strict
from dse.space.shapes import EncoderSpec, Tokens, read_lengths

Metric = Literal["", "accuracy", "f1", "matthews", "pearson", "spearman"]
REGRESSION: tuple[Metric, ...] = ("pearson", "spearman")
DEFAULT_METRIC: dict[str, Metric] = {"classification": "accuracy", "regression": "spearman"}


class BaseSpec(Strict):
    """A base encoder, from the hub (at a revision: a branch, tag or commit), a local folder or a pinned archive."""

    name: str
    source: str = ""
    revision: str = ""
    archive: ArchiveSpec | None = None
    weights_sha256: str = ""

    @model_validator(mode="after")
    def _has_name(self) -> Self:
        if not self.source and self.archive is None:
            raise ValueError("name a folder, a model of the hub, or a packaged base")
        return self


class FineTuneSpec(Strict):
    """Settings of fine-tuning a task from the base; embeddings stay frozen."""

    epochs: Annotated[int, Field(ge=1)] = 3
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    batch: Annotated[int, Field(ge=1)] = 32
    max_rows: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0


class TaskSpec(Strict):
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
        tokens: number of tokens of an input, a list of such numbers, or a file with one number per line, in place of data and
            checkpoint: then the workload has costs alone, and the base needs no weights.
    """

    name: str
    kind: Literal["", "classification", "regression"] = ""
    metric: Metric = ""
    data: DataSpec = NO_DATA
    tokens: Tokens = None
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
        if not isinstance(raw, dict) or "data" in raw or "tokens" in raw:
            return raw
        name, packaged = str(raw.get("name", "")), catalogue()["task"]
        if name not in packaged:
            error = unknown_name("packaged task", name, packaged)
            error.fix = error.fix or "give the task's [data] to define it"
            raise tell(error)
        return packaged[name] | raw

    @model_validator(mode="after")
    def _metric_fits(self) -> Self:
        if not self.name.strip() or not self.name.isprintable():
            raise ValueError("the name of a task is blank, or has a control character")
        if self.tokens is not None and {"data", "checkpoint"} & self.model_fields_set:
            raise ValueError("tokens stand for text and weights: leave out data and checkpoint, or tokens")
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


class TrafficSpec(Strict):
    """Traffic: the way in which requests arrive; see `dse.Traffic`."""

    mode: Literal["independent", "shared"] = "independent"
    batch: Annotated[float, Field(gt=0)] = 32.0
    requests_per_s: Annotated[float, Field(gt=0)] = 100.0


class WorkloadSpec(Strict):
    """Base, tasks and traffic. The name of a packaged base, or of a shape, stands for its whole table.

    Attributes:
        encoder: shape that stands for a base: sizes, or fields of a configuration of transformers.
    """

    base: BaseSpec
    encoder: EncoderSpec | dict[str, Any] | None = None
    tasks: tuple[TaskSpec, ...]
    traffic: TrafficSpec = TrafficSpec()

    @model_validator(mode="before")
    @classmethod
    def _named_base(cls, raw: Any) -> Any:
        """Replace the name of a packaged base by its table; another name is a hub name or folder."""
        base = raw.get("base") if isinstance(raw, dict) else None
        if isinstance(raw, dict) and raw.get("encoder") is not None:
            return _named_shape(raw)
        if not isinstance(base, str):
            return raw
        return raw | {"base": catalogue()["base"].get(base, {"source": base}) | {"name": base}}

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [task.name for task in self.tasks]
        if not names:
            raise ValueError("there is no task")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"task {name!r} is listed twice")
        given = [task.name for task in self.tasks if task.tokens is not None]
        if len(given) < len(names) and (given or self.encoder is not None):
            raise ValueError("an encoder without weights, or a task with tokens, needs tokens in every task")
        return self

    @property
    def shapes_alone(self) -> bool:
        """Whether the tasks have numbers of tokens in place of text: then designs have costs, and no scores."""
        return self.tasks[0].tokens is not None


def _named_shape(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a table whose encoder stands for the base, with the name of a shape replaced by its fields."""
    encoder, shapes = raw["encoder"], catalogue()["shape"]
    if isinstance(base := raw.get("base"), dict) and base.get("source") == base.get("name"):
        return raw  # a table that was read before
    if base is not None:
        raise ValueError("give either base or encoder")
    if isinstance(encoder, str):
        if encoder not in shapes:
            raise tell(unknown_name("shape of an encoder", encoder, shapes))
        name, encoder = encoder, shapes[encoder]
    elif isinstance(encoder, dict):
        encoder = EncoderSpec.model_validate(encoder)
        name = "x".join(map(str, (encoder.layers, encoder.hidden, encoder.ffn)))
    else:
        raise ValueError("encoder is the name of a shape, or a table of layers, hidden, heads and ffn")  # noqa: TRY004  # pydantic tells a ValueError with its place
    return raw | {"base": {"name": name, "source": name}, "encoder": encoder}


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
        files = {
            "data": _find_table(task.data, folder),
            "checkpoint": _beside(folder, task.checkpoint),
            "tokens": read_lengths(folder / expand_home(task.tokens, folder))
            if isinstance(task.tokens, str)
            else task.tokens,
        }
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
