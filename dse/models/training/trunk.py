"""Models of several tasks that share one encoder and differ in their heads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dse.errors import CheckpointError
from dse.models import checkpoints as models
from dse.models.encoder import Decomposed
from dse.models.slots import Repeat, Skip
from dse.models.write import write_head, write_layers
from dse.records.model import Model
from dse.records.training import Training

if TYPE_CHECKING:
    from dse.models.loaded_task import LoadedTask
    from dse.models.loaded_workload import LoadedWorkload


def copy_tensors(named: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Return copies of tensors on the CPU, by name."""
    return {name: value.detach().cpu().clone() for name, value in named}


class Together:
    """The models of a training's tasks, with the base's weights and new heads until others are loaded.

    Args:
        work: base and tasks.
        training: tasks and layers of the training, and which layers are frozen.

    Attributes:
        tasks: tasks that are trained together, with their rows.
        models: one model per task; all share the same layers, and the base's embeddings unless a task has its own.
        layers: layers that run.
        indices: indices of these layers in the base.
        paths: module path of each matrix in its layer.

    Raises:
        CheckpointError: a task's own embeddings have another row for padding, from which some families count positions.
    """

    def __init__(self, work: LoadedWorkload, training: Training) -> None:
        self.work, self.training = work, training
        names = list(work.tasks)
        self.tasks: list[LoadedTask] = [work.tasks[names[index]] for index in training.tasks]
        self.models: list[Any] = [
            models.load_model(work.source, labels=task.labels, seed=task.spec.fine_tune.seed + training.seed)
            for task in self.tasks
        ]
        decomposed = [Decomposed(model) for model in self.models]
        self._heads = [sorted(one.head_names()) for one in decomposed]
        self.indices = training.layers or tuple(range(len(decomposed[0].layers)))
        self.paths = decomposed[0].paths
        self.layers = nn.ModuleList(decomposed[0].layers[index] for index in self.indices)
        self._trunk = {index: Repeat(layer) for index, layer in zip(self.indices, self.layers, strict=True)}
        base = {name: self.models[0].get_parameter(name).data for name in decomposed[0].embedding_names()}
        for task, model in zip(self.tasks, self.models, strict=True):
            own = task.model()[0] if task.embeddings != work.base.embeddings else None
            if own is not None and (pad := own.config.pad_token_id) != model.config.pad_token_id:
                reason = f"joint training needs the base's number for padding, and task {task.spec.name!r} has another"
                expected = f"pad_token_id {model.config.pad_token_id}"
                raise CheckpointError(reason, where=task.checkpoint, expected=expected, found=pad)
            for name, values in base.items():
                model.get_parameter(name).data = values if own is None else own.get_parameter(name).data
        for one in decomposed:
            one.put(
                {index: self._trunk.get(index) or Skip(layer, one.returns) for index, layer in enumerate(one.layers)}
            )

    def logits(self, at: int, inputs: dict[str, Tensor]) -> Tensor:
        """Run a batch; return a task's logits (rows, classes)."""
        for layer in self._trunk.values():
            layer.outputs = None
        return self.also(at, inputs)

    def also(self, at: int, inputs: dict[str, Tensor]) -> Tensor:
        """Return another task's logits for the batch that `logits` has just run, from the layers' last outputs."""
        logits: Tensor = self.models[at](**inputs).logits
        return logits.float()

    @cached_property
    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters that are trained, with their multiple of the learning rate."""
        shared = [value for layer in list(self.layers)[self.training.frozen :] for value in layer.parameters()]
        return [([*shared, *self.head_parameters], 1.0)]

    @property
    def head_parameters(self) -> list[nn.Parameter]:
        """Parameters of all heads."""
        return [
            model.get_parameter(name) for model, names in zip(self.models, self._heads, strict=True) for name in names
        ]

    @property
    def description(self) -> str:
        """Description of the training, for a progress message."""
        names = [task.spec.name for task in self.tasks]
        who = names[0] if len(names) == 1 else f"{len(names)} tasks together"
        count, frozen = len(self.layers), self.training.frozen
        return f"training {who}, {count - frozen} of {count} layers" if frozen else f"training {who}, {count} layers"

    def begin(self, share: float) -> None:
        """Receive the share of steps that are done, before each step."""

    def load(self, model: Model) -> None:
        """Load given layers and heads to begin from."""
        write_layers(dict(zip(self.indices, self.layers, strict=True)), self.paths, model)
        for task, own in zip(self.training.tasks, self.models, strict=True):
            write_head(own, model.heads.get(task, {}))

    def merge(self) -> Model:
        """Return the mean of the tasks' own encoders, with the tasks' heads."""
        own = [(task.model()[0], names) for task, names in zip(self.tasks, self._heads, strict=True)]
        parts = [Decomposed(model) for model, _ in own]
        matrices, vectors = [one.weights() for one in parts], [one.vectors() for one in parts]
        return Model(
            {key: torch.stack([one[key] for one in matrices]).mean(dim=0) for key in matrices[0]},
            {
                layer: {name: torch.stack([one[layer][name] for one in vectors]).mean(dim=0) for name in named}
                for layer, named in enumerate(vectors[0])
            },
            {
                task: {name: model.get_parameter(name).detach() for name in names}
                for task, (model, names) in zip(self.training.tasks, own, strict=True)
            },
        )

    def model(self) -> Model:
        """Return the weights of all layers, trained or frozen, and the heads."""
        matrices, vectors = {}, {}
        weights = {f"{path}.weight": matrix for matrix, path in enumerate(self.paths)}
        for place, index in enumerate(self.indices):
            state = copy_tensors(self.layers[place].state_dict().items())
            matrices.update({(index, matrix): state[name] for name, matrix in weights.items()})
            vectors[index] = {name: value for name, value in state.items() if name not in weights}
        return Model(matrices, vectors, self.heads())

    def heads(self) -> dict[int, dict[str, Tensor]]:
        """Return the heads by task."""
        return {
            task: copy_tensors((name, model.get_parameter(name)) for name in names)
            for task, model, names in zip(self.training.tasks, self.models, self._heads, strict=True)
        }
