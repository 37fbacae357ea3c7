"""Early exits during inference: rows that leave a batch are not computed any further."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dse.errors import CheckpointError
from dse.models.slots import Slot, like_layer
from dse.records.exits import ExitHead


class Exiting:
    """A batch on its way through the layers of a model.

    Args:
        layers: layers that run, by index in the encoder.
        heads: exit heads, by the index of the layer before them.
        device: device of the model.
        returns: number of values that a layer returns; 0 if it returns its hidden state alone.
    """

    def __init__(
        self, layers: Mapping[int, nn.Module], heads: Mapping[int, ExitHead], device: str | torch.device, returns: int
    ) -> None:
        missing = set(heads) - set(layers)
        if missing:
            raise CheckpointError(
                "inputs cannot leave after a layer that does not run",
                where=f"layer {min(missing)}",
                expected=f"one of {sorted(layers)}",
                found=min(missing),
            )
        self._heads = {
            layer: ExitHead(head.weight.to(device), head.bias.to(device), head.threshold)
            for layer, head in heads.items()
        }
        self.gates = {layer: _Gate(self, layer, module) for layer, module in layers.items()}
        self.runs = dict.fromkeys(layers, 0)
        self.rows = 0
        self._returns = returns

    def begin(self, mask: Tensor) -> None:
        """Begin a batch; ``mask`` (rows, tokens) is zero for padding."""
        self._mask = mask
        self._here = torch.arange(len(mask), device=mask.device)
        self._answers: list[tuple[Tensor, Tensor]] = []
        self.rows += len(mask)

    def end(self, logits: Tensor) -> Tensor:
        """Replace the logits of rows that left early by the exit heads' answers."""
        logits = logits.float()
        for rows, answers in self._answers:
            logits[rows] = answers
        return logits

    def run(self, layer: int, module: nn.Module, hidden: Tensor, others: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Run a layer on the rows that have not left; let rows leave whose answer is sure enough."""
        here, rows = self._here, len(self._mask)
        if not len(here):
            return like_layer(hidden, self._returns)
        self.runs[layer] += len(here)

        def cut(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(cut, value))
            # A table of relative positions may have as many rows as the batch, but is not wider than the hidden state.
            with_rows = isinstance(value, torch.Tensor) and value.ndim and len(value) == rows
            return value[here] if with_rows and (value.ndim > 2 or value.shape[-1] == hidden.shape[1]) else value

        returned = module(hidden[here], *map(cut, others), **{name: cut(value) for name, value in named.items()})
        outputs = returned[0] if isinstance(returned, tuple) else returned
        whole = hidden.clone()
        whole[here] = outputs
        if layer in self._heads:
            head = self._heads[layer]
            answers = nn.functional.linear(ExitHead.states(outputs, self._mask[here]), head.weight, head.bias)
            sure = answers.softmax(dim=-1).amax(dim=-1) >= head.threshold
            self._answers.append((here[sure], answers[sure]))
            self._here = here[~sure]
        return like_layer(whole, self._returns)


class _Gate(Slot):
    """Module in a layer's place, which runs the layer on the rows that have not left."""

    def __init__(self, exiting: Exiting, layer: int, module: nn.Module) -> None:
        super().__init__(module, owns=True)
        self._exiting = [exiting]  # a list hides it from torch
        self._index = layer

    def forward(self, hidden_states: Tensor, *others: Any, **named: Any) -> Any:
        """Run the layer."""
        return self._exiting[0].run(self._index, self._layer[0], hidden_states, others, named)
