"""Problems whose cost is measured: the quickstart's, and BERT-base with eight tasks. No weights are loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse.pipeline.problem import WorkloadProblem
from dse.records.point import DesignPoint
from dse.search.encoding import Codec
from dse.search.resolve import resolve
from dse.search.searchspace import SearchSpace
from dse.search.space import load

QUICKSTART = Path(__file__).parent.parent / "spaces" / "quickstart.toml"


@dataclass(frozen=True)
class Shapes:
    """A workload of which only shapes are known; stands where a loaded one would."""

    shape: dse.Workload


class Statistics:
    """Context that answers with drawn clip statistics; costs do not depend on what they are."""

    def __init__(self, workload: dse.Workload) -> None:
        self.workload = workload

    def base_weights(self) -> dse.Weights:
        """No weights."""
        return {}

    def task_weights(self, task: int) -> dse.Weights:
        """No weights."""
        del task
        return {}

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Cosines that rise with the bits."""
        del name, key, make
        encoder = self.workload.encoder
        drawn = np.random.default_rng(0).uniform(0.7, 1, (encoder.layers, len(encoder.matrices), 9))
        return {"cosine": np.sort(drawn, axis=-1)}


def encoder(layers: int, hidden: int, ffn: int, heads: int) -> dse.Encoder:
    """Shape of a BERT encoder."""
    matrices = (
        dse.Matrix("query", hidden, hidden, "query", "query"),
        dse.Matrix("key", hidden, hidden, "query", "key"),
        dse.Matrix("value", hidden, hidden, "query", "value"),
        dse.Matrix("output", hidden, hidden, "output", "attention_output"),
        dse.Matrix("ffn_in", hidden, ffn, "ffn_in", "ffn_in"),
        dse.Matrix("ffn_out", ffn, hidden, "ffn_out", "ffn_out"),
    )
    return dse.Encoder(layers, matrices, heads, hidden, ffn, 9 * hidden + ffn, 31_000 * hidden)


def shapes(tasks: int, shape: dse.Encoder) -> dse.Workload:
    """Tasks of 32 tokens on an encoder."""
    names = [f"task{index}" for index in range(tasks)]
    return dse.Workload(
        "shape only",
        shape,
        tuple(dse.Task(name, 32.0, 1100.0, shape.hidden * (shape.hidden + 3), 1 / tasks) for name in names),
        dse.Traffic(),
        {"base": "base"} | {f"task.{name}": name for name in names} | {f"data.{name}": name for name in names},
    )


def costed_problem(workload: dse.Workload) -> tuple[WorkloadProblem, SearchSpace]:
    """The quickstart's space over another workload, ready to be costed; the order of the tasks is searched as well."""
    space = load(QUICKSTART)
    space = space.model_copy(update={"scheduler": space.scheduler.model_copy(update={"plugins": ["searched"]})})
    registry = dse.Registry().discover()
    loaded: Any = Shapes(workload)
    problem = WorkloadProblem(
        loaded, space.plugins, space.reference_hardware, registry, cache=Path(tempfile.gettempdir())
    )
    _ = problem.parameters  # plugins see the workload
    problem._plugins["compressor", "two-stage"].prepare(Statistics(workload))  # noqa: SLF001  # cost needs only this
    return problem, resolve(space, problem.parameters, problem.tasks, problem.layers)


def drawn_points(space: SearchSpace, count: int, seed: int = 0) -> list[DesignPoint]:
    """Random points of one plugin combination, the most expensive to cost."""
    codec = Codec(space)
    rng = np.random.default_rng(seed)
    wanted = {"generator": "shared-prefix", "compressor": "two-stage"}
    points = []
    for _ in range(count):
        values = {
            name: distribution.choices[rng.integers(len(distribution.choices))]
            if hasattr(distribution, "choices")
            else _drawn(distribution, rng)
            for name, distribution in codec.distributions().items()
        }
        points.append(codec.decode(values | {k: v for k, v in wanted.items() if k in values}))
    return points


def _drawn(distribution: Any, rng: np.random.Generator) -> float | int:
    step = distribution.step or (distribution.high - distribution.low) / 1000
    steps = int((distribution.high - distribution.low) / step + 1e-9) if step else 0
    value = distribution.low + int(rng.integers(steps + 1)) * step
    return int(value) if isinstance(distribution.low, int) else float(value)


def eight_on_bert_base() -> dse.Workload:
    """BERT-base with eight tasks."""
    return shapes(8, encoder(12, 768, 3072, 12))


def four_on_minilm() -> dse.Workload:
    """The quickstart's shapes."""
    return shapes(4, encoder(6, 384, 1536, 12))
