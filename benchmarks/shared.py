"""A training step on a machine that other processes use too, and alone against version 0.1.0."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, choose_size, measures
from dse.threads import count_cores

ROOT = Path(__file__).parent.parent
WHEEL = ROOT / "benchmarks" / "baseline" / "dse_reram-0.1.0-py3-none-any.whl"
TREE = os.pathsep.join((str(ROOT), str(ROOT / "plugins")))
SETTINGS_OF_THREADS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "KMP_BLOCKTIME")
ROUNDS, STEPS = 5, 12

STEP = """
import statistics, sys, time
import dse
assert dse.__file__.startswith(sys.argv[1]), dse.__file__
import torch, transformers
layers, steps = int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(0)
config = transformers.BertConfig(
    hidden_size=384, num_hidden_layers=layers, num_attention_heads=12, intermediate_size=1536)
model = transformers.BertForSequenceClassification(config).train()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
tokens, labels = torch.randint(0, 30000, (32, 32)), torch.randint(0, 2, (32,))
times = []
for _ in range(steps + 2):
    start = time.perf_counter()
    optimiser.zero_grad()
    model(input_ids=tokens, labels=labels).loss.backward()
    optimiser.step()
    times.append(time.perf_counter() - start)
print(statistics.median(times[2:]))
"""
"""Median of the training steps of an encoder of MiniLM-L6's size, 32 rows of 32 tokens, in a process that imports `dse` first."""


@measures("shared.slowdown", "shared.alone_ratio")
def steps() -> Iterator[Figure]:
    """Times of a step beside a busy loop on every core, alone, and alone with the wheel of 0.1.0, in turns."""
    alone, before, beside = [], [], []
    for _ in range(choose_size(ROUNDS, 1)):
        alone.append(time_step(TREE))
        before.append(time_step(str(WHEEL)))
        with busy_cores():
            beside.append(time_step(TREE))
    here, there = statistics.median(alone), statistics.median(before)
    what = f"a step alone: {1e3 * here:.0f} ms"
    yield Figure("shared.slowdown", statistics.median(beside) / here, "", "<= 2.5", what)
    yield Figure("shared.alone_ratio", here / there, "", "<= 1.05", f"a step of 0.1.0 alone: {1e3 * there:.0f} ms")


def time_step(path: str) -> float:
    """Return the median seconds of a training step with the `dse` of a path, its threads as that version sets them."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS_OF_THREADS}
    layers, steps = choose_size((6, STEPS), (1, 1))
    command = [sys.executable, "-P", "-c", STEP, path.split(os.pathsep, maxsplit=1)[0], str(layers), str(steps)]
    done = subprocess.run(command, env=environment | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy with a process of its own."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count_cores())]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
