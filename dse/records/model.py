"""A model: the weights of one owner, from a generator."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dse.records.arrays import Tensor
from dse.records.exits import ExitHead
from dse.records.stored import Key


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of one owner. Biases, norms and heads that are left out stay as they are without the generator.

    Attributes:
        matrices: float32 (outputs, inputs) by (layer, matrix), whole: the core cuts them.
        vectors: biases and norms by layer, by name in the layer. Left out: the base's for the base, else the task's own.
        heads: pooler and classifier by task, by name in the model; a task takes those of the owner of its last layer.
            Left out: the task's own.
        shifts: float32 (outputs,) vectors by (layer, matrix), added to the bias that the owner's user already has.
        exits: heads of early exits by task, by the layer after which they are asked; a task takes those of the owner of its
            last layer.
    """

    matrices: Mapping[Key, Tensor]
    vectors: Mapping[int, Mapping[str, Tensor]] = field(default_factory=dict)
    heads: Mapping[int, Mapping[str, Tensor]] = field(default_factory=dict)
    shifts: Mapping[Key, Tensor] = field(default_factory=dict)
    exits: Mapping[int, Mapping[int, ExitHead]] = field(default_factory=dict)
