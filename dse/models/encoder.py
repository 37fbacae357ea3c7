"""Decompose a Hugging Face encoder into layers of linear matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dse.errors import CheckpointError
from dse.records.workload import Encoder, Matrix, Role

if TYPE_CHECKING:
    from torch import Tensor, nn

ROLES: dict[str, Role] = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "intermediate.dense": "ffn_in",
    "output.dense": "ffn_out",
    "attention.q_lin": "query",
    "attention.k_lin": "key",
    "attention.v_lin": "value",
    "attention.out_lin": "attention_output",
    "ffn.lin1": "ffn_in",
    "ffn.lin2": "ffn_out",
    "attention.attn.q": "query",
    "attention.attn.k": "key",
    "attention.attn.v": "value",
    "attention.attn.o": "attention_output",
}
"""Roles by module path: BERT, RoBERTa, ELECTRA, MiniLM; DistilBERT; MPNet. Other paths have the role ``other``."""


class Decomposed:
    """Layers and matrices of a model's encoder.

    Args:
        model: any Hugging Face encoder, with or without a head.
        trace: whether to find the matrices that share an input, which needs weights.

    Attributes:
        layers: the L layer modules.
        paths: module path of each of the M matrices in its layer.
        inputs: index of the first matrix that the same input drives, for each matrix.

    Raises:
        CheckpointError: the model has no list of equal layers that hold linear matrices.
    """

    def __init__(self, model: nn.Module, *, trace: bool = True) -> None:
        self.model = model
        self.layers = _layer_list(model)
        self.paths = tuple(_linear_paths(self.layers[0]))
        self.linears = [[cast("nn.Linear", layer.get_submodule(path)) for path in self.paths] for layer in self.layers]
        shapes = [[tuple(linear.weight.shape) for linear in layer] for layer in self.linears]
        for index, layer in enumerate(shapes):
            if layer != shapes[0]:
                raise CheckpointError(
                    "the encoder's layers differ in shape", where=f"layer {index}", expected=shapes[0], found=layer
                )
        passes = int(getattr(getattr(model, "config", None), "num_hidden_layers", len(self.layers)))
        if passes != len(self.layers):
            raise CheckpointError(
                "the encoder runs its layers more than once, which is not supported",
                where=type(model).__name__,
                expected=f"{passes} layers, one per pass",
                found=len(self.layers),
            )
        self.inputs = self._trace() if trace else tuple(range(len(self.paths)))

    def weights(self) -> dict[tuple[int, int], Tensor]:
        """Return float32 copies (outputs, inputs) of all matrices by (layer, matrix)."""
        import torch

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
        """Describe the encoder for the hardware."""
        config: Any = self.model.config
        matrices = tuple(
            Matrix(
                name=path,
                rows=linear.weight.shape[1],
                columns=linear.weight.shape[0],
                input=self.paths[self.inputs[index]],
                role=ROLES.get(path, "other"),
            )
            for index, (path, linear) in enumerate(zip(self.paths, self.linears[0], strict=True))
        )
        embeddings = self.embedding_names()
        return Encoder(
            layers=len(self.layers),
            matrices=matrices,
            heads=int(config.num_attention_heads),
            hidden=int(config.hidden_size),
            ffn=next((item.columns for item in matrices if item.role == "ffn_in"), max(m.columns for m in matrices)),
            vector_parameters=sum(value.numel() for value in self.vectors()[0].values()),
            embedding_parameters=sum(
                value.numel() for name, value in self.model.named_parameters() if name in embeddings
            ),
        )

    def embedding_names(self) -> set[str]:
        """Return the names of the embeddings' parameters, their norm included."""
        return {name for name, _ in self.model.named_parameters() if "embeddings." in name}

    def head_names(self) -> set[str]:
        """Return the names of parameters outside embeddings and layers: pooler, classifier, shared position biases."""
        inside = {id(value) for layer in self.layers for value in layer.parameters()}
        embeddings = self.embedding_names()
        named = self.model.named_parameters()
        return {name for name, value in named if id(value) not in inside and name not in embeddings}

    def matrix_names(self) -> set[str]:
        """Return the names of the decomposed matrices in the model's state."""
        matrices = {id(linear.weight) for layer in self.linears for linear in layer}
        return {name for name, value in self.model.named_parameters() if id(value) in matrices}

    def _trace(self) -> tuple[int, ...]:
        """Find the matrices that share an input: run a few tokens and compare the tensors that the matrices receive."""
        import torch

        seen: dict[int, Tensor] = {}
        hooks = []
        for index, linear in enumerate(self.linears[0]):

            def keep(_module: object, arguments: tuple[Tensor, ...], at: int = index) -> None:
                seen[at] = arguments[0]

            hooks.append(linear.register_forward_pre_hook(keep))
        training = self.model.training
        try:
            with torch.no_grad():
                device = next(self.model.parameters()).device
                self.model.eval()(input_ids=torch.tensor([[3, 4, 5, 6]], device=device))
        finally:
            self.model.train(training)
            for hook in hooks:
                hook.remove()
        missing = [path for index, path in enumerate(self.paths) if index not in seen]
        if missing:
            raise CheckpointError("a linear matrix of the encoder is never used", where=", ".join(missing))
        first: list[int] = []
        for index, value in sorted(seen.items()):
            same = [at for at in range(index) if seen[at] is value or _same_memory(seen[at], value)]
            first.append(same[0] if same else index)
        return tuple(first)


def container(model: nn.Module, layers: list[nn.Module]) -> tuple[nn.Module, str]:
    """Return the module and the attribute that hold the list of layers."""
    from torch import nn

    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.ModuleList) and list(child) == layers:
                return module, name
    raise CheckpointError("the list of layers has no parent module", where=type(model).__name__)


def _same_memory(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() and one.shape == other.shape


def _layer_list(model: nn.Module) -> list[nn.Module]:
    """Return the longest list of modules that hold linear matrices."""
    from torch import nn

    best: list[nn.Module] = []
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) > len(best) and _linear_paths(module[0]):
            best = list(module)
    if not best:
        raise CheckpointError(
            "the model has no list of layers with linear matrices",
            where=type(model).__name__,
            expected="a Hugging Face encoder such as BERT, RoBERTa, DistilBERT or MPNet",
        )
    return best


def _linear_paths(layer: nn.Module) -> list[str]:
    from torch import nn

    return [path for path, module in layer.named_modules() if isinstance(module, nn.Linear)]
