"""The quickstart as a newcomer runs it: memory, time and what its front holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import SETTINGS, Figure, measures
from benchmarks.problems import QUICKSTART
from benchmarks.smoke import space_file

WATCHED = """
import resource, sys
from dse.cli import main
try:
    main()
finally:
    sys.stdout.flush()
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"VmHWM: {worker} kB of the worker", file=sys.stderr)
    with open("/proc/self/status") as status:
        print(*[line for line in status if line.startswith("VmHWM")], file=sys.stderr)
"""
"""`dse` in a process that says its own peak memory and its worker's: the system's account of a child begins with its
parent's, which is small here and was large outside."""


@measures(
    "quickstart.peak_gb",
    "quickstart.trials",
    "quickstart.front",
    "quickstart.array_area_ratio_at_drop_1",
    "quickstart.run_s",
)
def quickstart() -> Iterator[Figure]:
    """Run it in a process of its own; what is cached is reused, unless everything was asked for."""
    import pandas as pd

    space = space_file(QUICKSTART)
    with tempfile.TemporaryDirectory() as folder:
        cold = {"DSE_CACHE": str(Path(folder) / "cache")} if SETTINGS.full else {}
        command = [sys.executable, "-c", WATCHED, "run", str(space), "--results", folder]
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | cold)
        seconds = time.perf_counter() - start
        trials = pd.read_parquet(Path(folder) / space.stem / "trials.parquet")
        front = pd.read_parquet(Path(folder) / space.stem / "pareto.parquet")
    peak = max(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+) kB", done.stderr)) / 1e6
    good = front[(front["accuracy_drop"] <= 1.0) & (front["writes"] == 0)]
    cache = "empty cache" if SETTINGS.full else "downloads, models and scores may be cached"
    yield Figure(
        "quickstart.peak_gb", peak, "GB", "<= 4", f"the larger process of `dse run spaces/quickstart.toml`; {cache}"
    )
    yield Figure(
        "quickstart.trials", float(trials["status"].eq("done").sum()), "trials", ">= 60", "done, no duplicates"
    )
    yield Figure("quickstart.front", len(front), "points", ">= 8", "different objective values")
    yield Figure(
        "quickstart.array_area_ratio_at_drop_1",
        float(good["array_area_ratio"].min()),
        "ratio",
        "<= 0.45",
        "baseline: separate models whole in 8 bits; smallest on the front at accuracy_drop <= 1, all resident",
    )
    yield Figure("quickstart.run_s", seconds, "s", "", f"nothing; {cache}")
