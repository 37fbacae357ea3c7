"""Cost of arrays that are not ideal: time to draw and to convert, and points lost by the quickstart's tasks."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.figures import Figure, best_of, choose_size, measures
from benchmarks.problems import QUICKSTART
from benchmarks.smoke import space_file

NAMES = ("independent", "none", "fixed", "isaac")
DRAWS = 2
NEVER_STUCK = {"stuck_on": 0.0, "stuck_off": 0.0}
LEVELS: Mapping[str, Mapping[str, Any]] = {
    "lognormal_0.02": {"cell_model": "lognormal", "cell_options": {"sigma": 0.02}},
    "lognormal_0.05": {"cell_model": "lognormal", "cell_options": {"sigma": 0.05}},
    "lognormal_0.1": {"cell_model": "lognormal", "cell_options": {"sigma": 0.1}},
    "wan22_1s": {"cell_model": "wan22", "cell_age": "1 s", "cell_options": NEVER_STUCK},
    "wan22_1d": {"cell_model": "wan22", "cell_options": NEVER_STUCK},
}


@measures(*(f"nonideal.drop.{name}" for name in LEVELS))
def drops() -> Iterator[Figure]:
    """Separate models, whole in 8 bits on cells of 1 bit, at more and more spread."""
    import dse
    from dse.cache import default_cache
    from dse.score.build import build_problem
    from dse.space.file import parse

    raw = tomllib.loads(space_file(QUICKSTART).read_text(encoding="utf-8"))
    for name, options in LEVELS.items():
        raw["hardware"] = {"plugins": ["isaac"], "isaac": {"options": {**options, "draws": DRAWS}}}
        problem = build_problem(parse(raw), dse.Registry().discover(), cache=default_cache())
        problem.prepare(scores=True)
        found = problem.score(problem.default_point(NAMES)).metrics
        how = f"ideal arrays, separate 8-bit models; {DRAWS} chips, {found['accuracy_drop_spread']:.2f} points apart"
        yield Figure(f"nonideal.drop.{name}", found["accuracy_drop"], "points", "", how)


@measures("nonideal.draw_s", "nonideal.convert_token_ms")
def times() -> Iterator[Figure]:
    """One feed-forward matrix of MiniLM, scaled to its six layers."""
    import numpy as np
    import torch

    import dse
    from dse.models.inference.adc import product
    from dse.records.stored import Matrices
    from dse.score.adc_pieces import OnConverters, converter
    from dse.score.cells import Cells
    from dse.score.device import find_device

    shape, key, tokens, matrices = choose_size((1536, 384), (128, 128)), (0, 0), choose_size(256, 4), 18
    fields = {"rows": 128, "columns": 128, "cell_bits": 1, "adc_bits": 7, "dac_bits": 1, "input_bits": 8, "encoding": 0}
    values: dict[str, Any] = {name: np.array([value]) for name, value in fields.items()}
    chip = dse.Geometry(**values)
    codes = np.random.default_rng(0).normal(0, 20, shape).round().clip(-128, 127).astype(np.int16)
    stored = dse.Stored((dse.Term(torch.from_numpy(codes), torch.tensor(1.0), dse.FULL_MAGNITUDE),))
    what = dse.Nonideality(cell_model="wan22", cell_draws="cells")
    cells = Cells(what, chip, 0, find_device(dse.Registry().discover(), what))
    yield Figure(
        "nonideal.draw_s",
        matrices * best_of(lambda: cells.program(stored, "t", key), 3),
        "s",
        "",
        "nothing; every cell of MiniLM-L6 in 8 bits of 1-bit cells, once",
    )
    real = dse.Nonideality(adc="real")
    adc = converter(real, chip)
    assert adc is not None
    (piece,) = OnConverters(Cells(real, chip, 0), adc, "none").arrays(stored, "t", key, Matrices({}), shape)
    inputs = torch.randint(-127, 128, (tokens, shape[1])).float()
    start = time.perf_counter()
    product(piece, inputs)
    spent = time.perf_counter() - start
    yield Figure(
        "nonideal.convert_token_ms",
        1e3 * matrices * spent / tokens,
        "ms",
        "",
        "nothing; 7-bit ADCs, MiniLM-L6, one token",
    )
