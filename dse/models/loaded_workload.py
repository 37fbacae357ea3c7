"""A loaded workload: its shapes at once, its weights and evaluators on first use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.files import digest, file_hash
from dse.models import checkpoints as models
from dse.models.adapters import compare_bases, load_checkpoint
from dse.models.checks import check_checkpoint, check_length
from dse.models.contents import Digests, config_digest, tokenizer_digest
from dse.models.data import splits
from dse.models.data.text import encode, encode_sample, padding
from dse.models.encoder import Decomposed
from dse.models.hub import commit_of, find_folder
from dse.models.inference.evaluate import Evaluator
from dse.models.inference.observe import observe
from dse.models.outputs import read_outputs
from dse.models.task_rows import TaskRows
from dse.models.tokenizers import check_embeddings, check_same_tokens, check_words, load_base_tokenizer
from dse.models.training import finetune, joint
from dse.models.write import only_given
from dse.records.callbacks import ProgressCallback
from dse.records.data_facts import DataFacts
from dse.records.model import Model
from dse.records.observation import Observation
from dse.records.training import Training
from dse.records.workload import Encoder, Task, Traffic, Workload
from dse.space.workload import TaskSpec, WorkloadSpec

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

DATA_VERSION = 2


class LoadedTask:
    """One task's data, model and evaluator, each made on first use."""

    def __init__(self, spec: TaskSpec, workload: LoadedWorkload) -> None:
        self.spec = spec
        self._workload = workload

    @cached_property
    def checkpoint(self) -> str:
        """Folder of the task's checkpoint; empty if dse fine-tunes the task."""
        return find_folder(self.spec.checkpoint, self.spec.revision) if self.spec.checkpoint else ""

    @cached_property
    def rows(self) -> TaskRows:
        """Rows of the task's files, and what their labels mean."""
        work, ready = self._workload, self.checkpoint
        return TaskRows(self.spec, work.cache, work.progress, read_outputs(ready, work.source) if ready else None)

    @cached_property
    def splits(self) -> splits.Splits:
        """Train, search and report rows."""
        return self.rows.split()

    @cached_property
    def facts(self) -> DataFacts:
        """Facts about the rows: how many were read, dropped, kept and cut."""
        facts = self.rows.describe(self.splits, self._workload.tokenizer)
        return replace(facts, notes=(*facts.notes, *compare_bases(self.checkpoint, self._workload.spec.base)))

    @cached_property
    def labels(self) -> int:
        """Number of the head's outputs."""
        if self.rows.outputs is not None:
            return self.rows.outputs.count
        return 1 if self.spec.kind == "regression" else int(self.splits.train["label"].max()) + 1

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each output by its number; empty for a regression."""
        return self.rows.classes

    @cached_property
    def data_digest(self) -> str:
        """Content hash of the splits and of the way they are read."""
        frames = [getattr(self.splits, name) for name in splits.SPLITS]
        content = [frame[["text", "text_b", "label"]].to_numpy().tolist() for frame in frames]
        return digest([DATA_VERSION, self.spec.metric, self.spec.max_length, content])

    @cached_property
    def ready(self) -> tuple[str, str]:
        """Content hashes of the weights and of the configuration of a ready checkpoint."""
        model = self.model()[0]
        return models.model_digest(model), config_digest(model.config)

    @cached_property
    def digest(self) -> str:
        """Hash of the data and settings that determine the task's weights; available before training."""
        if self.spec.checkpoint:
            return self.ready[0]
        spec, work = self.spec, self._workload
        made_from = [work.weights_digest, self.data_digest, spec.kind, spec.max_length, spec.fine_tune.model_dump()]
        return digest([finetune.FINE_TUNE_VERSION, *made_from, finetune.has_bf16(work.device)])

    @property
    def path(self) -> Path:
        """Path of the stored fine-tuned task."""
        return self._workload.cache / "tasks" / f"{digest([self.digest, self._workload.base_digest])}.safetensors"

    @property
    def content(self) -> str:
        """Content hash of the task's weights and of their configuration; the task is fine-tuned if necessary."""
        if self.spec.checkpoint:
            return digest(self.ready)
        if not self.path.is_file():
            self.model()
        return file_hash(self.path)

    def model(self) -> tuple[PreTrainedModel, dict[str, float]]:
        """Return a fresh float32 copy of the task's model and the scaling of its labels; fine-tune it if necessary."""
        work = self._workload
        check_length(self.spec, self._workload.config)
        if self.spec.checkpoint:
            _ = self.classes  # refuses labels that the checkpoint has no output for, before its weights are read
            model = load_checkpoint(self.checkpoint, work.source)
            check_embeddings(work.tokenizer, model.config, self.checkpoint)
            check_checkpoint(self.spec, model, work.encoder)
            return model, {"mean": 0.0, "spread": 1.0}
        model = models.load_model(work.source, labels=self.labels, seed=self.spec.fine_tune.seed)
        if self.path.is_file():
            return model, finetune.restore(self.path, model)
        scaling = finetune.fine_tune(
            model, work.tokenizer, self.spec, self.splits.train, device=work.device, progress=work.progress
        )
        finetune.save(self.path, model, scaling)
        return model, scaling

    @cached_property
    def weights(self) -> dict[tuple[int, int], Tensor]:
        """Fine-tuned matrices (outputs, inputs) by (layer, matrix)."""
        return Decomposed(self.model()[0]).weights()

    def observe(self, rows: int, given: Model | None = None) -> Iterator[Observation]:
        """Run a fixed random sample of rows through the task's own model, or a given one.

        The rows are training rows, or search rows where none is for training. Their labels are not used.
        """
        work = self._workload
        tokens = encode_sample(work.tokenizer, self.splits.sample, self.spec.max_length, rows)
        model = self.model()[0]
        layers = None if given is None else only_given(model, given, list(work.tasks).index(self.spec.name))
        return observe(model, tokens, padding(work.tokenizer), device=work.device, layers=layers)

    @cached_property
    def evaluator(self) -> Evaluator:
        """Evaluator that scores the task."""
        work = self._workload
        return Evaluator(self.spec, self.model, work.base_vectors, work.tokenizer, self.splits, work.device)

    def shape(self, pooled: tuple[float, float] | None, rate: float) -> Task:
        """Describe the task for the hardware, with the token statistics of training rows."""
        tokens, squared = pooled or token_moments(self.train_lengths)
        return Task(self.spec.name, tokens, squared, self.head_parameters, rate)

    @cached_property
    def head_parameters(self) -> int:
        """Number of parameters of pooler and classifier."""
        ready = self.spec.checkpoint
        model = self.model()[0] if ready else models.empty_model(self._workload.source, self.labels)
        names = Decomposed(model, trace=False).head_names()
        return sum(value.numel() for name, value in model.named_parameters() if name in names)

    @cached_property
    def train_lengths(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of tokens of each training row, or search row where none is for training, cut to length, shape (n,)."""
        tokenizer = self._workload.tokenizer
        check_length(self.spec, self._workload.config)
        tokens = encode(tokenizer, self.splits.sample, self.spec.max_length)
        check_words(self.spec, tokenizer, tokens)
        if self.spec.checkpoint:
            frames = [getattr(self.splits, name) for name in splits.SPLITS]
            check_same_tokens(self.spec, self.checkpoint, tokenizer, frames)
        return tokens.lengths


class LoadedWorkload:
    """Base, tasks and traffic of a space file.

    Args:
        spec: the validated table.
        cache: folder for downloads, fine-tuned tasks and scores.
        device: ``auto``, ``cpu`` or ``cuda``.
        progress: callback for what is being done.
    """

    def __init__(
        self, spec: WorkloadSpec, *, cache: Path, device: str = "auto", progress: ProgressCallback | None = None
    ) -> None:
        self.spec = spec
        self.cache = cache
        self.progress = progress
        self.device = finetune.pick_device(device)
        self.tasks = {task.name: LoadedTask(task, self) for task in spec.tasks}

    @cached_property
    def source(self) -> str:
        """Folder of the base."""
        return models.locate(self.spec.base, self.cache, self.progress)

    @cached_property
    def config(self) -> Any:
        """Configuration of the base."""
        config = models.load_config(self.source)
        heads = [name for name in config.architectures or () if name.endswith("ForSequenceClassification")]
        if heads and self.progress is not None:
            self.progress(
                f"the base was saved as {heads[0]}; tasks with another number of outputs ignore its head", 1.0
            )
        return config

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of the base."""
        return load_base_tokenizer(self.source, self.config)

    @cached_property
    def _base(self) -> tuple[dict[tuple[int, int], Tensor], list[dict[str, Tensor]], Encoder, str, str]:
        """Matrices, vectors, shape and content hashes of the base; the model itself is discarded."""
        model = models.load_model(self.source, labels=1)
        decomposed = Decomposed(model)
        hashes = models.model_digest(model), config_digest(model.config)
        return decomposed.weights(), decomposed.vectors(), decomposed.shape(), *hashes

    @property
    def encoder(self) -> Encoder:
        """Shape of the base."""
        return self._base[2]

    @property
    def weights_digest(self) -> str:
        """Content hash of the base's weights alone."""
        return self._base[3]

    @cached_property
    def tokenizer_digest(self) -> str:
        """Content hash of the tokenizer."""
        return tokenizer_digest(self.tokenizer)

    @property
    def base_digest(self) -> str:
        """Content hash of the base: its weights, its configuration and its tokenizer."""
        return digest([*self._base[3:], self.tokenizer_digest])

    @property
    def recorded(self) -> dict[str, str]:
        """Content hashes that a study records, each of one thing, so that a message can name what has changed.

        A name that begins with ``revision.`` has the commit of a model or data set of the hub.
        """
        places = {"base": self.source}
        for name, task in self.tasks.items():
            places |= {f"task.{name}": task.checkpoint, f"data.{name}": str(task.rows.folder)}
        commits = {f"revision.{name}": commit for name, place in places.items() if (commit := commit_of(place))}
        ready = {f"config.{name}": task.ready[1] for name, task in self.tasks.items() if task.spec.checkpoint}
        return {
            **self.shape.seeds,
            "config.base": self._base[4],
            "tokenizer": self.tokenizer_digest,
            **ready,
            **commits,
        }

    def base_weights(self) -> dict[tuple[int, int], Tensor]:
        """Return the base's matrices (outputs, inputs) by (layer, matrix)."""
        return self._base[0]

    def base_vectors(self) -> list[dict[str, Tensor]]:
        """Return the biases and norms of the base's layers."""
        return self._base[1]

    def task_weights(self, name: str) -> dict[tuple[int, int], Tensor]:
        """Return a task's fine-tuned matrices (outputs, inputs) by (layer, matrix); fine-tune the task if necessary."""
        return self.tasks[name].weights

    def forget_weights(self) -> None:
        """Drop the matrices of base and tasks, which are read again when they are next asked for."""
        self.__dict__.pop("_base", None)
        for task in self.tasks.values():
            task.__dict__.pop("weights", None)

    def trained(self, training: Training) -> Model:
        """Return weights, biases, norms and heads of an encoder trained for several tasks."""
        return joint.train_jointly(self, training)

    def evaluator(self, name: str) -> Evaluator:
        """Return the evaluator that scores a task."""
        return self.tasks[name].evaluator

    @cached_property
    def shape(self) -> Workload:
        """Everything that cost depends on."""
        traffic = Traffic(**self.spec.traffic.model_dump())
        pooled = None
        if traffic.mode == "shared":
            pooled = token_moments(np.concatenate([task.train_lengths for task in self.tasks.values()]))
        total = sum(task.rate for task in self.spec.tasks)
        shapes = tuple(task.shape(pooled, task.spec.rate / total) for task in self.tasks.values())
        seeds = {"base": self.weights_digest}
        contents = {"base": lambda: self.base_digest}
        for name, task in self.tasks.items():
            seeds |= {f"task.{name}": task.digest, f"data.{name}": task.data_digest}
            contents |= {
                f"task.{name}": partial(getattr, task, "content"),
                f"data.{name}": partial(str, task.data_digest),
            }
        return Workload(self.spec.base.name, self.encoder, shapes, traffic, Digests(contents), seeds)


def token_moments(lengths: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[float, float]:
    """Return the mean and the mean square of token counts."""
    return float(lengths.mean()), float((lengths.astype(float) ** 2).mean())


def load(
    spec: WorkloadSpec, *, cache: Path, device: str = "auto", progress: ProgressCallback | None = None
) -> LoadedWorkload:
    """Load a workload; see `LoadedWorkload`."""
    return LoadedWorkload(spec, cache=cache, device=device, progress=progress)
