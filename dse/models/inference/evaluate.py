"""Score a task with given matrices: quantised activations, length-sorted text, weights written in place."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from dse.errors import DataError
from dse.models.data.splits import Splits
from dse.models.data.text import encode, iterate_batches
from dse.models.inference import task_metrics as metrics
from dse.models.inference.crossbar import CrossbarLayers, Pool
from dse.models.weight_cache import WeightCache
from dse.records.effective import Effective
from dse.space.workload import TaskSpec

EVALUATOR_VERSION = 1
"""Part of every score's cache key: raised when the same weights could score differently."""

Precision = Literal["bf16", "fp32"]
Batch: TypeAlias = tuple[NDArray[Any], dict[str, Tensor]]
"""Places of the rows in a table, shape (n,), and the rows' padded inputs (n, longest) by input name."""


@dataclass(frozen=True, slots=True)
class TaskScore:
    """A task's score on one split.

    Attributes:
        value: value of the task's metric.
        flagged: whether predictions were constant, so that a correlation is 0 by definition.
        predictions: predicted classes or values in the order of the split's rows, shape (n,).
        rows: number of rows, n.
        seconds: time of scoring, with writing of weights.
        precision: precision that was used: fp32 where outputs in bf16 are not finite.
        reach: share of rows that ran each layer, by layer, if rows may leave early; else None.
    """

    value: float
    flagged: bool
    predictions: NDArray[Any]
    rows: int
    seconds: float
    precision: Precision
    reach: Mapping[int, float] | None = None


@dataclass(eq=False)
class Evaluator:
    """Scorer of one task, which holds the task's model and tokenised text.

    Args:
        task: kind, metric and longest length.
        make_model: function that gives the task's float32 model with its head, and the scaling of the labels.
        base_vectors: function that gives biases and norms of the base's layers.
        tokenizer: tokenizer of the task.
        splits: labelled rows.
        device: ``cpu`` or ``cuda``.
        pool: parameters that models of several tasks share.
        cache: models that stay in memory; by default this task's only.
    """

    task: TaskSpec
    make_model: Callable[[], tuple[PreTrainedModel, dict[str, float]]]
    base_vectors: Callable[[], list[dict[str, Tensor]]]
    tokenizer: Any
    splits: Splits
    device: str
    pool: Pool | None = None
    cache: WeightCache = field(default_factory=WeightCache)
    _text: dict[str, list[Batch]] = field(default_factory=dict, init=False)

    def labels(self, split: str) -> NDArray[Any]:
        """Return the labels of a split, shape (n,)."""
        return np.asarray(self.splits.part(split)["label"])

    def groups(self, split: str) -> tuple[str, ...]:
        """Return the group of each row of a split, shape (n,); empty strings if rows are independent."""
        return tuple(self.splits.part(split)["group"])

    def score(
        self,
        held: Effective | Mapping[tuple[int, int], Tensor],
        *,
        split: str = "search",
        input_bits: int = 8,
        precision: Precision = "bf16",
        keep_layers: Sequence[bool] | None = None,
        base_layers: Sequence[bool] | None = None,
    ) -> TaskScore:
        """Score the task with these matrices.

        Args:
            held: float32 matrices (outputs, inputs) of every kept layer, by (layer, matrix), and other weights; biases,
                norms, embeddings and head that it lacks are the task's own.
            split: ``search``, ``report``, ``screen`` (a sample of search) or ``train``; ``search:64`` samples 64 rows.
            input_bits: bits of each matrix's input activations, with one scale per token; 0 does not quantise.
            precision: precision of the arithmetic; fp32 replaces bf16 where outputs in bf16 are not finite.
            keep_layers: whether each layer runs, shape (L,); None: all layers run.
            base_layers: whether each layer has the base's biases and norms, shape (L,); None: no layer has them.

        Raises:
            DataError: the model's outputs are not finite, not even in fp32.
        """
        start = time.perf_counter()
        held = held if isinstance(held, Effective) else Effective(dict(held))
        scaling, logits, reach = self.compute_outputs(held, split, input_bits, precision, keep_layers, base_layers)
        if precision == "bf16" and not np.isfinite(logits).all():
            precision = "fp32"  # its range is the same, but not its rounding: a model may overflow in bf16 alone
            scaling, logits, reach = self.compute_outputs(held, split, input_bits, precision, keep_layers, base_layers)
        self._check_logits(logits, split)
        predictions = answers(self.task.kind, logits, scaling)
        value, flagged = metrics.score(self.task.metric, self.labels(split), predictions)
        return TaskScore(value, flagged, predictions, len(predictions), time.perf_counter() - start, precision, reach)

    def compute_outputs(
        self, held: Effective, split: str, input_bits: int, precision: Precision, *layers: Sequence[bool] | None
    ) -> tuple[dict[str, float], NDArray[np.float32], Mapping[int, float] | None]:
        """Return the scaling of labels, the logits (rows, classes), and the share of rows that ran each layer."""
        model, scaling = self.load(precision)
        return scaling, *run(model, self.batches(split), held, input_bits, *layers)

    def load(self, precision: Precision) -> tuple[CrossbarLayers, dict[str, float]]:
        """Return the task's model on crossbars in a precision, and the scaling of its labels; read it unless it is in memory."""

        def read() -> tuple[CrossbarLayers, dict[str, float]]:
            model, scaling = self.make_model()
            return on_crossbars(model, self.base_vectors(), precision, self.device, self.pool), scaling

        return self.cache.find_or_read(self.task.name, precision, read, lambda part: part[0].model.parameters())

    def _check_logits(self, logits: NDArray[np.float32], split: str) -> None:
        bad = np.flatnonzero(~np.isfinite(logits).all(axis=1))
        if bad.size:
            raise DataError(
                "the outputs of a task's model are not finite",
                where=f"task {self.task.name!r}, split {split!r}",
                expected="finite numbers for each row",
                found=f"{bad.size} of {len(logits)} rows are not finite; the first is row {bad[0]}",
                fix="look for weights or scales that are very large: finite weights gave these outputs",
            )

    def forget(self, precision: Precision) -> None:
        """Drop the model of a precision."""
        self.cache.drop(self.task.name, precision)

    def batches(self, split: str) -> list[Batch]:
        """Return the rows and padded inputs of each length-sorted batch; tokenise the split on first use."""
        if split not in self._text:
            frame = self.splits.part(split)
            self._text[split] = make_batches(self.tokenizer, frame, self.task.max_length, self.device)
        return self._text[split]


def on_crossbars(
    model: PreTrainedModel,
    base_vectors: list[dict[str, Tensor]],
    precision: Precision | Literal["fp64"],
    device: str,
    pool: Pool | None = None,
) -> CrossbarLayers:
    """Put a model on crossbars, in a precision and on a device; see `CrossbarLayers` for the pool."""
    kind = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp64": torch.float64}[precision]
    moved: Any = model.to(dtype=kind)  # type: ignore[call-arg]  # transformers hides the signature
    return CrossbarLayers(moved.to(device).eval(), base_vectors, pool)


def make_batches(tokenizer: Any, frame: pd.DataFrame, max_length: int, device: str) -> list[Batch]:
    """Tokenise rows with columns text and text_b into length-sorted, padded batches."""
    return list(iterate_batches(encode(tokenizer, frame, max_length), device))


def run(
    layers: CrossbarLayers,
    batches: Sequence[Batch],
    held: Effective,
    input_bits: int,
    keep_layers: Sequence[bool] | None = None,
    base_layers: Sequence[bool] | None = None,
) -> tuple[NDArray[np.float32], Mapping[int, float] | None]:
    """Run every batch; see `Evaluator.score` for the arguments.

    Returns:
        Logits (n, classes) in the order of the rows, and the share of rows that ran each layer if rows may leave early.
    """
    with torch.inference_mode(), layers.holding(held, keep_layers, base_layers, input_bits):
        outputs = [layers.logits(inputs).cpu() for _, inputs in batches]
        reach = layers.reach
    logits = np.empty((sum(len(rows) for rows, _ in batches), outputs[0].shape[-1]), dtype=np.float32)
    for (rows, _), values in zip(batches, outputs, strict=True):
        logits[rows] = values.numpy()
    return logits, reach


def answers(kind: str, logits: NDArray[np.float32], scaling: Mapping[str, float]) -> NDArray[Any]:
    """Return predicted classes or values (n,) from logits (n, classes)."""
    return np.asarray(
        logits.argmax(axis=1) if kind == "classification" else logits[:, 0] * scaling["spread"] + scaling["mean"]
    )
