"""Time that a person waits for an answer about many results."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from benchmarks.browser import looked
from benchmarks.figures import Figure, best_of, choose_size, measures

EXAMPLE = Path(__file__).resolve().parents[1] / "results" / "example" / "trials.parquet"
STUDIES, TRIALS = 20, 50_000
REPORTED = 2_000
SQL = "SELECT study, compressor, count(*), min(area_mm2), avg(\"area.adc\") FROM trials WHERE status = 'done' GROUP BY ALL"


@measures("readers.query_million_s", "readers.pareto_million_s")
def readers() -> Iterator[Figure]:
    """Seconds of a whole process over a million trials in twenty studies."""
    with TemporaryDirectory() as folder:
        for number in range(choose_size(STUDIES, 2)):
            write_study(Path(folder) / f"study{number}", number, choose_size(TRIALS, 200))
        commands = {"query": ["query", SQL, folder], "pareto": ["pareto", folder, "--where", "accuracy_drop < 2"]}
        for name, words in commands.items():
            command = [sys.executable, "-m", "dse", *words]
            seconds = best_of(partial(subprocess.run, command, check=True, capture_output=True))
            yield Figure(f"readers.{name}_million_s", seconds, "s", "<= 2", "nothing: whole process, best of five")


@measures("readers.report_s", "readers.report_mb", "readers.report_usable_s", browser=True)
def report() -> Iterator[Figure]:
    """The report of a study: how long its writing takes, how large it is, and when a browser has it ready."""
    with TemporaryDirectory() as name:
        folder, page = Path(name) / "study", Path(name) / "report.html"
        trials = choose_size(REPORTED, 100)
        write_study(folder, 0, trials)
        command = [sys.executable, "-m", "dse", "report", str(folder), "--out", str(page)]
        seconds = best_of(partial(subprocess.run, command, check=True, capture_output=True), repeats=3)
        size = page.stat().st_size / 1e6
        text = f"nothing: whole process, {trials} trials, best of three runs; the page has {size:.1f} MB"
        yield Figure("readers.report_s", seconds, "s", "<= 15", text)
        yield Figure("readers.report_mb", size, "MB", "<= 10", f"nothing: one file, {trials} trials")
        ready = min(looked(page).usable_s for _ in range(choose_size(3, 1)))
        text = "nothing: from loading until the table filters and the figures on the screen are painted, best of three"
        yield Figure("readers.report_usable_s", ready, "s", "<= 3", text)


def write_study(folder: Path, seed: int, trials: int) -> None:
    """Write a study of designs of the committed one, each metric changed at random by up to a fifth."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from dse.results.pareto import mask_nondominated

    draw = np.random.default_rng(seed)
    known = pq.ParquetFile(EXAMPLE).read(use_threads=False)
    done = known.filter(pc.equal(known["status"], "done"))
    table = done.take(pa.array(draw.integers(0, len(done), trials)))
    changed: dict[str, NDArray[Any]] = {"trial": np.arange(trials)}
    for name in ("area_mm2", "energy_uj", "score_mean", "array_area_ratio", "energy_ratio", "accuracy_drop"):
        changed[name] = table[name].to_numpy() * draw.uniform(0.8, 1.2, trials)
    points = np.column_stack([changed[name] for name in ("area_mm2", "energy_uj", "score_mean")])
    changed["on_front"] = mask_nondominated(points, [False, False, True])
    for name, values in changed.items():
        index = table.schema.get_field_index(name)
        table = table.set_column(index, table.schema.field(index), pa.array(values))
    folder.mkdir()
    pq.write_table(table, folder / "trials.parquet")
    pq.write_table(table.filter(table["on_front"]), folder / "pareto.parquet")
