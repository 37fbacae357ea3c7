"""Loading an exported design: each task's model, rebuilt from the terms that were charged, and its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DataError, ExportError, unknown_name
from dse.exports.files import ARRAYS, ROWS, TOKENIZER, Files

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

    from dse.exports.design import FiledDesign
    from dse.records.terms import Effective


def load_export(folder: Path | str, *, device: str = "auto") -> Export:
    """Open a design that `dse export` wrote; models are rebuilt when they are first asked for.

    Neither the study nor its data, caches or plugins are needed.

    Args:
        folder: of the export.
        device: where models run, cpu or cuda; auto: where the recorded scores were measured, if this machine has that.

    Raises:
        ExportError: there is none, or it is not whole.
    """
    return Export(Files(Path(folder)), device)


class Export:
    """An exported design.

    Attributes:
        folder: where it is.
        manifest: content of its ``export.json``.
        tasks: names.
    """

    def __init__(self, files: Files, device: str) -> None:
        self._files = files
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
        """A task's model.

        Raises:
            UnknownNameError: there is no such task.
            ExportError: a file it needs is not what was written.
        """
        if task not in self.tasks:
            raise unknown_name("task", task, self.tasks, where=self.folder)
        if task not in self._models:
            self._models[task] = TaskModel(self, self.tasks.index(task))
        return self._models[task]

    def rows(self, task: str, split: str = "search", folder: Path | str | None = None) -> pd.DataFrame:
        """Rows the recorded scores were measured on: columns text, text_b, label, group.

        Args:
            task: its name.
            split: ``search`` or ``report``.
            folder: that holds them, where it is not the export's own.

        Raises:
            ExportError: rows were not exported.
            UnknownNameError: there is no such task.
        """
        import pandas as pd

        name = f"{ROWS}/{self.model(task).file_name}.parquet"
        if folder is None and not self._files.has(name):
            raise ExportError(
                "the design was exported without its rows",
                where=self.folder,
                expected=name,
                fix="export it again with --rows, or score rows of your own",
            )
        path = self._files.path(name) if folder is None else Path(folder) / Path(name).name
        table = pd.read_parquet(path, use_threads=False)
        return table[table["split"] == split].drop(columns="split").reset_index(drop=True)

    def score(self, task: str, rows: pd.DataFrame | None = None, split: str = "search") -> float:
        """Score a task on rows with columns text, label and, for pairs, text_b; by default on exported ones."""
        return self.model(task).score(self.rows(task, split) if rows is None else rows)

    def check(self, folder: Path | str | None = None) -> pd.DataFrame:
        """Score every task on the rows its recorded scores are of; columns task, split, recorded, reloaded, difference.

        Args:
            folder: that holds the rows, where it is not the export's own.
        """
        import pandas as pd

        found = []
        for task, recorded in self.scores.items():
            for split, value in recorded.items():
                again = self.model(task).score(self.rows(task, split, folder))
                row = {"recorded": value, "reloaded": again, "difference": abs(again - value)}
                found.append({"task": task, "split": split, **row})
        return pd.DataFrame(found)

    def arrays(self, task: str | None = None, *, layer: int | None = None, matrix: str | None = None) -> pd.DataFrame:
        """What every array holds, one row for each matrix in it.

        Args:
            task: only arrays that this task's inputs run through.
            layer: only of this one, from 0.
            matrix: only of these, by name or role, e.g. ``query``.
        """
        import pandas as pd

        table = pd.read_parquet(self._files.path(ARRAYS), use_threads=False)
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
        from dse.exports.design import FiledDesign

        return FiledDesign(self._files)

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of all tasks."""
        from dse.workload.models import load_tokenizer

        return load_tokenizer(str(self._files.path(TOKENIZER)))

    @cached_property
    def device(self) -> str:
        """Where models run."""
        from dse.loading import check_device
        from dse.workload.finetune import pick_device

        recorded = self.manifest["evaluation"]["device"]
        if check_device(self._device) != "auto":
            return pick_device(self._device)
        return "cpu" if recorded == "cpu" else pick_device("auto")


class TaskModel:
    """One task's model, computing as it was scored: quantised inputs, rebuilt matrices, the recorded precision.

    Args:
        export: it belongs to.
        task: index.

    Attributes:
        name: of the task.
        classes: names of the labels, by number; empty for a regression.
    """

    def __init__(self, export: Export, task: int) -> None:
        self.name = export.tasks[task]
        self._export, self._task = export, task
        self._about: dict[str, Any] = export.manifest["tasks"][self.name]
        self.classes: tuple[str, ...] = tuple(self._about["classes"])
        self.file_name: str = self._about["file_name"]

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Logits (n, classes) of texts, or of pairs of texts."""
        import pandas as pd

        second = [""] * len(texts) if pairs is None else list(pairs)
        return self._logits(pd.DataFrame({"text": list(texts), "text_b": second}))

    def predict(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[str] | list[float]:
        """Name of each text's label, or its value."""
        from dse.workload.evaluate import answers

        found = answers(self._about["kind"], self(texts, pairs), self._about["scaling"])
        return [self.classes[at] for at in found] if self.classes else found.tolist()

    def tokens(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (n, classes) of tokenised inputs (n, tokens): ``input_ids``, ``attention_mask``, ...

        A score is that of rows sorted by length and padded in batches, as calling the model with texts does.
        """
        import torch

        given = {name: value.to(self._export.device) for name, value in inputs.items()}
        with torch.inference_mode(), self._layers.holding(self.held, self._kept, None, self._input_bits):
            logits: Tensor = self._layers.logits(given)
        return logits.cpu()

    def score(self, rows: pd.DataFrame) -> float:
        """The task's metric on rows with columns text, label and, for pairs, text_b.

        Raises:
            DataError: a column is missing, or there is no row.
        """
        import numpy as np

        from dse.workload import metrics
        from dse.workload.evaluate import answers

        lacking = [name for name in ("text", "label") if name not in rows.columns]
        if lacking or not len(rows):
            raise DataError(
                "these rows cannot be scored",
                where=f"task {self.name!r}",
                expected="rows with the columns text and label, and text_b for pairs",
                found=f"no column {lacking[0]}" if lacking else "no row",
            )
        predictions = answers(self._about["kind"], self._logits(rows), self._about["scaling"])
        return metrics.score(self._about["metric"], np.asarray(rows["label"]), predictions)[0]

    @cached_property
    def held(self) -> Effective:
        """Matrices by (layer, matrix), rebuilt, and what runs beside them."""
        from dse.pipeline.held import held_by

        return held_by(self._export.design, self._task)

    def _logits(self, rows: pd.DataFrame) -> NDArray[np.float32]:
        from dse.workload.evaluate import batched, run

        rows = rows if "text_b" in rows.columns else rows.assign(text_b="")
        batches = batched(self._export.tokenizer, rows, self._about["max_length"], self._export.device)
        return run(self._layers, batches, self.held, self._input_bits, self._kept)[0]

    @property
    def _input_bits(self) -> int:
        return int(self._export.manifest["evaluation"]["input_bits"])

    @property
    def _kept(self) -> list[bool]:
        from dse.records.batch import DROPPED

        return [owner != DROPPED for owner in self._export.manifest["plan"]["owner"][self._task]]

    @cached_property
    def _layers(self) -> Any:
        """The model on crossbars; biases and norms of layers of the base are among what is held."""
        from dse.workload.evaluate import on_crossbars

        return on_crossbars(self._model(), [], self._export.manifest["evaluation"]["precision"], self._export.device)

    def _model(self) -> PreTrainedModel:
        """The task's own model; its matrices are not set."""
        import torch

        from dse.workload.encoder import Decomposed
        from dse.workload.models import model_from

        with torch.random.fork_rng():
            model = model_from(self._about["config"])
        matrices = Decomposed(model, trace=False).matrix_names()
        state = self._export.design.state(self._task)
        lacking = set(model.state_dict()) - matrices - set(state)
        if lacking:
            raise ExportError(
                "the exported model is of another architecture than this transformers makes",
                where=self._export.folder,
                expected=f"{min(lacking)} of task {self.name!r}",
                found=f"transformers made it with version {self._export.manifest['versions']['transformers']}",
                fix="install that version",
            )
        model.load_state_dict({name: value for name, value in state.items() if name not in matrices}, strict=False)
        return model
