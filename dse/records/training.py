"""What a generator asks to have trained."""

from __future__ import annotations

from dataclasses import dataclass


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
