"""The quickstart as a newcomer runs it: memory, time and what its front holds."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, measures
from benchmarks.problems import QUICKSTART


@measures(
    "quickstart.peak_gb",
    "quickstart.trials",
    "quickstart.front",
    "quickstart.array_area_ratio_at_drop_1",
    "quickstart.run_s",
)
def quickstart() -> Iterator[Figure]:
    """Run it in a process of its own; what is cached is reused."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "dse", "run", str(QUICKSTART), "--results", folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
        trials = pd.read_parquet(Path(folder) / "quickstart" / "trials.parquet")
        front = pd.read_parquet(Path(folder) / "quickstart" / "pareto.parquet")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    good = front[(front["accuracy_drop"] <= 1.0) & (front["writes"] == 0)]
    yield Figure("quickstart.peak_gb", peak, "GB", "<= 4", "largest process of `dse run spaces/quickstart.toml`")
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
    yield Figure("quickstart.run_s", seconds, "s", "", "nothing: downloads, models and scores may be cached")
