"""Fine-tuning a task from the base with frozen embeddings; the result is cached by content."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from dse.errors import CheckpointError, DataError, SetupError
from dse.files import whole_file
from dse.models.data.text import Encoded, batch, encode
from dse.models.encoder import Decomposed
from dse.models.precision import has_bf16
from dse.models.trace import runs_in_bf16
from dse.models.weight_files import name_damage
from dse.records.callbacks import ProgressCallback
from dse.space.workload import TaskSpec

FINE_TUNE_VERSION = 2
WARM_UP = 0.1
WEIGHT_DECAY = 0.01
MOST_NORM = 1.0
"""Gradients longer than this are shortened."""
KEPT = ("exp_avg", "exp_avg_sq", "step")
"""Names of AdamW's state of each parameter."""
TELL_S = 0.5
"""Seconds between progress messages."""
CHUNK = 16
"""Batches whose rows are sorted by length together."""


def pick_device(name: str) -> str:
    """Resolve ``auto`` to a GPU if there is one; refuse a requested GPU that is missing."""
    if name == "cuda" and not torch.cuda.is_available():
        raise SetupError(
            "torch sees no GPU", where="--device", expected="cpu or auto", found=name, fix="install a torch with CUDA"
        )
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def use_bf16(model: nn.Module, device: str, progress: ProgressCallback | None = None) -> bool:
    """Return whether to train a model in 16-bit brain floats; say so if the device has them and the model overflows."""
    if not has_bf16(device):
        return False
    runs = runs_in_bf16(model, device)
    if not runs and progress is not None:
        progress(f"{type(model).__name__} runs in fp32: it overflows in bf16", 1.0)
    return runs


def fine_tune(
    model: PreTrainedModel,
    tokenizer: Any,
    task: TaskSpec,
    train: pd.DataFrame,
    *,
    device: str,
    progress: ProgressCallback | None = None,
) -> dict[str, float]:
    """Train the model in place on a task's training rows.

    Args:
        model: encoder with a fresh head; embeddings stay as they are.
        tokenizer: tokenizer of the base.
        task: kind and fine-tuning settings.
        train: training split.
        device: ``cpu`` or ``cuda``.
        progress: callback for the share of steps done.

    Returns:
        ``mean`` and ``spread`` that standardised the labels of a regression.

    Raises:
        DataError: the loss became infinite or not a number.
    """
    settings = task.fine_tune
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    rows = generator.permutation(len(train))[: settings.max_rows]
    frame = train.iloc[rows].reset_index(drop=True)
    scaling = _scaling(task, frame)
    labels = targets(task, frame, scaling)
    tokens = encode(tokenizer, frame, task.max_length)
    moved: Any = model
    moved.to(device).train()
    steps = settings.epochs * -(-len(frame) // settings.batch)
    embeddings = Decomposed(model, trace=False).embedding_names()
    for name, value in model.named_parameters():
        value.requires_grad_(name not in embeddings)
    trained = [value for value in model.parameters() if value.requires_grad]
    update = Updater([(trained, 1.0)], settings.learning_rate, steps)
    bf16 = use_bf16(model, device, progress)
    for chosen in batches(tokens, settings.batch, settings.epochs, generator):
        with torch.autocast(device, dtype=torch.bfloat16, enabled=bf16):
            logits = model(**batch(tokens, chosen, device)).logits
        error = loss(task, logits.float(), labels[chosen].to(device))
        update(error, task)
        update.tell(progress, f"fine-tuning {task.name} on {len(frame)} rows")
    moved.eval().to("cpu")
    return scaling


class Updater:
    """Optimizer step after a loss: AdamW with a rate that warms up and decays; its state can be saved and resumed.

    Args:
        groups: parameters, with their multiple of the learning rate.
        learning_rate: highest learning rate.
        steps: number of steps of the whole training.

    Attributes:
        step: number of steps done.
    """

    def __init__(self, groups: list[tuple[list[nn.Parameter], float]], learning_rate: float, steps: int) -> None:
        self.step, self._told = 0, 0.0
        self._trained = [value for values, _ in groups for value in values]
        self._rates, self._steps = [learning_rate * multiple for _, multiple in groups], steps
        parts = [{"params": values} for values, _ in groups]
        self._optimizer = torch.optim.AdamW(parts, lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=True)

    def __call__(self, value: Tensor, task: TaskSpec) -> None:
        """Take one step.

        Raises:
            DataError: the loss of the task became infinite or not a number.
        """
        if not torch.isfinite(value):
            raise DataError(
                f"fine-tuning of task {task.name!r} diverged",
                where=f"step {self.step} of {self._steps}",
                expected="a finite loss",
                found=float(value.detach()),
                fix="lower fine_tune.learning_rate",
            )
        self._optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, MOST_NORM)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * _schedule(self.step, self._steps)
        self._optimizer.step()
        self.step += 1

    def tell(self, progress: ProgressCallback | None, text: str) -> None:
        """Report the share of steps that are done, now and then and at the end."""
        if progress is not None and (time.monotonic() - self._told > TELL_S or self.step == self._steps):
            self._told = time.monotonic()
            progress(text, self.step / self._steps)

    def save(self, path: Path) -> None:
        """Save the parameters, the optimizer's state and the step."""
        tensors: dict[str, Tensor] = {}
        for index, value in enumerate(self._trained):
            state = self._optimizer.state[value]
            moments = {name: state[name] for name in KEPT if name in state}
            tensors |= {f"{name}/{index}": part for name, part in {"value": value, **moments}.items()}
        with whole_file(path) as temporary:
            whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
            save_file(whole, temporary, metadata={"step": str(self.step)})

    def resume(self, path: Path) -> None:
        """Continue from a saved state; ignore a file that is damaged or does not fit."""
        try:
            with safe_open(path, "pt") as file:
                step = int(file.metadata()["step"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            fits = all(tensors[f"value/{index}"].shape == value.shape for index, value in enumerate(self._trained))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return
        if not fits:
            return
        with torch.no_grad():
            for index, value in enumerate(self._trained):
                value.copy_(tensors[f"value/{index}"])
                moments = {name: tensors[f"{name}/{index}"] for name in KEPT if f"{name}/{index}" in tensors}
                self._optimizer.state[value] = {name: part.to(value) for name, part in moments.items()}
        self.step = step


def save(path: Path, model: PreTrainedModel, scaling: dict[str, float]) -> None:
    """Store everything but the frozen embeddings as safetensors."""
    frozen = Decomposed(model, trace=False).embedding_names()
    tensors = {name: value.contiguous() for name, value in model.state_dict().items() if name not in frozen}
    with whole_file(path) as temporary:
        save_file(tensors, temporary, metadata={"scaling": json.dumps(scaling)})


def restore(path: Path, model: PreTrainedModel) -> dict[str, float]:
    """Load a task that `save` stored into a model with the base's embeddings; return the scaling.

    Raises:
        CheckpointError: the file is damaged or has another architecture.
    """
    with name_damage(path, "the stored fine-tuned task"):
        with safe_open(path, "pt") as file:
            scaling: dict[str, float] = json.loads(file.metadata()["scaling"])
        report = model.load_state_dict(load_file(path), strict=False)
    frozen = Decomposed(model, trace=False).embedding_names()
    missing = [name for name in report.missing_keys if name in dict(model.named_parameters()) and name not in frozen]
    for name in (*report.unexpected_keys, *missing):
        raise CheckpointError(
            "the stored task has another architecture", where=path, found=f"{name} in only one of them"
        )
    return scaling


def _scaling(task: TaskSpec, frame: pd.DataFrame) -> dict[str, float]:
    """Return the mean and spread that standardise the labels of a regression."""
    if task.kind == "classification":
        return {"mean": 0.0, "spread": 1.0}
    values = frame["label"].to_numpy()
    return {"mean": float(values.mean()), "spread": float(values.std()) or 1.0}


def targets(task: TaskSpec, frame: pd.DataFrame, scaling: Mapping[str, float]) -> Tensor:
    """Return the targets of a model, shape (n,): classes, or standardised values."""
    values = frame["label"].to_numpy()
    if task.kind == "classification":
        return torch.from_numpy(values.astype(np.int64))
    return torch.from_numpy((values - scaling["mean"]) / scaling["spread"]).float()


def loss(task: TaskSpec, logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy, or the squared error of a regression."""
    if task.kind == "classification":
        return functional.cross_entropy(logits, labels)
    return functional.mse_loss(logits.squeeze(-1), labels)


def _schedule(step: int, steps: int) -> float:
    """Return a step's share of the learning rate: linear warm-up, then linear decay to zero."""
    warm = max(1, int(WARM_UP * steps))
    return (step + 1) / warm if step < warm else max(0.0, (steps - step) / max(1, steps - warm))


def batches(tokens: Encoded, size: int, epochs: int, generator: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Yield batches of rows with similar lengths, in random order."""
    for _ in range(epochs):
        order = generator.permutation(len(tokens.lengths))
        chunks = [order[at : at + size * CHUNK] for at in range(0, len(order), size * CHUNK)]
        batches = []
        for chunk in chunks:
            sorted_rows = chunk[np.argsort(tokens.lengths[chunk], kind="stable")]
            batches += [sorted_rows[at : at + size] for at in range(0, len(chunk), size)]
        for index in generator.permutation(len(batches)):
            yield batches[index]
