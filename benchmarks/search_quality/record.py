"""Record what every task scores at every setting of its own: `python -m benchmarks.search_quality.record NAME`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from dse.records.design import DesignPoint
from dse.records.parameters import Scalar
from dse.records.plugin import Kind
from dse.samplers.encoding import Codec
from dse.space.domain import at, size
from dse.space.searchspace import SearchSpace

FOLDER = Path(__file__).parent
SPLITS = ("search", "report")
SEARCHED: tuple[Kind, Kind] = ("generator", "compressor")
"""Kinds of plugin that scores depend on."""


def main(name: str) -> None:
    """Score every setting, the same for all tasks, on both splits, and write table, shapes and clip statistics."""
    import pandas as pd

    from dse.commands.open import open_problem
    from dse.study.load import request

    with open_problem(request(FOLDER / f"{name}.toml", "auto", None, ()), None, in_process=True) as (problem, space, _):
        problem.prepare(scores=True)
        rows = []
        settings = list(uniform_points(space))
        for index, point in enumerate(settings):
            scores = {split: problem.score(point, split) for split in SPLITS}
            for task, own in enumerate(problem.tasks):
                found = {f"{split}": scores[split].tasks[own] for split in SPLITS}
                found |= {f"{split}.baseline": scores[split].baseline[own] for split in SPLITS}
                rows.append({"task": own, "setting": json.dumps(setting_of(point, task)), **found})
            print(f"{index + 1} of {len(settings)}", file=sys.stderr)
        any_problem: Any = problem
        shape = asdict(any_problem.workload)  # its digests say which weights and data were scored
        cosines = any_problem.plugin("compressor", "two-stage")._cosines  # noqa: SLF001  # what its footprint follows from
    pd.DataFrame(rows).to_parquet(FOLDER / f"{name}.parquet", index=False)
    (FOLDER / f"{name}.json").write_text(json.dumps(shape) + "\n", encoding="utf-8")
    np.savez_compressed(FOLDER / f"{name}.npz", cosines=cosines)


def uniform_points(space: SearchSpace) -> Iterator[DesignPoint]:
    """Every combination of plugins and of the values a task may have, the same for all tasks."""
    codec = Codec(space)
    for kinds in product(*(space.plugins[kind] for kind in SEARCHED)):
        chosen = dict(zip(SEARCHED, kinds, strict=True))
        plain = codec.decode({str(kind): name for kind, name in chosen.items()} | _defaults(codec))
        items = [
            item
            for kind, name in chosen.items()
            for item in space.by_plugin[kind, name]
            if not item.elements[0].is_fixed
        ]
        values = [
            [at(item.elements[0].domain, index) for index in range(int(size(item.elements[0].domain)))]
            for item in items
        ]
        for setting in product(*values):
            named: dict[str, Any] = {
                item.declared.full_name: (value,) * len(space.tasks) for item, value in zip(items, setting, strict=True)
            }
            yield replace(plain, values={**plain.values, **named})


def setting_of(point: DesignPoint, task: int) -> list[Scalar]:
    """Return everything that a task's score depends on: plugins, and the task's values of their parameters, by name."""
    own: list[Scalar] = [point.generator, point.compressor]
    for name in sorted(point.values):
        if name.endswith(".input_bits"):  # 8 in every record
            continue
        if name.startswith((f"generator.{point.generator}.", f"compressor.{point.compressor}.")):
            value = point.values[name]
            own.append(value[task] if isinstance(value, tuple) else value)  # type: ignore[arg-type]  # neither plugin has parameters by layer
    return own


def _defaults(codec: Codec) -> dict[str, Any]:
    return {name: domain.default for name, domain in codec.domains.items()}


if __name__ == "__main__":
    main(sys.argv[1])
