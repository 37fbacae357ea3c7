"""Train one encoder for several tasks; it is cached by content, and continues after a stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from dse.files import digest, whole_file
from dse.models.data.text import batch
from dse.models.precision import has_bf16
from dse.models.training import finetune
from dse.models.training import losses as teaching
from dse.models.training.losses import Rows
from dse.models.training.trunk import Together
from dse.models.weight_files import name_damage
from dse.opened import note
from dse.records.model import Model
from dse.records.training import Adapted, Training

if TYPE_CHECKING:
    from dse.models.loaded_task import LoadedTask
    from dse.models.loaded_workload import LoadedWorkload

JOINT_VERSION = 1
"""Part of cache keys: raised when the same training, or the losses it follows, would give other weights."""
SAVES = 20
"""Number of times a training saves its state."""


def train_jointly(work: LoadedWorkload, training: Training) -> Model:
    """Train as asked, or find it in the cache.

    Raises:
        CheckpointError: the stored encoder cannot be read.
        DataError: the loss became infinite or not a number.
    """
    training = sort_tasks(work, training)
    path = work.cache / "joint" / f"{digest_of(work, training)}.safetensors"
    note(path)  # the plugin's results depend on these weights, whoever trained them
    if path.is_file():
        return restore(training, path).model
    together = Together(work, training)
    if training.start is not None:
        together.load(train_jointly(work, training.start))
    elif training.merged:
        together.load(together.merge())
    if training.passes:
        train(together, path)
    model = together.model()
    save(path, training, model)
    path.with_suffix(".part").unlink(missing_ok=True)
    return model


def digest_of(work: LoadedWorkload, training: Training) -> str:
    """Return the hash of everything that determines the weights; available before training."""
    training = sort_tasks(work, training)
    names = list(work.tasks)
    follows = training.merged or training.distil or training.across
    together = [work.tasks[names[at]] for at in training.tasks]
    tasks = [task.content if follows else task.digest for task in together]
    start = "" if training.start is None else digest_of(work, training.start)
    rest = {
        field.name: getattr(training, field.name) for field in fields(training) if field.name not in ("tasks", "start")
    }
    read = {task.embeddings for task in together} - {work.base.embeddings}
    own = sorted(name for name, _ in read)  # embeddings besides the base's
    own += [f"{task.digest} {one}" for task in together if (one := task.own_tokenizer)]
    return digest([JOINT_VERSION, work.base_digest, tasks, start, rest, has_bf16(work.device), *own])


def sort_tasks(work: LoadedWorkload, training: Training) -> Training:
    """Sort a training's tasks by content: the order of tasks in a space file decides no batch, mean or seed."""
    names = list(work.tasks)
    return replace(training, tasks=tuple(sorted(training.tasks, key=lambda index: work.tasks[names[index]].digest)))


def train(together: Together, path: Path) -> None:
    """Train in place with batches of one task each; each task's number of batches follows from its rows and epochs."""
    work, training = together.work, together.training
    settings = [task.spec.fine_tune for task in together.tasks]
    rows = [teaching.rows(work, together.tasks, at, training) for at in range(len(together.tasks))]
    turns = _turns(together.tasks, rows, training)
    for model in together.models:
        model.to(work.device).train()
        for value in model.parameters():
            value.requires_grad_(False)  # torch takes the flag by position
    for value in (value for values, _ in together.groups for value in values):
        value.requires_grad_(True)  # torch takes the flag by position
    update = finetune.Updater(together.groups, min(one.learning_rate for one in settings), len(turns))
    part = path.with_suffix(".part")
    update.resume(part)
    seeds = [one.seed + training.seed for one in settings]
    batches = [_own(seeds[at], rows[at], turns.count(at), one.batch) for at, one in enumerate(settings)]
    bf16 = finetune.use_bf16(together.models[0], work.device, work.progress)
    for step, at in enumerate(turns):
        chosen = next(batches[at])
        if step < update.step:
            continue  # done before training was stopped
        together.begin(step / len(turns))
        # Seeded per step, so that a continued training has the same dropout as an uninterrupted one.
        torch.manual_seed(step + len(turns) * training.seed)
        inputs = batch(rows[at].tokens, chosen, work.device)
        with torch.autocast(work.device, dtype=torch.bfloat16, enabled=bf16):
            loss = _loss(together, at, inputs, rows[at], chosen)
        update(loss, together.tasks[at].spec)
        if update.step % max(1, len(turns) // SAVES) == 0 and update.step < len(turns):
            update.save(part)
        update.tell(work.progress, together.description)


def _turns(tasks: list[LoadedTask], rows: list[Rows], training: Training) -> list[int]:
    """Return the task of each step's batch, in random order, with each task's number of batches."""
    counts = [
        max(1, round(training.passes * task.spec.fine_tune.epochs * -(-len(one.targets) // task.spec.fine_tune.batch)))
        for task, one in zip(tasks, rows, strict=True)
    ]
    order = np.repeat(np.arange(len(tasks)), counts)
    return [int(at) for at in np.random.default_rng(training.seed).permutation(order)]


def _own(seed: int, rows: Rows, count: int, size: int) -> Iterator[NDArray[Any]]:
    """Yield batches of one task, at least ``count``."""
    epochs = -(-count * size // len(rows.targets)) + 1
    return finetune.batches(rows.tokens, size, epochs, np.random.default_rng(seed))


def _loss(together: Together, at: int, inputs: dict[str, Tensor], given: Rows, chosen: NDArray[Any]) -> Tensor:
    """Return the loss: a share follows the labels, the other shares follow the outputs of the tasks' own models."""
    training = together.training
    task, logits = together.tasks[at], together.logits(at, inputs)
    others = [other for other in given.followed if other != at]
    own = finetune.loss(task.spec, logits, given.targets[chosen].to(logits.device))
    loss = (1 - training.distil - training.across) * own
    if training.distil:
        loss = loss + training.distil * teaching.follow_model(task, at, logits, given, chosen)
    for other in others:
        answers = together.also(other, inputs)
        distance = teaching.follow_model(together.tasks[other], other, answers, given, chosen)
        loss = loss + training.across / len(others) * distance
    return loss


def save(path: Path, training: Training, model: Model, state: Mapping[str, Tensor] | None = None) -> None:
    """Store trained weights as safetensors; tasks are named by their place, since names are not part of the key."""
    tensors = {f"matrix/{layer}/{index}": value for (layer, index), value in model.matrices.items()}
    for layer, vectors in model.vectors.items():
        tensors |= {f"vector/{layer}/{name}": value for name, value in vectors.items()}
    for task, head in model.heads.items():
        tensors |= {f"head/{training.tasks.index(task)}/{name}": value for name, value in head.items()}
    tensors |= {f"adapter/0/{name}": value for name, value in (state or {}).items()}
    with whole_file(path) as temporary:
        save_file({name: value.contiguous() for name, value in tensors.items()}, temporary)


def restore(training: Training, path: Path) -> Adapted:
    """Read the weights that `save` stored.

    Raises:
        CheckpointError: the file cannot be read.
    """
    matrices: dict[tuple[int, int], Tensor] = {}
    vectors: dict[int, dict[str, Tensor]] = {}
    heads: dict[int, dict[str, Tensor]] = {task: {} for task in training.tasks}
    state: dict[str, Tensor] = {}
    with name_damage(path, "the stored trained encoder"):
        for name, value in load_file(path).items():
            kind, owner, rest = name.split("/", 2)
            if kind == "matrix":
                matrices[int(owner), int(rest)] = value
            elif kind == "vector":
                vectors.setdefault(int(owner), {})[rest] = value
            elif kind == "head":
                heads[training.tasks[int(owner)]][rest] = value
            else:
                state[rest] = value
    return Adapted(state, Model(matrices, vectors, heads))
