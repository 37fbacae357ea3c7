"""Tiny workloads, contexts and charges that need no model, no data and no download. Torch loads with the weights."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dse.plugins.contract import Weights
from dse.plugins.frozen import Guard, guarded
from dse.records.arrays import Tensor
from dse.records.charges import Components
from dse.records.geometry import Geometry, Packing
from dse.records.model import Model
from dse.records.observation import Observation
from dse.records.training import Adapted, Adaption, Training
from dse.records.workload import Encoder, Matrix, Task, Traffic, Workload

GEOMETRY: dict[str, tuple[int, int]] = {
    "rows": (128, 64),
    "columns": (128, 64),
    "cell_bits": (1, 2),
    "adc_bits": (8, 6),
    "dac_bits": (1, 2),
    "input_bits": (8, 4),
    "encoding": (0, 1),
}
"""Usual and another value of every number in `dse.Geometry`, for conformance suites."""


def tiny_workload(
    tasks: int = 3,
    *,
    layers: int = 4,
    hidden: int = 32,
    ffn: int = 64,
    heads: int = 4,
    tokens: float = 10.0,
    mode: Literal["independent", "shared"] = "independent",
    batch: float = 4.0,
) -> Workload:
    """Make a small BERT encoder's shape with tasks of different lengths and rates.

    Args:
        tasks: number of tasks, T.
        layers: number of layers, L.
        hidden: width of the residual stream, a multiple of ``heads``.
        ffn: width of the feed-forward layer.
        heads: number of attention heads of a layer.
        tokens: mean tokens of the first task; each further task has half as many more.
        mode: mode of the traffic.
        batch: requests served at each visit.
    """
    matrices = (
        Matrix("attention.self.query", hidden, hidden, "hidden", "query"),
        Matrix("attention.self.key", hidden, hidden, "hidden", "key"),
        Matrix("attention.self.value", hidden, hidden, "hidden", "value"),
        Matrix("attention.output.dense", hidden, hidden, "attended", "attention_output"),
        Matrix("intermediate.dense", hidden, ffn, "normed", "ffn_in"),
        Matrix("output.dense", ffn, hidden, "activated", "ffn_out"),
    )
    names = [f"task{index}" for index in range(tasks)]
    weight = tasks * (tasks + 1) / 2
    lengths = [tokens * (1 + index / 2) for index in range(tasks)]
    digests = {"base": "base"} | {f"{part}.{name}": f"{part}.{name}" for part in ("task", "data") for name in names}
    return Workload(
        "tiny",
        Encoder(layers, matrices, heads, hidden, ffn, vector_parameters=9 * hidden + ffn, embedding_parameters=10_000),
        tuple(
            Task(name, length, 1.2 * length**2, 500, (tasks - index) / weight)
            for index, (name, length) in enumerate(zip(names, lengths, strict=True))
        ),
        Traffic(mode, batch),
        digests,
    )


class TinyContext:
    """A `dse.Context` over random weights: a base, and tasks near it. Nothing is cached between calls, unless a cache is given.

    Args:
        workload: shapes and tasks.
        spread: standard deviation of a task's delta; that of the base's weights is 1.
        seed: seed of the weights.
        cache: cached arrays by name and key, or None to make them again each time, so that results that do not repeat show.

    Attributes:
        workload: shapes, tasks and traffic.
        guard: watcher of the weights that one call of a plugin gets, or None.
    """

    def __init__(
        self, workload: Workload, *, spread: float = 0.1, seed: int = 0, cache: dict[str, Any] | None = None
    ) -> None:
        self.workload = workload
        self._spread = spread
        self._seed = seed
        self._cache = cache
        self.guard: Guard | None = None

    def guarded(self, who: str, *weights: Weights) -> "AbstractContextManager[TinyContext]":
        """Give a copy to one call of a plugin, and refuse in-place changes; see `dse.plugins.frozen.guarded`."""
        return guarded(self, who, lambda: self.__dict__.pop("_all", None), *weights)

    def base_weights(self) -> Weights:
        """Every linear matrix of the base."""
        return self._watch(0)

    def task_weights(self, task: int) -> Weights:
        """Every linear matrix of a task."""
        return self._watch(1 + task)

    def _watch(self, owner: int) -> Weights:
        weights = dict(self._all[owner])
        if self.guard is not None:
            self.guard.watch(weights)
        return weights

    def observe(self, task: int, rows: int = 384, model: Model | None = None) -> Iterator[Observation]:
        """Yield random inputs, gradients and logits of two classes, twice; inputs of a later task are larger numbers."""
        import torch

        draw = torch.Generator().manual_seed(self._seed + 1)
        encoder = self.workload.encoder
        mask = torch.ones((max(rows // 100, 1), 5), dtype=torch.bool)
        mask[0, 3:] = False
        for _ in range(2):
            inputs, gradients = {}, {}
            for key in self.base_weights() if model is None else model.matrices:
                matrix = encoder.matrices[key[1]]
                inputs[key] = torch.randn((*mask.shape, matrix.rows), generator=draw) * (1 + task)
                gradients[key] = torch.randn((*mask.shape, matrix.columns), generator=draw)
            logits = torch.randn((len(mask), 2), generator=draw)
            layers = sorted({layer for layer, _ in inputs})
            states = {layer: inputs[after, 0] for layer, after in zip(layers, [*layers[1:], layers[-1]], strict=True)}
            yield Observation(inputs, gradients, mask, logits, states)

    def trained(self, training: Training) -> Model:
        """Give random weights near the base; two equal arguments give the same weights."""
        import torch

        draw = torch.Generator().manual_seed(self._seed + zlib.crc32(repr(training).encode()))
        layers = training.layers or range(self.workload.encoder.layers)
        return Model(
            {
                key: value + self._spread * torch.randn(value.shape, generator=draw)
                for key, value in self.base_weights().items()
                if key[0] in layers
            }
        )

    def adapted(self, adaption: Adaption) -> Adapted:
        """Give the adapter as it begins, moved at random, masks thinned; equal arguments move it equally."""
        import torch

        asked = (adaption.task, adaption.key, adaption.passes, adaption.distil, adaption.seed)
        draw = torch.Generator().manual_seed(self._seed + zlib.crc32(repr(asked).encode()))
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            state = adaption.build(self.base_weights()).state_dict()
        moved = {
            name: value + (self._spread + value.abs()) * torch.randn(value.shape, generator=draw)
            if value.is_floating_point()
            else value * torch.randint(2, value.shape, generator=draw, dtype=value.dtype)
            for name, value in state.items()
        }
        return Adapted(moved, Model({}))

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays of this name and key, or make them."""
        place, cache = repr((name, sorted(key.items(), key=repr))), {} if self._cache is None else self._cache
        if place not in cache:
            cache[place] = make()
        made: dict[str, NDArray[Any]] = cache[place]
        return made

    @cached_property
    def _all(self) -> list[dict[tuple[int, int], Tensor]]:
        import torch

        draw = torch.Generator().manual_seed(self._seed)
        encoder = self.workload.encoder
        base = {
            (layer, index): torch.randn((matrix.columns, matrix.rows), generator=draw)
            for layer in range(encoder.layers)
            for index, matrix in enumerate(encoder.matrices)
        }
        near = [
            {key: value + self._spread * torch.randn(value.shape, generator=draw) for key, value in base.items()}
            for _ in self.workload.tasks
        ]
        return [base, *near]


def tiny_geometry(points: int = 1, *, packing: Packing = "same-input", **changes: int) -> Geometry:
    """Return arrays of 128 x 128 one-bit cells with 8-bit converters, for several designs.

    Args:
        points: number of designs, P.
        packing: packing of matrices that share an input.
        changes: fields of `dse.Geometry` with another value.
    """
    usual = {name: value for name, (value, _) in GEOMETRY.items()}
    values = {name: np.full(points, value) for name, value in (usual | changes).items()}
    return Geometry(**values, packing=packing)


def charge_shapes(workload: Workload, names: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every charge of one design.

    Args:
        workload: the tasks and their traffic.
        names: number of components, C.
    """
    tasks, layers = len(workload.tasks), workload.encoder.layers
    return {
        "area_mm2": (1 + tasks, names),
        "array_area_mm2": (),
        "energy_uj": (tasks, layers, names),
        "latency_us": (tasks, layers),
        "input_energy_uj": (tasks, names),
        "input_latency_us": (tasks,),
        "request_energy_uj": (tasks, names),
        "request_latency_us": (tasks,),
        "switch_energy_uj": (tasks, tasks),
        "switch_latency_us": (tasks, tasks),
        "switch_writes": (tasks, tasks),
        "cell_writes": (tasks, tasks),
        "endurance": (),
        "offchip_mb": (),
    }


def part_shapes(workload: Workload) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the shape of every array of one design's `Components.occupancy` and `Components.power`."""
    passes, two, none = (len(workload.tasks), workload.encoder.layers), (2,), ()
    return {
        ("occupancy", "arrays_us"): passes,
        ("occupancy", "digital_us"): passes,
        ("occupancy", "replicas"): (3,),
        ("occupancy", "digital_units"): none,
        ("power", "chip_w"): two,
        ("power", "tile_w"): two,
        ("power", "rest_w"): two,
        ("power", "tiles"): passes,
        ("power", "on_us"): passes,
        ("power", "links_w"): none,
    }


def tiny_components(workload: Workload, points: int = 1, *, seed: int = 0) -> Components:
    """Return charges of an invented hardware, on which every order of the tasks has another cost.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
        seed: selects the charges.
    """
    draw = np.random.default_rng(seed)
    names = ("arrays", "digital")
    shapes = charge_shapes(workload, len(names))
    del shapes["endurance"]
    charges: dict[str, Any] = {
        name: np.broadcast_to(draw.uniform(1.0, 9.0, shape), (points, *shape)).copy() for name, shape in shapes.items()
    }
    return Components(names, endurance=np.full(points, 1e6), **charges)
