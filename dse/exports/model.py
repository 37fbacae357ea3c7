"""Model of one task of an exported design: it turns texts into logits, computed in the same way as for the task's score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from dse.errors import DataError, ExportError
from dse.exports.design import own_names
from dse.exports.files import TOKENIZER
from dse.exports.integers import hold_integers
from dse.exports.manifest import MANIFEST, refuse_damage
from dse.models.checkpoints import model_from
from dse.models.checks import check_length, longest_input
from dse.models.data.labels import label_text, list_names
from dse.models.inference import task_metrics as metrics
from dse.models.inference.crossbar import code_inputs
from dse.models.inference.evaluate import answers, make_batches, on_crossbars, run
from dse.models.tokenizers import check_embeddings
from dse.records.effective import Effective
from dse.records.plan import DROPPED
from dse.score.check_values import check_effective
from dse.score.task_weights import held_by

if TYPE_CHECKING:
    from dse.exports.load import Export


class TaskModel:
    """Model that computes in the same way as for the task's score: quantised inputs, rebuilt matrices, the recorded precision.

    Args:
        export: export that the model belongs to.
        task: index of the task.

    Attributes:
        name: name of the task.
        classes: names of the labels, by number; empty for a regression.
    """

    def __init__(self, export: Export, task: int) -> None:
        self.name = export.tasks[task]
        self._export, self._task = export, task
        self._about: dict[str, Any] = export.manifest["tasks"][self.name]
        self.classes: tuple[str, ...] = tuple(self._about["classes"])
        self.file_name: str = self._about["file_name"]

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Return the logits (n, classes) of texts, or of pairs of texts.

        Raises:
            DataError: there is no list of texts, or the number of pairs differs from the number of texts.
        """
        first, second = _list_texts(texts), [] if pairs is None else _list_texts(pairs)
        if not first or second is None or (pairs is not None and len(second) != len(first)):
            fault = "there is no text to answer" if first == [] else "texts and pairs differ in number"
            raise DataError(
                "these are not texts that the model can answer" if first is None or second is None else fault,
                where=f"task {self.name!r}",
                expected="a list of texts, and as many pairs as texts or no pairs",
                found=f"texts {texts!r:.99}, pairs {pairs!r:.99}",
            )
        return self._logits(pd.DataFrame({"text": first, "text_b": second or [""] * len(first)}))

    def predict(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[str] | list[float]:
        """Return the name of each text's label, or its value for a regression."""
        predictions = answers(self._about["kind"], self(texts, pairs), self._about["scaling"])
        return [self.classes[at] for at in predictions] if self.classes else predictions.tolist()

    def tokens(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the logits (n, classes) of tokenised inputs (n, tokens): ``input_ids``, ``attention_mask``, ...

        Recorded scores, like calls with texts, use rows that are sorted by length and padded in batches.
        """
        given = {name: value.to(self._export.device) for name, value in inputs.items()}
        with torch.inference_mode(), self._layers.holding(self.held, self._kept, None, self._input_bits):
            logits: Tensor = self._layers.logits(given)
        return logits.cpu()

    def trace(self, inputs: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
        """Return logits of tokenised inputs, with what the matrices of the first and of the last layer received and summed.

        Only an export that was loaded with ``products="integer"`` has pieces, and so ``sums``.

        Args:
            inputs: tokenised inputs (n, tokens), as in `tokens`.

        Returns:
            ``logits`` (n, classes). For each matrix: ``<layer>.<matrix>.inputs`` (n, tokens, inputs), integer codes;
            ``<layer>.<matrix>.steps`` (n, tokens, 1); ``<layer>.<matrix>.sums.<piece>`` (n, tokens, outputs), integers.
        """
        ran = [layer for layer, runs in enumerate(self._kept) if runs]
        seen: dict[tuple[int, int], Tensor] = {}
        hooks = [
            linear.register_forward_pre_hook(lambda _, given, key=(layer, index): seen.update({key: given[0]}))
            for layer in {*ran[:1], *ran[-1:]}
            for index, linear in enumerate(self._layers.linears[layer])
        ]
        traced = {"logits": self.tokens(inputs).numpy()}
        for hook in hooks:
            hook.remove()
        for (layer, index), vector in seen.items():
            name = f"{layer}.{self._export.design.encoder.matrices[index].name}"
            codes, step = code_inputs(vector, self._input_bits)
            if (layer, index) in self.held.kept:
                codes = codes * self.held.kept[layer, index][1].to(codes)
            traced |= {f"{name}.inputs": codes.to(torch.int16).cpu().numpy(), f"{name}.steps": step.cpu().numpy()}
            for at, piece in enumerate(self.held.arrays.get((layer, index), ())):
                driven = codes if piece.inputs is None else codes[..., piece.inputs.to(codes.device)]
                sums, outputs = codes.new_zeros((*codes.shape[:-1], piece.shape[0])), piece.outputs
                sums[..., slice(None) if outputs is None else outputs] = driven @ piece.slices[0].levels.to(codes).T
                traced[f"{name}.sums.{at}"] = sums.to(torch.int32).cpu().numpy()
        return traced

    def score(self, rows: pd.DataFrame) -> float:
        """Return the task's metric on rows with columns text, label and, for pairs, text_b.

        A label of a classification is the name or the number of a class.

        Raises:
            DataError: a column is missing, there is no row, or a label belongs to no class.
        """
        lacking = [name for name in ("text", "label") if name not in rows.columns]
        texts = [name for name in ("text", "text_b") if name in rows and not all(map(_is_text, rows[name]))]
        if lacking or texts or not len(rows):
            raise DataError(
                "these rows cannot be scored",
                where=f"task {self.name!r}",
                expected="rows with the columns text and label, and text_b for pairs",
                found=f"no column {lacking[0]}" if lacking else f"no text in {texts[0]}" if texts else "no row",
            )
        labels = np.asarray([self._number(label) for label in rows["label"]])
        predictions = answers(self._about["kind"], self._logits(rows), self._about["scaling"])
        return metrics.score(self._about["metric"], labels, predictions)[0]

    def _number(self, label: object) -> float:
        """Return the number of a class, given its name or number; the value of a label of a regression."""
        text = label_text(str(label))
        if isinstance(label, str) and text in self.classes:
            return self.classes.index(text)
        if self.classes and text.isdecimal() and int(text) < len(self.classes):
            return int(text)
        if not self.classes and math.isfinite(value := _read_real(text)):
            return value
        raise DataError(
            "a label belongs to no class of the task" if self.classes else "a label of a regression is not a number",
            where=f"task {self.name!r}",
            expected=f"{list_names(self.classes)}, or 0 to {len(self.classes) - 1}"
            if self.classes
            else "a finite number",
            found=repr(label),
        )

    @cached_property
    def held(self) -> Effective:
        """Effective weights of the task: rebuilt matrices by (layer, matrix), biases, norms, head and exits."""
        with refuse_damage(self._export.folder):
            held = (hold_integers if self._export.exact else held_by)(self._export.design, self._task)
            check_effective(self._export.design.encoder, held, f"task {self.name!r}")
        return held

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of the task: its own, or that of the other tasks."""
        return self._export.load_tokenizer(f"{TOKENIZER}-{self.file_name}") or self._export.tokenizer

    def _logits(self, rows: pd.DataFrame) -> NDArray[np.float32]:
        rows = rows if "text_b" in rows.columns else rows.assign(text_b="")
        batches = make_batches(self.tokenizer, rows, self._about["max_length"], self._export.device)
        return run(self._layers, batches, self.held, self._input_bits, self._kept)[0]

    @property
    def _input_bits(self) -> int:
        return int(self._export.manifest["evaluation"]["input_bits"])

    @property
    def _kept(self) -> list[bool]:
        return [owner != DROPPED for owner in self._export.manifest["plan"]["owner"][self._task]]

    @cached_property
    def _layers(self) -> Any:
        """The model on crossbars; `held` has the biases and norms of the base's layers."""
        precision: Any = "fp64" if self._export.exact else self._export.manifest["evaluation"]["precision"]
        return on_crossbars(self._model(), [], precision, self._export.device)

    def _model(self) -> PreTrainedModel:
        """Build the task's own model, whose matrices are not set."""
        design, config = self._export.design, self._about["config"]
        state = design.state(self._task)
        with refuse_damage(self._export.folder / MANIFEST), torch.random.fork_rng():
            with torch.device("meta"):
                empty = model_from(config)  # takes no memory, so that its sizes can be compared first
            check_embeddings(self._export.tokenizer, empty.config, str(self._export.folder / TOKENIZER))
            shapes = {name: value.shape for name, value in empty.state_dict().items()}
            needed = own_names(empty, design, self._task)
            differs = {name for name in needed if name not in state or state[name].shape != shapes[name]}
            if differs:
                raise ExportError(
                    "the exported model differs in architecture from the one that this version of transformers builds",
                    where=self._export.folder,
                    expected=f"{min(differs)} of task {self.name!r}",
                    found=f"a model that transformers {self._export.manifest['versions']['transformers']} built",
                    fix="install that version",
                )
            model = model_from(config)
            spec: Any = SimpleNamespace(name=self.name, max_length=self._about["max_length"])
            check_length(spec, longest_input(model), "its model")
        model.load_state_dict({name: state[name] for name in needed}, strict=False)
        return model


def _list_texts(texts: Any) -> list[str] | None:
    """Return texts as a list; None for anything else, and for one text alone, whose letters would be texts."""
    listed: list[Any] = list(texts) if isinstance(texts, Iterable) and not isinstance(texts, str) else [None]
    return listed if all(map(_is_text, listed)) else None


def _is_text(value: Any) -> bool:
    """Return whether a value is a text that a tokenizer reads, which half of a surrogate pair is not."""
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def _read_real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
