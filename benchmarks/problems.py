"""Problems whose cost is measured: the quickstart's, and BERT-base with eight tasks. No weights are loaded."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.score.problem import WorkloadProblem
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace

SPACES = Path(__file__).parent.parent / "spaces"
QUICKSTART = SPACES / "quickstart.toml"


@dataclass(frozen=True)
class Shapes:
    """A workload of which only shapes are known, in place of a loaded one."""

    shape: dse.Workload


class Statistics:
    """Context that answers with drawn clip statistics; costs do not depend on the statistics."""

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
        return {"cosine": np.sort(drawn, axis=-1), "saturated": np.array(0)}  # version 0.1.0 reads the second


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


def costed_problem(
    workload: dse.Workload,
    free: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
    **search: Any,
) -> tuple[WorkloadProblem, SearchSpace]:
    """The quickstart's space over another workload, ready to be costed; the order of the tasks is searched as well.

    Args:
        workload: shapes to cost.
        free: parameter tables by plugin, where they are not the quickstart's.
        reference: parameters of the reference hardware.
        search: settings of ``[search]`` that are not the quickstart's.
    """
    raw = tomllib.loads(QUICKSTART.read_text(encoding="utf-8"))
    raw["scheduler"]["plugins"] = ["searched"]
    raw["search"].update(search)
    for plugin, parameters in (free or {}).items():
        kind = next(kind for kind in ("generator", "compressor", "hardware") if plugin in raw[kind]["plugins"])
        raw[kind].setdefault(plugin, {})["parameters"] = parameters
    raw["reference_hardware"] = {"parameters": dict(reference or {})}
    space = parse(raw)
    registry = dse.Registry().discover()
    loaded: Any = Shapes(workload)
    cache = Path(tempfile.gettempdir())
    problem = WorkloadProblem(loaded, space.plugins, space.reference_hardware, registry, cache=cache)
    _ = problem.parameters  # plugins see the workload
    problem.plugin("compressor", "two-stage").prepare(Statistics(workload))
    return problem, resolve(space, problem.parameters, problem.tasks, problem.layers)


def drawn_points(space: SearchSpace, count: int) -> list[DesignPoint]:
    """Random points of one plugin combination, the most expensive to cost."""
    codec = Codec(space)
    drawn = (codec.random_point(seed) for seed in range(100 * count))
    wanted = (point for point in drawn if (point.generator, point.compressor) == ("shared-prefix", "two-stage"))
    return list(islice(wanted, count))


def eight_on_bert_base() -> dse.Workload:
    """BERT-base with eight tasks."""
    return shapes(8, encoder(12, 768, 3072, 12))


def four_on_minilm() -> dse.Workload:
    """The quickstart's shapes."""
    return shapes(4, encoder(6, 384, 1536, 12))
