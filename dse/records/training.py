"""What a plugin asks to have trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dse.records.model import Model
    from dse.records.stored import Key


@dataclass(frozen=True, slots=True)
class Training:
    """One encoder for several tasks, a head each, trained on all their rows.

    Attributes:
        tasks: indices, ascending.
        layers: encoder layers that run, ascending; the others are skipped. Empty: all.
        frozen: how many of these, from the input on, stay as they are.
        start: what to begin from; None: the base, with new heads, unless ``merged``.
        merged: begin from the mean of the tasks' own encoders, with their heads, if ``start`` says nothing else.
        distil: share of the loss that follows the outputs of the tasks' own fine-tuned models.
        across: share of the loss that follows what the own models of all other tasks answer to a task's rows.
        passes: times each task's own epochs; 0: nothing is trained.
        seed: of the order of rows and of new heads, added to each task's own.
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
    """One task learnt from the base, whose matrices an adapter changes instead of being trained themselves.

    The adapter is a torch module. Its ``forward(key, weight)`` gives the matrix (outputs, inputs) to use in place of the base's
    ``weight`` at ``(layer, matrix)``; its parameters are trained together with the task's biases, norms and head. It may
    be an `AdapterWithRates` and an `AdapterWithBegin`.

    Attributes:
        task: index.
        key: everything the adapter's behaviour depends on, a version of its code included: what was learnt once under a key
            is found again.
        build: makes the adapter, given the base's matrices.
        passes: times the task's own epochs.
        distil: share of the loss that follows the outputs of the task's own fine-tuned model.
        seed: of the order of rows and of the new head, added to the task's own.
    """

    task: int
    key: Mapping[str, Any]
    build: Callable[[Mapping[Key, Tensor]], nn.Module]
    passes: float = 1.0
    distil: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Adapted:
    """What was learnt.

    Attributes:
        state: of the adapter, by name.
        model: the task's biases, norms and head; no matrices.
    """

    state: Mapping[str, Tensor]
    model: Model
