"""A workload of shapes: an encoder and tasks without weights or text, for studies on costs alone."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import torch
from transformers.initialization import no_init_weights

from dse.errors import CheckpointError, SpaceError
from dse.files import digest
from dse.models import checkpoints as models
from dse.models.checks import longest_input
from dse.models.data.text import token_moments
from dse.models.encoder import Decomposed
from dse.models.loaded_workload import LoadedWorkload
from dse.records.workload import Encoder, Task, Traffic, Workload
from dse.space.shapes import EncoderSpec
from dse.space.workload import WorkloadSpec


class _NoTasks(dict[str, Any]):
    """Tasks of a workload without text."""

    def __missing__(self, name: str) -> NoReturn:
        raise _refusal(f"rows of task {name!r}")


class ShapedWorkload(LoadedWorkload):
    """Encoder, tasks and traffic of a space file whose tasks have numbers of tokens in place of text.

    Heads have two outputs, and all tasks read the same embeddings.
    """

    def __post_init__(self, memory_gb: float | None) -> None:
        super().__post_init__(memory_gb)
        self.tasks = _NoTasks()

    @cached_property
    def source(self) -> str:
        """Folder of the base that gives the shape; an encoder that is given by its sizes has none."""
        if self.spec.encoder is not None:
            raise _refusal("a model's files")
        return super().source

    @cached_property
    def config(self) -> Any:
        """Configuration of the encoder, as a table."""
        shape = self.spec.encoder
        if isinstance(shape, EncoderSpec):
            return {
                "model_type": "bert", "num_hidden_layers": shape.layers, "hidden_size": shape.hidden,
                "num_attention_heads": shape.heads, "intermediate_size": shape.ffn, "vocab_size": shape.words,
                "max_position_embeddings": shape.positions,
            }  # fmt: skip
        return models.load_config(self.source, weights=False).to_dict() if shape is None else shape

    @property
    def base(self) -> NoReturn:
        """Refuse whoever asks for weights."""
        raise _refusal("weights of the base")

    def require_one_tokenizer(self, reason: str) -> NoReturn:
        """Refuse whoever asks for text of all tasks."""
        del reason
        raise _refusal("text")

    @property
    def encoder(self) -> Encoder:
        """Shape of the encoder."""
        return self._measured[0]

    @property
    def recorded(self) -> dict[str, str]:
        """Content hashes that a study records: of the encoder's shape, and of each task's numbers of tokens."""
        return dict(self.shape.seeds)

    def shape_of(self, names: Sequence[str]) -> Workload:
        """Return everything that cost depends on if there were some of the tasks alone; their rates still sum to 1."""
        specs = [task for task in self.spec.tasks if task.name in names]
        lengths = [np.atleast_1d(np.array(task.tokens, dtype=float)) for task in specs]
        traffic = Traffic(**self.spec.traffic.model_dump())
        if traffic.mode == "shared":
            lengths = [np.concatenate(lengths)] * len(specs)
        total, head = sum(task.rate for task in specs), self._measured[1]
        tasks = tuple(
            Task(task.name, *token_moments(tokens), head, task.rate / total)
            for task, tokens in zip(specs, lengths, strict=True)
        )
        seeds = {"base": digest(self.config)} | {
            f"{part}.{task.name}": digest(tokens.tolist())
            for task, tokens in zip(specs, lengths, strict=True)
            for part in ("task", "data")
        }
        return Workload(self.spec.base.name, self.encoder, tasks, traffic, seeds, seeds)

    @cached_property
    def shape(self) -> Workload:
        """Everything that cost depends on."""
        return self.shape_of([task.name for task in self.spec.tasks])

    @cached_property
    def _measured(self) -> tuple[Encoder, int]:
        """Shape of the encoder, and the number of parameters of a head."""
        with no_init_weights():  # its normal numbers take most of the time
            model = models.model_from(self.config)
        draw = torch.Generator().manual_seed(0)
        with torch.no_grad():  # the trace tells inputs apart by their values
            for value in model.parameters():
                value.uniform_(-0.1, 0.1, generator=draw)
        longest = longest_input(model)
        for task in self.spec.tasks:
            most = np.max(np.array(task.tokens, dtype=float))
            if longest is not None and most > longest:
                fault = f"task {task.name!r} has more tokens than the encoder has positions for"
                raise SpaceError(
                    fault, where=f"tokens of task {task.name!r}", expected=f"at most {longest}", found=most
                )
        decomposed, parameters = Decomposed(model), dict(model.named_parameters())
        return decomposed.shape(), sum(parameters[name].numel() for name in decomposed.head_names())


def load(spec: WorkloadSpec, **options: Any) -> LoadedWorkload:
    """Load a workload: with its weights and text, or as shapes alone where its tasks have numbers of tokens."""
    return (ShapedWorkload if spec.shapes_alone else LoadedWorkload)(spec, **options)


def _refusal(asked: str) -> CheckpointError:
    return CheckpointError(
        f"the workload has shapes alone, without {asked}: it has costs, and no scores",
        expected="a command, plugins and objectives that need shapes alone",
        fix="give a base with weights, and tasks with data instead of tokens",
    )
