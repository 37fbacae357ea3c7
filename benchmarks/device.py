"""Speed of scores on a measured device: a draw of every matrix, and a noisy score beside an ideal one."""

from __future__ import annotations

import statistics
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.figures import Figure, best_of, choose_size, measures
from benchmarks.problems import QUICKSTART, encoder
from benchmarks.smoke import space_file

NAMES = ("independent", "none", "fixed", "isaac")
DEVICE = {"cell_model": "wan22", "draws": 1}
ROUNDS = 3


@measures("device.draw_s")
def draw() -> Iterator[Figure]:
    """Every matrix of MiniLM-L6, drawn once from the moments of its codes."""
    import numpy as np
    import torch

    import dse
    from dse.score.cells import Cells
    from dse.score.device import find_device

    layers, hidden, ffn, heads = choose_size((6, 384, 1536, 12), (1, 32, 64, 4))
    fields = {"rows": 128, "columns": 128, "cell_bits": 1, "adc_bits": 8, "dac_bits": 1, "input_bits": 8, "encoding": 0}
    values: dict[str, Any] = {name: np.array([value]) for name, value in fields.items()}
    what = dse.Nonideality.model_validate(DEVICE)
    cells = Cells(what, dse.Geometry(**values), 0, find_device(dse.Registry().discover(), what))
    chance, stored = np.random.default_rng(0), {}
    for layer in range(layers):
        for index, matrix in enumerate(encoder(layers, hidden, ffn, heads).matrices):
            codes = chance.normal(0, 20, (matrix.columns, matrix.rows)).round().clip(-128, 127).astype(np.int16)
            term = dse.Term(torch.from_numpy(codes), torch.tensor(1.0), dse.FULL_MAGNITUDE)
            stored[layer, index] = dse.Stored((term,))

    def draw_all() -> None:
        for key, one in stored.items():
            cells.program(one, "t", key)

    draw_all()  # moments are integrated once
    spent = best_of(draw_all)
    yield Figure(
        "device.draw_s", spent, "s", "<= 0.3", "nothing; every matrix of MiniLM-L6 in 8 bits, once, on one core"
    )


@measures("device.score_ratio")
def score_ratio() -> Iterator[Figure]:
    """Compare scores of separate models on `wan22` with scores on ideal arrays, each from the codes to the score."""
    import dse
    from dse.cache import default_cache
    from dse.cost.combination import stack
    from dse.cost.cost import Built
    from dse.plugins.call import call_plugin
    from dse.records.plugin import KINDS
    from dse.score.build import build_problem
    from dse.score.cells import Cells
    from dse.score.device import find_device
    from dse.score.noisy_terms import OnChip
    from dse.score.stored_terms import Assembly
    from dse.space.file import parse

    registry = dse.Registry().discover()
    raw = tomllib.loads(space_file(QUICKSTART).read_text(encoding="utf-8"))
    problem = build_problem(parse(raw), registry, cache=default_cache())
    problem.prepare(scores=False)
    built = Built(NAMES, *(problem.plugin(kind, name) for kind, name in zip(KINDS, NAMES, strict=True)))
    params = stack([problem.default_point(NAMES)])
    geometry = call_plugin("hardware", "isaac", built.hardware.geometry, params["hardware"])
    what = dse.Nonideality.model_validate(DEVICE)
    device, ratios = find_device(registry, what), []
    for task in range(len(problem.tasks)):

        def score(chip: int | None, task: int = task) -> None:
            made = Assembly(problem.context, built, params, geometry)
            held = (made if chip is None else OnChip(made, Cells(what, geometry, chip, device))).of_task(task)
            problem.context.evaluate(task, held, "search", 8, made.owners(task))

        score(None)  # the model is loaded and the text tokenised once
        score(0)
        rounds = [(spend(partial(score, None)), spend(partial(score, chip))) for chip in range(choose_size(ROUNDS, 1))]
        ratios.append(statistics.median(noisy for _, noisy in rounds) / statistics.median(ideal for ideal, _ in rounds))
    compared = f"ideal arrays, from the codes to the score; {len(ratios)} tasks, medians of {ROUNDS} rounds in turn, the worst task"
    yield Figure("device.score_ratio", max(ratios), "ratio", "<= 1.5", compared)


def spend(function: Callable[[], None]) -> float:
    """Return the time of one call, s."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
