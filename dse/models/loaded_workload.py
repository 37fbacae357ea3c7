"""A loaded workload: its shapes at once, its weights and evaluators on first use."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from dse.errors import CheckpointError
from dse.files import digest
from dse.models import checkpoints as models
from dse.models.base import LoadedBase, read_base
from dse.models.checks import name_refusals
from dse.models.contents import Digests, tokenizer_digest
from dse.models.data.text import token_moments
from dse.models.hub import commit_of
from dse.models.inference.crossbar import Pool, make_pool
from dse.models.inference.evaluate import Evaluator
from dse.models.loaded_task import LoadedTask
from dse.models.tokenizers import give_equal_tokens, load_base_tokenizer
from dse.models.training import finetune, joint
from dse.models.weight_cache import WeightCache
from dse.records.callbacks import ProgressCallback
from dse.records.model import Model
from dse.records.training import Training
from dse.records.workload import Encoder, Traffic, Workload
from dse.space.workload import WorkloadSpec


@dataclass(eq=False)
class LoadedWorkload:
    """Base, tasks and traffic of a space file.

    Args:
        spec: the validated table.
        cache: folder for downloads, fine-tuned tasks and scores.
        device: ``auto``, ``cpu`` or ``cuda``.
        progress: callback for what is being done.
        memory_gb: size of the tasks' weights that stay in memory, GB; see `WeightCache`.
    """

    spec: WorkloadSpec
    _: KW_ONLY
    cache: Path
    device: str = "auto"
    progress: ProgressCallback | None = None
    memory_gb: InitVar[float | None] = None

    def __post_init__(self, memory_gb: float | None) -> None:
        self.device = finetune.pick_device(self.device)
        self.weights = WeightCache(memory_gb)
        self.tasks = {task.name: LoadedTask(task, self) for task in self.spec.tasks}

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
    def pool(self) -> Pool:
        """Parameters that the tasks' models share while they are scored."""
        return make_pool()

    @cached_property
    def tokenizer(self) -> Any:
        """Tokenizer of the base."""
        return load_base_tokenizer(self.source, self.config)

    @cached_property
    def base(self) -> LoadedBase:
        """Everything that is read from the base."""
        with name_refusals(f"base {self.spec.base.name!r}", self.source):
            return read_base(self.source)

    @property
    def encoder(self) -> Encoder:
        """Shape of the base."""
        return self.base.encoder

    @property
    def weights_digest(self) -> str:
        """Content hash of the base's weights alone."""
        return self.base.digest

    @cached_property
    def tokenizer_digest(self) -> str:
        """Content hash of the tokenizer."""
        return tokenizer_digest(self.tokenizer)

    def require_one_tokenizer(self, reason: str) -> None:
        """Refuse tasks whose tokenizer gives the rows of the tasks tokens that differ from the base's.

        Args:
            reason: why all tasks must read the same tokens.

        Raises:
            CheckpointError: the checkpoint of a task has a different tokenizer from the base.
        """
        expected = f"the words and rules of the tokenizer in {self.source}, since {reason}"
        for name, task in self.tasks.items():
            if task.own_tokenizer and not give_equal_tokens(task.tokenizer, self.tokenizer, self.tasks.values()):
                fault = f"the checkpoint of task {name!r} has a different tokenizer from the base"
                fix = "use a checkpoint with the base's tokenizer, or leave the task out"
                raise CheckpointError(fault, where=task.checkpoint, expected=expected, fix=fix)

    @property
    def base_digest(self) -> str:
        """Content hash of the base: its weights, its configuration and its tokenizer."""
        return digest([self.base.digest, self.base.config_digest, self.tokenizer_digest])

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
            "config.base": self.base.config_digest,
            "tokenizer": self.tokenizer_digest,
            **{f"tokenizer.{name}": own for name, task in self.tasks.items() if (own := task.own_tokenizer)},
            **ready,
            **commits,
        }

    def base_weights(self) -> dict[tuple[int, int], Tensor]:
        """Return the base's matrices (outputs, inputs) by (layer, matrix)."""
        return self.base.weights

    def base_vectors(self) -> list[dict[str, Tensor]]:
        """Return the biases and norms of the base's layers."""
        return self.base.vectors

    def task_weights(self, name: str) -> dict[tuple[int, int], Tensor]:
        """Return a task's fine-tuned matrices (outputs, inputs) by (layer, matrix); fine-tune the task if necessary."""
        return self.tasks[name].weights

    def forget_weights(self) -> None:
        """Drop the matrices of base and tasks, which are read again when they are next asked for."""
        self.__dict__.pop("base", None)
        self.weights.clear()

    def trained(self, training: Training) -> Model:
        """Return weights, biases, norms and heads of an encoder trained for several tasks."""
        return joint.train_jointly(self, training)

    def evaluator(self, name: str) -> Evaluator:
        """Return the evaluator that scores a task."""
        return self.tasks[name].evaluator

    @cached_property
    def shape(self) -> Workload:
        """Everything that cost depends on."""
        return self.shape_of(tuple(self.tasks))

    def shape_of(self, names: Sequence[str]) -> Workload:
        """Return everything that cost depends on if there were some of the tasks alone; their rates still sum to 1."""
        tasks = {name: task for name, task in self.tasks.items() if name in names}
        traffic = Traffic(**self.spec.traffic.model_dump())
        pooled = None
        if traffic.mode == "shared":
            self.require_one_tokenizer("shared traffic runs the same tokens through all tasks (traffic.mode)")
            pooled = token_moments(np.concatenate([task.train_lengths for task in tasks.values()]))
        total = sum(task.rate for task in self.spec.tasks if task.name in tasks)
        different = list(dict.fromkeys(task.embeddings for task in tasks.values()))
        shapes = tuple(
            replace(task.shape(pooled, task.spec.rate / total), embeddings=different.index(task.embeddings))
            for task in tasks.values()
        )
        encoder = replace(self.encoder, embedding_parameters=sum(count for _, count in different))
        seeds = {"base": self.weights_digest}
        contents = {"base": lambda: self.base_digest}
        for name, task in tasks.items():
            seeds |= {f"task.{name}": task.digest, f"data.{name}": task.data_digest}
            contents |= {
                f"task.{name}": partial(getattr, task, "content"),
                f"data.{name}": partial(str, task.data_digest),
            }
        return Workload(self.spec.base.name, encoder, shapes, traffic, Digests(contents), seeds)
