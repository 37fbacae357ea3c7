"""Trainings that a plugin asks for, and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dse.records.model import Model
from dse.records.stored import Key

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Training:
    """Training of one encoder for several tasks, with one head per task, on all their rows.

    Attributes:
        tasks: indices of the tasks, ascending.
        layers: encoder layers that run, ascending; the others are skipped. Empty: all layers.
        frozen: number of these layers, from the input on, that stay as they are.
        start: training to begin from; None: the base, with new heads, unless ``merged``.
        merged: whether to begin from the mean of the tasks' own encoders, with their heads, if there is no ``start``.
        distil: share of the loss that follows the outputs of the tasks' own fine-tuned models.
        across: share of the loss that follows the answers of all other tasks' own models to a task's rows.
        passes: number of epochs, as a multiple of each task's own; 0: nothing is trained.
        seed: seed of the order of rows and of new heads, added to each task's own seed.
    """

    tasks: tuple[int, ...]
    layers: tuple[int, ...] = ()
    frozen: int = 0
    start: Training | None = None
    merged: bool = False
    distil: float = 0.0
    across: float = 0.0
    passes: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Adaption:
    """Training of one task from the base with an adapter, which changes the base's matrices; these are not trained.

    The adapter is a torch module. Its ``forward(key, weight)`` gives the matrix (outputs, inputs) to use in place of the base's
    ``weight`` at ``(layer, matrix)``; its parameters are trained together with the task's biases, norms and head. It may
    be an `AdapterWithRates` and an `AdapterWithBegin`.

    Attributes:
        task: index of the task.
        key: everything the adapter's behaviour depends on, a version of its code included: a result is stored under its key
            and used again.
        build: callable that makes the adapter from the base's matrices.
        passes: number of epochs, as a multiple of the task's own.
        distil: share of the loss that follows the outputs of the task's own fine-tuned model.
        seed: seed of the order of rows and of the new head, added to the task's own seed.
    """

    task: int
    key: Mapping[str, Any]
    build: Callable[[Mapping[Key, Tensor]], nn.Module]
    passes: float = 1.0
    distil: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Adapted:
    """Result of the training of an adapter.

    Attributes:
        state: tensors of the adapter, by name.
        model: biases, norms and head of the task; no matrices.
    """

    state: Mapping[str, Tensor]
    model: Model
