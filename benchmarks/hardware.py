"""Speed of the cheap half: footprint, counting, residency, schedule and sums, on one core."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from benchmarks.figures import Figure, best_of, choose_size, measures
from benchmarks.problems import costed_problem, drawn_points, eight_on_bert_base, four_on_minilm
from benchmarks.shared import ROOT, WHEEL

POINTS, ROUNDS = 4096, 5


@contextmanager
def one_core() -> Iterator[None]:
    """Keep the block on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@measures("hardware.points_per_s.quickstart", "hardware.points_per_s.bert_base_8", "hardware.single_point_ms")
def speed() -> Iterator[Figure]:
    """Points a second in batch, and milliseconds of one point alone."""
    compared = "none: absolute, generator shared-prefix, compressor two-stage, scheduler searched, hardware isaac"
    for name, workload, target in (
        ("quickstart", four_on_minilm(), 10_000),
        ("bert_base_8", eight_on_bert_base(), 2_000),
    ):
        problem, space = costed_problem(workload)
        points = drawn_points(space, choose_size(POINTS, 8))
        problem.cost(points[:8])
        with one_core():
            seconds = best_of(partial(problem.cost, points), repeats=3)
        yield Figure(f"hardware.points_per_s.{name}", len(points) / seconds, "points/s", f">= {target}", compared)
        if name == "bert_base_8":
            with one_core():
                single = best_of(partial(problem.cost, points[:1]), repeats=50)
            yield Figure("hardware.single_point_ms", 1e3 * single, "ms", "<= 2", "one point of BERT-base, eight tasks")


SEARCHED = {
    "isaac": {
        "array_size": {"choices": [64, 128]},
        "cell_bits": {"choices": [1, 2]},
        "adcs_per_ima": {"choices": [2, 4, 8]},
        "arrays_per_ima": {"choices": [4, 8, 16]},
    }
}
"""Hardware parameters that are searched in the comparison: 36 different baselines."""
RATE = """
import importlib, json, sys, time
for now, then in json.loads(sys.argv[1]).items():
    sys.modules[now] = importlib.import_module(then)
import dse
from benchmarks.problems import costed_problem, drawn_points, four_on_minilm
problem, space = costed_problem(four_on_minilm(), json.loads(sys.argv[2]), sampler="random")
points = drawn_points(space, int(sys.argv[3]))
problem.cost(points[:8])
start = time.perf_counter()
problem.cost(points)
print(len(points) / (time.perf_counter() - start), dse.__file__)
"""
"""Points per second of the quickstart's shapes; names of modules follow the version that is found."""
NAMES_THEN = {
    "dse.records.design": "dse.records.point",
    "dse.samplers.encoding": "dse.search.encoding",
    "dse.score.problem": "dse.pipeline.problem",
    "dse.space.file": "dse.search.space",
    "dse.space.resolve": "dse.search.resolve",
    "dse.space.searchspace": "dse.search.searchspace",
}
"""Modules of the problem, and their names in 0.1.0."""


@measures("hardware.vs_v010", "hardware.vs_v010_searched")
def against_v010() -> Iterator[Figure]:
    """Points per second by those of the wheel of 0.1.0, in turns: with fixed hardware, and with searched hardware."""
    with TemporaryDirectory() as folder:
        with ZipFile(WHEEL) as wheel:
            wheel.extractall(folder)
        for name, free, target in (("vs_v010", {}, 0.8), ("vs_v010_searched", SEARCHED, 0.3)):
            rates: dict[str, list[float]] = {"now": [], "then": []}
            for _ in range(choose_size(ROUNDS, 1)):
                rates["now"].append(rate(ROOT / "plugins", {}, free))
                rates["then"].append(rate(Path(folder), NAMES_THEN, free))
            now, then = (statistics.median(values) for values in rates.values())
            said = f"{then:.0f} points/s of 0.1.0, median of {len(rates['then'])} rounds"
            yield Figure(f"hardware.{name}", now / then, "ratio", f">= {target}", said)


def rate(packages: Path, names: dict[str, str], free: dict[str, Any]) -> float:
    """Return the points per second of the version of dse in a folder, on one core."""
    path = os.pathsep.join((str(packages), str(ROOT)))
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    count = str(choose_size(POINTS, 8))
    command = [sys.executable, "-P", "-c", RATE, json.dumps(names), json.dumps(free), count]
    with one_core():
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    points_per_s, file = said.split()
    assert file.startswith(str(packages if names else ROOT)), f"{file} was measured"
    return float(points_per_s)
