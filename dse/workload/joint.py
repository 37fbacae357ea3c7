"""Training one encoder for several tasks, cached by content and continued where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import CheckpointError
from dse.records.model import Model
from dse.records.training import Training
from dse.workload import finetune, models
from dse.workload.cache import digest, whole_file
from dse.workload.encoder import Decomposed, container
from dse.workload.given import write_head, write_layers
from dse.workload.text import Encoded, batch, by_length, encoded, padding

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dse.workload.service import LoadedTask, LoadedWorkload

JOINT_VERSION = 1
SAVES = 20
"""How often a training writes down where it is."""
TEMPERATURE = 2.0
"""Softens the outputs that are followed."""


def trained(work: LoadedWorkload, training: Training) -> Model:
    """Train as asked, or find it in the cache.

    Raises:
        CheckpointError: the stored encoder cannot be read.
        DataError: the loss became infinite or not a number.
    """
    path = work.cache / "joint" / f"{_digest(work, training)}.safetensors"
    if path.is_file():
        return _restored(training, path)
    together = _Together(work, training)
    if training.start is not None:
        together.load(trained(work, training.start))
    _train(together, path)
    model = together.model()
    _save(path, training, model)
    path.with_suffix(".part").unlink(missing_ok=True)
    return model


def _digest(work: LoadedWorkload, training: Training) -> str:
    """Hash of everything the weights come from; known before they are trained."""
    tasks = [work.tasks[name].digest for name in _names(work, training)]
    start = "" if training.start is None else _digest(work, training.start)
    rest = [training.layers, training.frozen, training.distil, training.passes, training.seed]
    return digest([JOINT_VERSION, work.base_digest, tasks, start, *rest, finetune.has_bf16(work.device)])


def _names(work: LoadedWorkload, training: Training) -> list[str]:
    names = list(work.tasks)
    return [names[index] for index in training.tasks]


@dataclass(frozen=True, slots=True)
class _Rows:
    """A task's training rows: tokens, targets (n,), and the outputs to follow (n, classes) if there are."""

    tokens: Encoded
    targets: Tensor
    followed: Tensor | None


class _Together:
    """The models of some tasks, which share embeddings and layers and differ in their heads."""

    def __init__(self, work: LoadedWorkload, training: Training) -> None:
        from torch import nn

        self.work, self.training = work, training
        self.tasks = [work.tasks[name] for name in _names(work, training)]
        self.models: list[Any] = [
            models.load_model(work.source, labels=task.labels, seed=task.spec.fine_tune.seed + training.seed)
            for task in self.tasks
        ]
        found = [Decomposed(model, trace=False) for model in self.models]
        self.heads = [sorted(one.head_names()) for one in found]
        self.embeddings = sorted(found[0].embedding_names())
        self.indices = training.layers or tuple(range(len(found[0].layers)))
        self.paths = found[0].paths
        self.layers = nn.ModuleList(found[0].layers[index] for index in self.indices)
        shared = dict(self.models[0].named_parameters())
        for model, one in zip(self.models, found, strict=True):
            parent, attribute = container(model, one.layers)
            setattr(parent, attribute, self.layers)
            for name in self.embeddings:
                model.get_parameter(name).data = shared[name].data

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """What is trained."""
        shared = [value for layer in list(self.layers)[self.training.frozen :] for value in layer.parameters()]
        own = [
            model.get_parameter(name) for model, names in zip(self.models, self.heads, strict=True) for name in names
        ]
        return [*shared, *own]

    def load(self, model: Model) -> None:
        """Begin from another training's layers and heads."""
        write_layers(dict(zip(self.indices, self.layers, strict=True)), self.paths, model)
        for task, own in zip(self.training.tasks, self.models, strict=True):
            write_head(own, model.heads.get(task, {}))

    def model(self) -> Model:
        """What was trained, and what ran beneath it unchanged."""
        matrices, vectors = {}, {}
        weights = {f"{path}.weight": matrix for matrix, path in enumerate(self.paths)}
        for place, index in enumerate(self.indices):
            state = {name: value.detach().cpu().clone() for name, value in self.layers[place].state_dict().items()}
            matrices.update({(index, matrix): state[name] for name, matrix in weights.items()})
            vectors[index] = {name: value for name, value in state.items() if name not in weights}
        heads = {
            task: {name: model.get_parameter(name).detach().cpu().clone() for name in names}
            for task, model, names in zip(self.training.tasks, self.models, self.heads, strict=True)
        }
        return Model(matrices, vectors, heads)

    def rows(self, at: int) -> _Rows:
        """Training rows of a task, the same that its own model was fine-tuned on."""
        task, settings = self.tasks[at], self.tasks[at].spec.fine_tune
        train = task.splits.train
        chosen = np.random.default_rng(settings.seed).permutation(len(train))[: settings.max_rows]
        frame = train.iloc[chosen].reset_index(drop=True)
        tokens = encoded(self.work.tokenizer, frame, task.spec.max_length)
        teacher, scaling = task.model()
        followed = _outputs(self.work, teacher, tokens) if self.training.distil else None
        return _Rows(tokens, finetune.targets(task.spec, frame, scaling), followed)


def _outputs(work: LoadedWorkload, model: Any, tokens: Encoded) -> Tensor:
    """Logits (n, classes) of a task's own model."""
    import torch

    model.to(work.device).eval()
    pad = padding(work.tokenizer)
    logits: list[tuple[NDArray[Any], Tensor]] = []
    with torch.inference_mode(), torch.autocast(work.device, torch.bfloat16, enabled=finetune.has_bf16(work.device)):
        for chosen in by_length(tokens):
            inputs = {name: value.to(work.device) for name, value in batch(tokens, chosen, pad).items()}
            logits.append((chosen, model(**inputs).logits.float().cpu()))
    found = torch.empty(len(tokens.lengths), logits[0][1].shape[1])
    for chosen, values in logits:
        found[chosen] = values
    return found


def _train(together: _Together, path: Path) -> None:
    """Train in place, a batch of one task at a time, each task as often as its rows and epochs say."""
    import torch

    work, training = together.work, together.training
    settings = [task.spec.fine_tune for task in together.tasks]
    rows = [together.rows(at) for at in range(len(together.tasks))]
    turns = _turns(together.tasks, rows, training)
    for model in together.models:
        model.to(work.device).train()
        for value in model.parameters():
            value.requires_grad_(False)  # torch takes it by place
    for value in together.parameters:
        value.requires_grad_(True)  # as above
    update = finetune.Updater(together.parameters, min(one.learning_rate for one in settings), len(turns))
    part = path.with_suffix(".part")
    update.resume(part)
    seeds = [one.seed + training.seed for one in settings]
    batches = [_own(seeds[at], rows[at], turns.count(at), one.batch) for at, one in enumerate(settings)]
    pad, told = padding(work.tokenizer), 0.0
    for step, at in enumerate(turns):
        chosen = next(batches[at])
        if step < update.step:
            continue  # done before training was stopped
        torch.manual_seed(
            step + len(turns) * training.seed
        )  # so that one that is continued drops what one that never stopped drops
        inputs = {name: value.to(work.device) for name, value in batch(rows[at].tokens, chosen, pad).items()}
        with torch.autocast(work.device, dtype=torch.bfloat16, enabled=finetune.has_bf16(work.device)):
            logits = together.models[at](**inputs).logits.float()
        loss = _loss(together.tasks[at], logits, rows[at], chosen, training.distil)
        finetune.refuse_divergence(together.tasks[at].spec, loss, f"step {step} of {len(turns)}")
        update(loss)
        if update.step % max(1, len(turns) // SAVES) == 0 and update.step < len(turns):
            update.save(part)
        if work.progress is not None and (time.monotonic() - told > finetune.TELL_S or step + 1 == len(turns)):
            told = time.monotonic()
            work.progress(_what(together), (step + 1) / len(turns))


def _what(together: _Together) -> str:
    names = [task.spec.name for task in together.tasks]
    who = names[0] if len(names) == 1 else f"{len(names)} tasks together"
    kept, frozen = len(together.layers), together.training.frozen
    return f"training {who}, {kept - frozen} of {kept} layers" if frozen else f"training {who}, {kept} layers"


def _turns(tasks: list[LoadedTask], rows: list[_Rows], training: Training) -> list[int]:
    """Whose batch each step takes, at random, each task as many as its epochs hold."""
    counts = [
        max(1, round(training.passes * task.spec.fine_tune.epochs * -(-len(one.targets) // task.spec.fine_tune.batch)))
        for task, one in zip(tasks, rows, strict=True)
    ]
    order = np.repeat(np.arange(len(tasks)), counts)
    return [int(at) for at in np.random.default_rng(training.seed).permutation(order)]


def _own(seed: int, rows: _Rows, count: int, size: int) -> Iterator[NDArray[Any]]:
    """Batches of one task, as many as are wanted."""
    epochs = -(-count * size // len(rows.targets)) + 1
    return finetune.batches(rows.tokens, size, epochs, np.random.default_rng(seed))


def _loss(task: LoadedTask, logits: Tensor, rows: _Rows, chosen: NDArray[Any], distil: float) -> Tensor:
    """Follow the labels, and to a share the outputs of the task's own model."""
    from torch.nn import functional

    hard = finetune.loss(task.spec, logits, rows.targets[chosen].to(logits.device))
    if rows.followed is None:
        return hard
    followed = rows.followed[chosen].to(logits.device)
    if task.spec.kind == "regression":
        soft = functional.mse_loss(logits, followed)
    else:
        target = (followed / TEMPERATURE).softmax(-1)
        soft = functional.kl_div((logits / TEMPERATURE).log_softmax(-1), target, reduction="batchmean") * TEMPERATURE**2
    return (1 - distil) * hard + distil * soft


def _save(path: Path, training: Training, model: Model) -> None:
    """Store a trained encoder and its heads as safetensors; tasks by their place, since names are no part of the key."""
    from safetensors.torch import save_file

    tensors = {f"matrix/{layer}/{index}": value for (layer, index), value in model.matrices.items()}
    for layer, vectors in model.vectors.items():
        tensors |= {f"vector/{layer}/{name}": value for name, value in vectors.items()}
    for task, head in model.heads.items():
        tensors |= {f"head/{training.tasks.index(task)}/{name}": value for name, value in head.items()}
    with whole_file(path) as temporary:
        save_file({name: value.contiguous() for name, value in tensors.items()}, temporary)


def _restored(training: Training, path: Path) -> Model:
    """Read what `_save` stored."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    matrices: dict[tuple[int, int], Tensor] = {}
    vectors: dict[int, dict[str, Tensor]] = {}
    heads: dict[int, dict[str, Tensor]] = {task: {} for task in training.tasks}
    try:
        for name, value in load_file(path).items():
            kind, owner, rest = name.split("/", 2)
            if kind == "matrix":
                matrices[int(owner), int(rest)] = value
            elif kind == "vector":
                vectors.setdefault(int(owner), {})[rest] = value
            else:
                heads[training.tasks[int(owner)]][rest] = value
    except (SafetensorError, OSError, ValueError, LookupError) as error:
        raise CheckpointError(
            "the stored trained encoder cannot be read",
            where=path,
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
            fix="delete the file",
        ) from error
    return Model(matrices, vectors, heads)
