"""Whether designs of the quickstart, exported and loaded in a process of their own, score what the study recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import SETTINGS, Figure, choose_size, measures
from benchmarks.problems import QUICKSTART
from benchmarks.smoke import space_file

TRIALS, DESIGNS = 6, 3


@measures("export.max_score_difference", "export.megabytes")
def exports() -> Iterator[Figure]:
    """Run a short study, and export the designs of its front that score best, each with its rows left at home."""
    import dse

    with tempfile.TemporaryDirectory() as folder:
        done = dse.run(space_file(QUICKSTART), results=folder, trials=choose_size(TRIALS, 2), in_process=SETTINGS.smoke)
        best = dse.pareto(done.folder).sort_values("score_mean", ascending=False).head(choose_size(DESIGNS, 1))
        made = [
            dse.export(done.folder, int(trial), Path(folder) / f"chip{trial}", check=True) for trial in best["trial"]
        ]
    scores = [table.scores["difference"] for table in made]
    what = f"recorded scores of {sum(map(len, scores))} tasks of {len(made)} designs; empty cache, fresh process"
    yield Figure("export.max_score_difference", max(float(each.max()) for each in scores), "score", "<= 0", what)
    largest = max(one.megabytes for one in made)
    yield Figure("export.megabytes", largest, "MB", "", "nothing: the largest export, float32 embeddings included")
