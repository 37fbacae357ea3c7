"""Small workloads without weights, for tests of cost."""

from __future__ import annotations

from typing import Any

import dse
from dse.testing import TinyContext, tiny_geometry


class BoundContext(TinyContext):
    """A context that is the same for every plugin, since it caches nothing."""

    def of_plugin(self, kind: str, name: str) -> BoundContext:
        del kind, name
        return self


def encoder(*, layers: int = 2, hidden: int = 32, ffn: int = 64, heads: int = 4) -> dse.Encoder:
    matrices = (
        dse.Matrix("q", hidden, hidden, "q", "query"),
        dse.Matrix("k", hidden, hidden, "q", "key"),
        dse.Matrix("v", hidden, hidden, "q", "value"),
        dse.Matrix("o", hidden, hidden, "o", "attention_output"),
        dse.Matrix("in", hidden, ffn, "in", "ffn_in"),
        dse.Matrix("out", ffn, hidden, "out", "ffn_out"),
    )
    return dse.Encoder(layers, matrices, heads, hidden, ffn, vector_parameters=100, embedding_parameters=10_000)


def workload(tasks: int = 3, *, mode: str = "independent", batch: float = 4.0, **shape: int) -> dse.Workload:
    names = [f"task{index}" for index in range(tasks)]
    return dse.Workload(
        "tiny",
        encoder(**shape),
        tuple(dse.Task(name, 10.0, 120.0, 500, 1 / tasks) for name in names),
        dse.Traffic(mode, batch),  # type: ignore[arg-type]
        {"base": "b", **{f"task.{name}": name for name in names}, **{f"data.{name}": name for name in names}},
    )


def bert_base(tasks: int = 1) -> dse.Workload:
    return workload(tasks, layers=12, hidden=768, ffn=3072, heads=12)


def minilm(tasks: int = 1) -> dse.Workload:
    return workload(tasks, layers=6, hidden=384, ffn=1536, heads=12)


def geometry(points: int = 1, **changes: Any) -> dse.Geometry:
    """The ICCAD'21 configuration, with changes."""
    return tiny_geometry(points, **changes)
