"""The base: everything that is read from its checkpoint."""

from typing import NamedTuple

from torch import Tensor
from transformers import PreTrainedModel

from dse.models import checkpoints as models
from dse.models.checks import longest_input
from dse.models.contents import config_digest
from dse.models.encoder import Decomposed
from dse.records.workload import Encoder


class LoadedBase(NamedTuple):
    """Parts of a base.

    Attributes:
        weights: matrices (outputs, inputs) by (layer, matrix).
        vectors: biases and norms of the layers.
        encoder: shape of the encoder.
        digest: content hash of all parameters.
        config_digest: content hash of the configuration.
        embeddings: content hash and number of parameters of the embeddings.
        longest: largest number of tokens that the base has positions for; None if there is no limit.
    """

    weights: dict[tuple[int, int], Tensor]
    vectors: list[dict[str, Tensor]]
    encoder: Encoder
    digest: str
    config_digest: str
    embeddings: tuple[str, int]
    longest: int | None


def read_base(source: str) -> LoadedBase:
    """Read a base from a folder or from the hub; the model itself is discarded.

    Raises:
        CheckpointError: the base is not an encoder that `dse` runs, or its weights are not usable.
        SourceError: no model has this name.
    """
    model = models.load_model(source, labels=1)
    decomposed = Decomposed(model)
    parts = decomposed.weights(), decomposed.vectors(), decomposed.shape()
    return LoadedBase(
        *parts, models.model_digest(model), config_digest(model.config), measure_embeddings(model), longest_input(model)
    )


def measure_embeddings(model: PreTrainedModel) -> tuple[str, int]:
    """Return the content hash and the number of parameters of a model's embeddings."""
    names = Decomposed(model, trace=False).embedding_names()
    values = {name: value for name, value in model.named_parameters() if name in names}
    return models.tensors_digest(values), sum(value.numel() for value in values.values())
