"""Write a generator's weights into a model."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from transformers import PreTrainedModel

from dse.models.encoder import Decomposed
from dse.records.model import Model


def write_layers(layers: Mapping[int, nn.Module], paths: Sequence[str], given: Model) -> None:
    """Write the given matrices, biases and norms in place.

    Args:
        layers: encoder layers by index.
        paths: module path of each matrix in its layer.
        given: weights to write.
    """
    for index, layer in layers.items():
        state = layer.state_dict()
        for matrix, path in enumerate(paths):
            if (index, matrix) in given.matrices:
                state[f"{path}.weight"].copy_(given.matrices[index, matrix])
        for name, value in given.vectors.get(index, {}).items():
            state[name].copy_(value)


def write_head(model: nn.Module, head: Mapping[str, Tensor]) -> None:
    """Write pooler and classifier in place."""
    state = model.state_dict()
    for name, value in head.items():
        state[name].copy_(value)


def only_given(model: PreTrainedModel, given: Model, task: int) -> list[int]:
    """Write the given weights of a task into its model.

    Returns:
        Indices of the layers with given weights, which are to run, ascending.
    """
    decomposed = Decomposed(model)
    layers = {index: layer for index, layer in enumerate(decomposed.layers) if (index, 0) in given.matrices}
    write_layers(layers, decomposed.paths, given)
    write_head(model, given.heads.get(task, {}))
    return list(layers)
