"""Load an exported design: each task's model, rebuilt from the charged terms, and the task's scores."""

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import ExportError, unknown_name
from dse.exports.design import FiledDesign
from dse.exports.files import ARRAYS, ROWS, TOKENIZER, Files
from dse.exports.manifest import refuse_damage
from dse.exports.model import TaskModel
from dse.models.checkpoints import load_tokenizer
from dse.models.training.finetune import pick_device
from dse.study.load import check_device

PRODUCTS = ("scored", "integer")
NUMBERS = ("array", "layer", "first_row", "rows", "first_column", "columns", "bitline")
"""Columns of the table of arrays that are whole numbers."""


def load_export(folder: Path | str, *, device: str = "auto", products: str = "scored") -> "Export":
    """Open a design that `dse export` wrote; models are rebuilt on first use.

    Neither the study nor its data, caches or plugins are needed.

    Args:
        folder: folder of the export.
        device: device of the models, ``cpu`` or ``cuda``; ``auto`` picks the device of the recorded scores if possible.
        products: ``scored`` computes in the precision of the recorded scores. ``integer`` is a reference for other programs:
            sums of products are exact integers, and everything else is float64.

    Raises:
        ExportError: the folder has no export, or the export lacks files.
        SetupError: no device has this name.
        UnknownNameError: no kind of products has this name.
    """
    if products not in PRODUCTS:
        raise unknown_name("kind of products", products, PRODUCTS, where="load_export")
    return Export(Files(Path(folder)), check_device(device), exact=products == "integer")


class Export:
    """An exported design.

    Attributes:
        folder: folder of the export.
        manifest: content of the export's ``export.json``.
        tasks: names of the tasks.
        exact: whether products are exact integers, and everything else is float64.
    """

    def __init__(self, files: Files, device: str, *, exact: bool = False) -> None:
        self._files = files
        self.exact = exact
        self._device = device
        self._models: dict[str, TaskModel] = {}
        self.folder = files.folder
        self.manifest = files.manifest
        self.tasks: tuple[str, ...] = tuple(files.manifest["tasks"])

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """Recorded scores, by task and split."""
        return {name: dict(self.manifest["tasks"][name]["scores"]) for name in self.tasks}

    def model(self, task: str) -> TaskModel:
        """Return a task's model.

        Raises:
            UnknownNameError: no task has this name.
            ExportError: a file of the model was changed.
        """
        if task not in self.tasks:
            raise unknown_name("task", task, self.tasks, where=self.folder)
        if task not in self._models:
            self._models[task] = TaskModel(self, self.tasks.index(task))
        return self._models[task]

    def rows(self, task: str, split: str = "search", folder: Path | str | None = None) -> pd.DataFrame:
        """Return the rows of a recorded score, with columns text, text_b, label, group, and row, the row's number in its file.

        Args:
            task: name of the task.
            split: ``search`` or ``report``.
            folder: folder that holds the rows; by default the export's own.

        Raises:
            ExportError: rows were not exported.
            UnknownNameError: no task, or no split, has this name.
        """
        if split not in ("search", "report"):
            raise unknown_name("split of exported rows", split, ("search", "report"), where="chip.rows")
        name = f"{ROWS}/{self.model(task).file_name}.parquet"
        if folder is None and not self._files.has(name):
            raise ExportError(
                "the design was exported without its rows",
                where=self.folder,
                expected=name,
                fix="export it again with --rows, or score rows of your own",
            )
        path = self._files.path(name) if folder is None else Path(folder) / Path(name).name
        with refuse_damage(path):
            table = pd.read_parquet(path, use_threads=False)
            return table[table["split"] == split].drop(columns="split").reset_index(drop=True)

    def score(self, task: str, rows: pd.DataFrame | None = None, split: str = "search") -> float:
        """Score a task on rows with columns text, label and, for pairs, text_b; by default on exported rows."""
        return self.model(task).score(self.rows(task, split) if rows is None else rows)

    def check(self, folder: Path | str | None = None) -> pd.DataFrame:
        """Score every task on the rows of its recorded scores; columns task, split, recorded, reloaded, difference.

        Args:
            folder: folder that holds the rows; by default the export's own.
        """
        records = []
        for task, recorded in self.scores.items():
            for split, value in recorded.items():
                again = self.model(task).score(self.rows(task, split, folder))
                row = {"recorded": value, "reloaded": again, "difference": abs(again - value)}
                records.append({"task": task, "split": split, **row})
        return pd.DataFrame(records)

    def arrays(self, task: str | None = None, *, layer: int | None = None, matrix: str | None = None) -> pd.DataFrame:
        """Return the content of every array, one row for each matrix in an array.

        Args:
            task: task whose arrays to return; None: all tasks.
            layer: layer whose arrays to return, from 0; None: all layers.
            matrix: name or role of the matrices whose arrays to return, e.g. ``query``; None: all matrices.
        """
        path = self._files.path(ARRAYS)
        with refuse_damage(path):
            table = pd.read_parquet(path, use_threads=False)
            if wrong := [name for name in NUMBERS if table[name].dtype.kind != "i"]:
                raise TypeError(f"column {wrong[0]} does not hold whole numbers")
            if task is not None:
                self.model(task)
                table = table[[task in users for users in table["tasks"]]]
            if layer is not None:
                table = table[table["layer"] == layer]
            if matrix is not None:
                table = table[(table["matrix"] == matrix) | (table["role"] == matrix)]
            return table.reset_index(drop=True)

    @cached_property
    def design(self) -> FiledDesign:
        """Terms of every owner, as they are charged."""
        return FiledDesign(self._files)

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of all tasks that have none of their own; see `TaskModel.tokenizer`."""
        return self.load_tokenizer(TOKENIZER)

    def load_tokenizer(self, name: str) -> Any:
        """Load the tokenizer in a folder of the export; None if there is no such folder."""
        folder = self._files.path(name)
        return load_tokenizer(str(folder)) if folder.is_dir() else None

    @cached_property
    def device(self) -> str:
        """Device of the models."""
        recorded = self.manifest["evaluation"]["device"]
        return pick_device("cpu" if (self._device, recorded) == ("auto", "cpu") else self._device)
