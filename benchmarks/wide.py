"""Studies with many tasks: memory per task, and the time of the quickstart with and without a bound of that memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.caches import fine_tuned_only
from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import QUICKSTART
from benchmarks.quickstart import WATCHED
from benchmarks.smoke import space_file
from dse.cache import default_cache

FEW, MANY = 4, 16
ROUNDS, TRIALS = 3, 16
MINILM = {
    "vocab_size": 30_522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}
SPACE = """
schema = 1
name = "wide"

[workload]
base = "model"
{tasks}
[search]
sampler = "random"
trials = 3

[generator]
plugins = ["independent", "shared-prefix"]

[compressor]
plugins = ["none"]

[scheduler]
plugins = ["fixed"]

[hardware]
plugins = ["isaac"]
"""
TASK = """
[[workload.tasks]]
name = "task{index}"
kind = "classification"
metric = "accuracy"
max_length = 16
checkpoint = "task{index}"
data = {{ path = "verdict.tsv", columns = {{ text = "text", label = "label" }} }}
"""


@measures("wide.mb_per_task")
def memory() -> Iterator[Figure]:
    """Peak memory of studies of few and of many ready checkpoints of MiniLM-L6's size, each with embeddings of its own."""
    few, many = choose_size((FEW, MANY), (1, 2))
    with TemporaryDirectory() as folder:
        home = Path(folder)
        write_checkpoints(home, many)
        peaks = []
        for tasks in (few, many):
            space = home / f"wide{tasks}.toml"
            text = SPACE.format(tasks="".join(TASK.format(index=index) for index in range(tasks)))
            space.write_text(text, encoding="utf-8")
            peaks.append(run_study(space, home / f"cache{tasks}"))
    said = f"{few} tasks: {peaks[0]:.0f} MB, {many} tasks: {peaks[1]:.0f} MB, the larger process; 92 in version 0.1.0"
    yield Figure("wide.mb_per_task", (peaks[1] - peaks[0]) / (many - few), "MB/task", "<= 12", said)


@measures("wide.slowdown")
def slowdown() -> Iterator[Figure]:
    """Time of the first trials of the quickstart, all scores evaluated, by that of a study that reads no task twice, in turns."""
    text, trials = space_file(QUICKSTART).read_text(encoding="utf-8"), choose_size(TRIALS, 1)
    times: dict[str, list[float]] = {"bounded": [], "unbounded": []}
    with TemporaryDirectory() as folder:
        for name in times:
            wide = text if name == "bounded" else text.replace("[search]\n", "[search]\nmemory_gb = 1e6\n")
            Path(folder, f"{name}.toml").write_text(wide, encoding="utf-8")
        run_study(Path(folder, "bounded.toml"), default_cache(), trials=1)  # fine-tunes what is not in the cache
        for _ in range(choose_size(ROUNDS, 1)):
            for name, seconds in times.items():
                with fine_tuned_only() as cache:
                    start = time.perf_counter()
                    run_study(Path(folder, f"{name}.toml"), cache, trials=trials)
                    seconds.append(time.perf_counter() - start)
    best = {name: min(seconds) for name, seconds in times.items()}
    said = f"memory_gb = 1e6: {best['unbounded']:.1f} s for {trials} trials, shortest of {len(times['bounded'])}"
    yield Figure("wide.slowdown", best["bounded"] / best["unbounded"], "ratio", "<= 1.05", said)


def write_checkpoints(folder: Path, tasks: int) -> None:
    """Write a base, checkpoints with other random weights, and text."""
    from tests.support.tiny import CLASSIFIER, make_config, make_model, write_data, write_tokenizer

    sizes: dict[str, Any] = dict(choose_size(MINILM, {}))
    config = make_config(**sizes)
    for seed, name in enumerate(("model", *(f"task{index}" for index in range(tasks)))):
        make_model(config, head=CLASSIFIER, seed=seed).save_pretrained(folder / name)
        write_tokenizer(folder / name)
    write_data(folder)


def run_study(space: Path, cache: Path, *, trials: int | None = None) -> float:
    """Run a study in a process of its own, from nothing but a cache; return the peak memory of its larger process, MB."""
    with TemporaryDirectory() as results:
        limit = () if trials is None else ("--trials", str(trials))
        command = [sys.executable, "-c", WATCHED, "run", str(space), "--results", results, *limit]
        environment = os.environ | {"DSE_CACHE": str(cache)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return max(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+) kB", done.stderr)) / 1e3
