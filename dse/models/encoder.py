"""Decompose a Hugging Face encoder into layers of linear matrices."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from dse.errors import CheckpointError
from dse.models.trace import check_trace, is_constant, is_per_token, trace, unfit_error
from dse.records.workload import PROJECTIONS, Encoder, Matrix, Role

_PATHS: dict[Role, str] = {
    "query": "attention.self.query attention.q_lin attention.attn.q attention.query "
    "attention.self.query_proj self_attn.q_proj",
    "key": "attention.self.key attention.k_lin attention.attn.k attention.key attention.self.key_proj self_attn.k_proj",
    "value": "attention.self.value attention.v_lin attention.attn.v attention.value "
    "attention.self.value_proj self_attn.v_proj",
    "query_key_value": "attn.Wqkv",
    "attention_output": "attention.output.dense attention.out_lin attention.attn.o "
    "attention.dense attn.Wo self_attn.o_proj",
    "ffn_in": "intermediate.dense ffn.lin1 ffn mlp.Wi mlp.gate_proj mlp.up_proj",
    "ffn_out": "output.dense ffn.lin2 ffn_output mlp.Wo mlp.down_proj",
}
"""Module paths of each role: BERT, RoBERTa, ELECTRA, MiniLM, MobileBERT; DistilBERT; MPNet; ALBERT; DeBERTa; ModernBERT;
EuroBERT. Other paths have the role ``other``."""
ROLES = {path: role for role, paths in _PATHS.items() for path in paths.split()}


class Decomposed:
    """Layers and matrices of a model's encoder.

    Args:
        model: any Hugging Face encoder, with or without a head.
        trace: whether to run a few tokens, which finds the matrices; without it only names and layers are available.

    Attributes:
        layers: the L layer modules.
        paths: module path of each of the M matrices in its layer.
        linears: the M linear modules of each layer.
        inputs: index of the first matrix that the same input drives, for each matrix.
        returns: number of values that a layer returns; 0 if it returns its hidden state alone.

    Raises:
        CheckpointError: the model is not an encoder of equal layers that hold linear matrices.
    """

    def __init__(self, model: nn.Module, *, trace: bool = True) -> None:
        self.model = model
        if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
            raise unfit_error(model, "the model is an encoder with a decoder", "an encoder alone")
        self._homes = _find_homes(model)
        self.layers = [home[at] for home, at in self._homes]
        if trace:
            self._look()

    def _look(self) -> None:
        """Find the matrices, and which of them share an input."""
        linear = _linear_paths(self.layers[0])
        _check_layers(self.layers, linear)
        seen = trace(self.model, self.layers, linear)
        check_trace(self.model, seen, len(self.layers))
        self.returns = seen.returns
        self.paths, received = _matrices(seen.inputs)
        self.linears = [[cast("nn.Linear", layer.get_submodule(path)) for path in self.paths] for layer in self.layers]
        self.inputs = tuple(
            next(at for at, other in enumerate(received) if other is value or _same_memory(other, value))
            for value in received
        )

    def put(self, modules: Mapping[int, nn.Module]) -> None:
        """Put modules into the places of some layers, by index; every other layer takes its own place."""
        for index, (home, at) in enumerate(self._homes):
            home[at] = modules.get(index, self.layers[index])

    def weights(self) -> dict[tuple[int, int], Tensor]:
        """Return float32 copies (outputs, inputs) of all matrices by (layer, matrix)."""
        return {
            (layer, index): linear.weight.detach().to("cpu", torch.float32).clone()
            for layer, linears in enumerate(self.linears)
            for index, linear in enumerate(linears)
        }

    def vectors(self) -> list[dict[str, Tensor]]:
        """Return each layer's tensors by name, except the decomposed matrices: biases and norms."""
        matrices = {f"{path}.weight" for path in self.paths}
        return [
            {name: value.detach().clone() for name, value in layer.state_dict().items() if name not in matrices}
            for layer in self.layers
        ]

    def shape(self) -> Encoder:
        """Describe the encoder for the hardware.

        Raises:
            CheckpointError: the encoder has no attention heads.
        """
        config: Any = self.model.config
        heads = getattr(config, "num_attention_heads", None)
        if not isinstance(heads, int):
            raise unfit_error(self.model, "the encoder has no attention heads")
        matrices = tuple(
            Matrix(
                name=path,
                rows=linear.weight.shape[1],
                columns=linear.weight.shape[0],
                input=self.paths[self.inputs[index]],
                role=ROLES.get(path, "other"),
                bias=linear.bias is not None,
            )
            for index, (path, linear) in enumerate(zip(self.paths, self.linears[0], strict=True))
        )
        matrices = _check_roles(matrices)
        embeddings = self.embedding_names()
        vectors = sum(value.numel() for named in self.vectors() for value in named.values())
        return Encoder(
            layers=len(self.layers),
            matrices=matrices,
            heads=heads,
            hidden=int(config.hidden_size),
            ffn=next((item.rows for item in matrices if item.role == "ffn_out"), max(m.columns for m in matrices)),
            vector_parameters=-(-vectors // len(self.layers)),
            embedding_parameters=sum(
                value.numel() for name, value in self.model.named_parameters() if name in embeddings
            ),
        )

    def embedding_names(self) -> set[str]:
        """Return the names of the embeddings' parameters: of words, positions and token types, and of their norm."""
        words: nn.Module = cast("Any", self.model).get_input_embeddings()
        inside = {id(module) for layer in self.layers for module in layer.modules()}
        tables = {id(words): words}
        for module in self.model.modules():
            if words in module.children() and not inside & {id(one) for one in module.modules()}:
                tables[id(module)] = module  # a module of embeddings alone: projections and a norm are a part of it
            wide = isinstance(module, nn.Embedding) and module.embedding_dim >= getattr(words, "embedding_dim", 0)
            if wide and id(module) not in inside:
                tables[id(module)] = module
        parameters = {id(value) for module in tables.values() for value in module.parameters()}
        return {name for name, value in self.model.named_parameters() if id(value) in parameters}

    def head_names(self) -> set[str]:
        """Return the names of parameters outside embeddings and layers: pooler, classifier, shared position biases."""
        inside = {id(value) for layer in self.layers for value in layer.parameters()}
        embeddings = self.embedding_names()
        named = self.model.named_parameters()
        return {name for name, value in named if id(value) not in inside and name not in embeddings}

    def matrix_names(self) -> dict[tuple[int, int], str]:
        """Return the name of each decomposed matrix in the model's state, by (layer, matrix)."""
        names = {id(value): name for name, value in self.model.named_parameters()}
        pairs = ((layer, index) for layer in range(len(self.linears)) for index in range(len(self.paths)))
        return {(layer, index): names[id(self.linears[layer][index].weight)] for layer, index in pairs}


def _matrices(inputs: Mapping[str, list[Tensor]]) -> tuple[tuple[str, ...], list[Tensor]]:
    """Return the paths of the linear modules that receive one vector for each token, and these vectors.

    A module that receives the same vectors for all rows is not a matrix: its products are known before any text comes.
    """
    paths, received = [], []
    for path, values in inputs.items():
        of_tokens = [value for value in values if is_per_token(value)]
        others = [value for value in values if not is_per_token(value) and not is_constant(value)]
        if not values or others or len(of_tokens) > 1:
            fault = "a linear matrix of the encoder is " + ("not used once per token" if values else "never used")
            shapes = [tuple(value.shape) for value in (others or values)]
            raise unfit_error(path, fault, "one vector for each token", shapes or "none")
        if of_tokens:
            paths.append(path)
            received += of_tokens
    return tuple(paths), received


def _check_layers(layers: list[nn.Module], linear: list[str]) -> None:
    """Refuse layers of different shapes, and layers with weights that lie outside linear modules."""
    shapes = [
        [(path, tuple(one.weight.shape)) for path, one in layer.named_modules() if isinstance(one, nn.Linear)]
        for layer in layers
    ]
    for index, layer in enumerate(shapes):
        if layer != shapes[0]:
            raise CheckpointError(
                "the encoder's layers differ in shape", where=f"layer {index}", expected=shapes[0], found=layer
            )
    for name, value in layers[0].named_parameters():
        path = name.rpartition(".")[0]
        module = layers[0].get_submodule(path)
        if value.ndim > 1 and path not in linear and not isinstance(module, nn.Embedding):
            fault = "a layer has weights outside linear matrices, which crossbars cannot hold"
            shape = f"{type(module).__name__} of shape {tuple(value.shape)}"
            raise unfit_error(name, fault, "weights in linear modules", shape)


def _check_roles(matrices: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
    """Keep the roles of attention, and of the feed-forward layer, only where heads, or columns, can be left out.

    Heads that share keys, and feed-forward columns that several matrices use, cannot be left out.
    """
    role_names = [matrix.role for matrix in matrices]
    for output, fed in (("attention_output", PROJECTIONS), ("ffn_out", ("ffn_in",))):
        users = [matrix for matrix in matrices if matrix.role in fed]
        ends = [matrix.rows for matrix in matrices if matrix.role == output]
        whole = sum(matrix.columns for matrix in users)
        fits = len(ends) == 1 and bool(users) and all(matrix.columns % ends[0] == 0 for matrix in users)
        if not fits or (output == "attention_output" and whole != 3 * ends[0]):
            role_names = ["other" if role in (output, *fed) else role for role in role_names]
    return tuple(replace(matrix, role=role) for matrix, role in zip(matrices, role_names, strict=True))


def _same_memory(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() and one.shape == other.shape


def _find_homes(model: nn.Module) -> list[tuple[nn.ModuleList, int]]:
    """Return the place of each layer: the list that holds it, and its index there.

    The layers are those of the only list of modules that hold linear matrices. Where each of them only holds a list of
    layers, as ALBERT's groups do, the layers are those of all these lists.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    inner = {id(module) for one in lists for module in one.modules() if module is not one}
    outer = [one for one in lists if id(one) not in inner and len(one) and _linear_paths(one)]
    if len(outer) != 1:
        several = "the matrices of the encoder lie in several lists"
        none = "the model has no list of layers with linear matrices"
        kinds = [f"{len(one)} of {type(one[0]).__name__}" for one in outer]
        raise unfit_error(model, several if outer else none, "one list of layers", kinds or "none")
    best = outer[0]
    homes = [(best, at) for at in range(len(best))]
    groups = [[child for child in group.children() if isinstance(child, nn.ModuleList)] for group in best]
    if all(len(list(group.children())) == len(inner) == 1 for group, inner in zip(best, groups, strict=True)):
        inside = [inner[0] for inner in groups]
        if len({type(layer) for layers in inside for layer in layers}) == 1:
            homes = [(layers, at) for layers in inside for at in range(len(layers))]
    return homes


def _linear_paths(layer: nn.Module) -> list[str]:
    return [path for path, module in layer.named_modules() if isinstance(module, nn.Linear)]
