"""The workload: the encoder's shape, the tasks and the traffic. It holds no weights and needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["query", "key", "value", "query_key_value", "attention_output", "ffn_in", "ffn_out", "other"]
PROJECTIONS: tuple[Role, ...] = ("query", "key", "value", "query_key_value")
"""Roles of matrices whose outputs belong to attention heads."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One linear matrix of an encoder layer.

    Attributes:
        name: module path inside its layer, e.g. ``attention.self.query``.
        rows: number of inputs, one wordline each.
        columns: number of outputs, one bitline each (times bit slices).
        input: name of the input vector; matrices with the same name are driven by the same vector.
        role: its part in the layer; heads and FFN columns can be removed only where it is not ``other``. A fused matrix
            holds its parts one after another: query, key and value, or both inputs of a gated feed-forward layer.
        bias: whether it has a bias, which a compressor or generator may change.
    """

    name: str
    rows: int
    columns: int
    input: str
    role: Role = "other"
    bias: bool = True


@dataclass(frozen=True, slots=True)
class Encoder:
    """Shape of the base encoder: L identical layers of M matrices.

    Attributes:
        layers: number of layers, L.
        matrices: the M matrices of one layer, in the order in which inputs flow.
        heads: number of attention heads of a layer.
        hidden: width of the residual stream.
        ffn: width of the feed-forward layer.
        vector_parameters: mean number of biases and norms per layer, rounded up, held in on-chip SRAM for each owner.
        embedding_parameters: number of parameters of all different embeddings that the tasks read, held off-chip: the
            base's, which tasks share, and those of each task that has its own.
    """

    layers: int
    matrices: tuple[Matrix, ...]
    heads: int
    hidden: int
    ffn: int
    vector_parameters: int
    embedding_parameters: int

    @property
    def head_size(self) -> int:
        """Columns of query, key and value that belong to one head."""
        width = next((matrix.rows for matrix in self.matrices if matrix.role == "attention_output"), self.hidden)
        return width // self.heads


@dataclass(frozen=True, slots=True)
class Task:
    """One task as the hardware sees it.

    Attributes:
        name: name of the task in the space file.
        tokens: mean number of tokens of an input.
        tokens_squared: mean of the squared number of tokens, which attention products follow.
        head_parameters: number of parameters of pooler and classifier, held in on-chip SRAM.
        rate: share of requests that are for this task; rates sum to 1.
        embeddings: number that tasks with the same embeddings share. Tasks with different embeddings compute no layer in
            common, not even on a shared input.
    """

    name: str
    tokens: float
    tokens_squared: float
    head_parameters: int
    rate: float
    embeddings: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traffic: the way in which requests arrive.

    Attributes:
        mode: ``independent``: a request is one input through one task drawn from the rates.
            ``shared``: a request is one input and the answers of all tasks (synthetic over tasks that share no real inputs).
        batch: requests served at each visit of a task, on average over tasks; it amortises reprogramming.
        requests_per_s: arrival rate, which turns writes into a lifetime.
    """

    mode: Literal["independent", "shared"] = "independent"
    batch: float = 32.0
    requests_per_s: float = 100.0


@dataclass(frozen=True, slots=True)
class Workload:
    """A base encoder, T tasks and the traffic: everything cost depends on.

    Attributes:
        base: name of the base model.
        encoder: shape of the base model's encoder.
        tasks: the T tasks, in the order of the space file.
        traffic: how requests arrive.
        digests: content hashes by name (``base``, ``task.<name>``, ``data.<name>``), part of every score's cache key. That of a
            task is the hash of its weights, so to ask for it fine-tunes the task if necessary.
        seeds: hashes by the same names of what the content is made from: random draws follow them, and not the last digit of
            a weight. Empty: draws follow ``digests``.
    """

    base: str
    encoder: Encoder
    tasks: tuple[Task, ...]
    traffic: Traffic = Traffic()
    digests: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)
    seeds: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks, in order."""
        return tuple(task.name for task in self.tasks)
