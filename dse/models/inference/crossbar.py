"""A model whose encoder matrices can be rewritten and have quantised inputs."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from dse.errors import CheckpointError
from dse.models.checkpoints import tensors_digest
from dse.models.encoder import Decomposed
from dse.models.inference.adc import draw_reads, move_to, product
from dse.models.inference.exits import Exiting
from dse.models.precision import multiply
from dse.models.slots import Skip
from dse.records.effective import Effective, OnArrays, Product


class Driver:
    """Quantiser of an input vector, run once for all matrices that the vector drives.

    The grid is symmetric with one scale per token (its largest magnitude), so batching does not change a score.
    """

    def __init__(self) -> None:
        self.bits = 8
        self._input: Tensor | None = None
        self._driven: Tensor | None = None

    def __call__(self, vector: Tensor) -> Tensor:
        """Round (..., inputs) to the grid of its tokens."""
        if self._input is not vector or self._driven is None:
            self._driven = quantise_inputs(vector, self.bits)
            self._input = vector
        return self._driven

    def forget(self) -> None:
        """Forget the last input."""
        self._input = self._driven = None


def quantise_inputs(vector: Tensor, bits: int) -> Tensor:
    """Round (..., inputs) to the grid of its tokens; with 0 bits, return it unchanged."""
    if bits == 0:
        return vector
    codes, step = code_inputs(vector, bits)
    return codes.mul_(step)


def code_inputs(vector: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return a vector (..., inputs) as whole numbers on each token's grid, and the steps of the grids (..., 1)."""
    step = _largest(vector).clamp_min_(1e-12).div_(2.0 ** (bits - 1) - 1)
    return vector.div(step).round_(), step


def _largest(vector: Tensor) -> Tensor:
    """Return the largest magnitude of each token, shape (..., 1).

    Magnitudes of 16-bit brain floats have the order of the integers with the same bits, and a CPU compares integers
    several times faster than it computes the same number as a norm.
    """
    if vector.dtype == torch.bfloat16:
        return vector.view(torch.int16).bitwise_and(0x7FFF).amax(dim=-1, keepdim=True).view(torch.bfloat16)
    return vector.abs().amax(dim=-1, keepdim=True)


class CrossbarLinear(nn.Module):
    """A linear matrix on crossbars, with a quantised input, given weights and a digital bias."""

    def __init__(self, linear: nn.Linear, driver: Driver) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().clone(), requires_grad=False)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().clone(), requires_grad=False)
        self.driver = driver
        self.products: list[Product] = []
        self.arrays: tuple[OnArrays, ...] = ()
        self.masks: tuple[Tensor, Tensor] | None = None
        self.noise: tuple[Tensor, torch.Generator] | None = None

    def add(self, products: Iterable[Product]) -> None:
        """Add products of two factors, in the weight's precision and on its device."""
        self.products += [(first.to(self.weight), second.to(self.weight)) for first, second in products]

    def forward(self, vector: Tensor) -> Tensor:
        """Multiply (..., inputs) to (..., outputs)."""
        driven = self.driver(vector)
        outputs = multiply(driven, self.weight, self.bias)
        for first, second in self.products:
            between = quantise_inputs(multiply(driven, first), self.driver.bits)
            outputs = outputs + multiply(between, second)
        if self.noise is not None:
            outputs = outputs + draw_reads(driven, *self.noise)
        return outputs + self._convert(vector) if self.arrays else outputs

    def hear(self, variance: Tensor | None, seed: int) -> None:
        """Set the variance of one read of each weight, (outputs, inputs), and the seed of the noise; None: reads are exact."""
        device = self.weight.device
        self.noise = None if variance is None else (variance.to(self.weight), torch.Generator(device).manual_seed(seed))

    def convert(self, pieces: tuple[OnArrays, ...], masks: tuple[Tensor, Tensor] | None) -> None:
        """Set the pieces with converted sums, and a task's masks of outputs and inputs, on the weight's device."""
        device = self.weight.device
        self.arrays, self.masks = move_to(pieces, device), move_to(masks, device)

    def _convert(self, vector: Tensor) -> Tensor:
        """Compute the ADCs' rescaled outputs (..., outputs) for (..., inputs)."""
        codes, step = code_inputs(vector.reshape(-1, vector.shape[-1]), self.driver.bits)
        kind = torch.promote_types(vector.dtype, torch.float32)
        codes, step = codes.to(kind), step.to(kind)
        if self.masks is not None:
            codes = codes * self.masks[1]
        total = codes.new_zeros(len(codes), len(self.weight))
        for piece in self.arrays:
            values = product(piece, codes) * step
            if piece.then is not None:
                between, steps = code_inputs(values, self.driver.bits)
                values = product(piece.then, between) * steps
            total += values
        if self.masks is not None:
            total *= self.masks[0]
        return total.to(vector.dtype).reshape(*vector.shape[:-1], -1)


Pool: TypeAlias = MutableMapping[tuple[Hashable, ...], nn.Parameter]
"""Parameters that models of several tasks share, for as long as one of the models is alive."""


def make_pool() -> Pool:
    """Return an empty pool."""
    return WeakValueDictionary()


class CrossbarLayers:
    """A task's model with every encoder matrix on crossbars.

    Args:
        model: model in its final precision and on its device; its linear matrices are replaced.
        base_vectors: biases and norms of the base's layers.
        pool: parameters that the model shares with models of other tasks, which never run at the same time: embeddings
            of equal content, which nothing writes, and the encoder's matrices, which `holding` writes before each run.

    Attributes:
        linears: matrices by layer and index in the layer.
    """

    def __init__(self, model: PreTrainedModel, base_vectors: list[dict[str, Tensor]], pool: Pool | None = None) -> None:
        decomposed = Decomposed(model)
        self.model: Any = model
        self._layers = decomposed.layers
        self._drivers = []
        self.linears: list[list[CrossbarLinear]] = []
        for layer, linears in zip(decomposed.layers, decomposed.linears, strict=True):
            drivers = {first: Driver() for first in set(decomposed.inputs)}
            self._drivers += list(drivers.values())
            replaced = [
                CrossbarLinear(linear, drivers[decomposed.inputs[index]]) for index, linear in enumerate(linears)
            ]
            for path, new in zip(decomposed.paths, replaced, strict=True):
                layer.set_submodule(path, new)
            self.linears.append(replaced)
        decomposed.linears.clear()  # `put` would hold the replaced matrices
        self._put, self._returns = decomposed.put, decomposed.returns
        self._own = decomposed.vectors()
        self._head_names = decomposed.head_names()
        self._base = base_vectors
        self._written: list[Mapping[str, Tensor]] = list(self._own)  # the current biases and norms of each layer
        self._exiting: Exiting | None = None
        if pool is not None:
            self._share(pool, decomposed.embedding_names())

    def _share(self, pool: Pool, embeddings: set[str]) -> None:
        """Replace matrices and embeddings by those of the pool, and add to the pool those that it lacks."""
        for layer, linears in enumerate(self.linears):
            for index, linear in enumerate(linears):
                kind = linear.weight.dtype, linear.weight.device, linear.weight.shape
                linear.weight = pool.setdefault((layer, index, *kind), linear.weight)
        for name in sorted(embeddings):
            path, _, last = name.rpartition(".")
            value = self.model.get_parameter(name)
            key = tensors_digest({"": value.detach().view(torch.uint8)}), value.dtype, value.device, value.shape
            setattr(self.model.get_submodule(path), last, pool.setdefault(key, value))

    def logits(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Run one batch; return logits, float32 (rows, classes)."""
        if self._exiting is None:
            logits: Tensor = self.model(**inputs).logits
            return logits.float()
        self._exiting.begin(inputs["attention_mask"])
        return self._exiting.end(self.model(**inputs).logits)

    @property
    def reach(self) -> Mapping[int, float] | None:
        """Share of rows that ran each layer since `holding` began, by layer; None if no row may leave early."""
        if self._exiting is None:
            return None
        return {layer: runs / self._exiting.rows for layer, runs in self._exiting.runs.items()}

    @contextmanager
    def holding(
        self, held: Effective, keep_layers: Sequence[bool] | None, base_layers: Sequence[bool] | None, input_bits: int
    ) -> Iterator[None]:
        """Run the ``with`` block with these matrices; see `Evaluator.score` for the arguments."""
        remaining = [index for index in range(len(self._layers)) if keep_layers is None or keep_layers[index]]
        for layer in remaining:
            for index, linear in enumerate(self.linears[layer]):
                self._write(linear, held.weights, (layer, index))
            own = (self._base if base_layers is not None and base_layers[layer] else self._own)[layer]
            self._write_vectors(layer, held.vectors.get(layer, own))
        for driver in self._drivers:
            driver.bits = input_bits
        modules: dict[int, nn.Module] = {
            index: Skip(layer, self._returns) for index, layer in enumerate(self._layers) if index not in remaining
        }
        if held.exits:
            running = {index: self._layers[index] for index in remaining}
            self._exiting = Exiting(running, held.exits, next(self.model.parameters()).device, self._returns)
            modules |= self._exiting.gates
        self._put(modules)
        before: dict[tuple[int, int], nn.Parameter] = {}
        head = self._write_head(held.head)
        try:
            for key, bias in held.biases.items():
                before[key] = self._shift(key, bias)
            for (layer, index), pairs in held.products.items():
                self.linears[layer][index].add(pairs)
            for (layer, index), pieces in held.arrays.items():
                self.linears[layer][index].convert(pieces, held.kept.get((layer, index)))
            for number, ((layer, index), variance) in enumerate(sorted(held.read_variance.items())):
                self.linears[layer][index].hear(variance, held.read_seed + number)
            yield
        finally:
            for layer, index in held.products:
                self.linears[layer][index].products.clear()
            for layer, index in held.arrays:
                self.linears[layer][index].convert((), None)
            for layer, index in held.read_variance:
                self.linears[layer][index].hear(None, 0)
            self._put({})
            self._exiting = None
            for (layer, index), bias in before.items():
                self.linears[layer][index].bias = bias
            self._write_head(head)
            for driver in self._drivers:
                driver.forget()

    def _write(self, linear: CrossbarLinear, weights: Mapping[tuple[int, int], Tensor], key: tuple[int, int]) -> None:
        where = f"layer {key[0]}, matrix {key[1]}"
        given = _fit("a matrix does not fit the encoder", where, linear.weight, weights.get(key))
        linear.weight.data.copy_(given)

    def _shift(self, key: tuple[int, int], shift: Tensor) -> nn.Parameter:
        """Add to a bias; return the earlier bias."""
        linear = self.linears[key[0]][key[1]]
        before, where = linear.bias, f"layer {key[0]}, matrix {key[1]}"
        _fit("a bias does not fit the encoder", where, before, shift, "a matrix with a bias")
        assert before is not None  # otherwise no shift fits
        shifted = (before.float() + shift.to(before.device)).to(before.dtype)
        linear.bias = nn.Parameter(shifted, requires_grad=False)
        return before

    def _write_vectors(self, layer: int, wanted: Mapping[str, Tensor]) -> None:
        """Write biases and norms, unless the layer has them already."""
        if self._written[layer] is wanted:
            return
        state = self._layers[layer].state_dict()
        _copy({name: state[name] for name in self._own[layer]}, wanted, f"layer {layer}")
        self._written[layer] = wanted

    def _write_head(self, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Write the wanted tensors of pooler and classifier; return the replaced ones."""
        if not wanted:
            return {}
        state = {name: value for name, value in self.model.state_dict().items() if name in self._head_names}
        before = {name: state[name].clone() for name in wanted if name in state}
        _copy(state, wanted, "head")
        return before


def _copy(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str) -> None:
    """Write tensors by name in place."""
    for name, value in wanted.items():
        names = "" if name in state else f"one of {', '.join(sorted(state))}"
        _fit("biases, norms or a head do not fit the model", f"{where}, {name}", state.get(name), value, names)
    for name, value in wanted.items():
        state[name].copy_(value)


def _fit(what: str, where: str, place: Tensor | None, value: Tensor | None, lacking: str = "") -> Tensor:
    """Return a tensor that has the shape of its place, or refuse it; ``lacking`` says what was expected without a place."""
    if place is None or value is None or place.shape != value.shape:
        expected = lacking if place is None else tuple(place.shape)
        given = "none" if value is None else tuple(value.shape)
        raise CheckpointError(what, where=where, expected=expected, found=given)
    return value
