"""Kang et al., ICCAD 2021, on real tasks: the paper's table beside ours, and how far past it `graded` goes.

`FULL=1` runs everything and writes the record, from which figures and the page come otherwise. Designs are chosen on the
search split; the report split is scored afterwards.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.caches import fine_tuned_only
from benchmarks.figures import RECORDED, SETTINGS, Figure, measures
from benchmarks.pages import plain, read_record, write_record
from benchmarks.problems import SPACES
from dse.study.provenance import ACCOUNTING
from reproductions.kang2021.others import measure as measure_others
from reproductions.kang2021.page import LARGE, PAGE, page

RECORD = Path(__file__).parent / "record.json"
SUITES = {"": ("kang2021", "kang2021-beyond"), ".glue8": ("glue8", "glue8-beyond")}
"""Suffix of the figures, and the space files of the paper's system and of what goes past it."""
MODES = ("acc", "opt", "agg")
MODE_DROP = 0.5
TARGETS = (0.5, 1.5)
PROPOSED = (0.1, 0.2, 0.3, 0.5, 1.0, 1.25)
"""Mean drops on the search split that the profile proposes designs for, to start the search from."""
NAMES = (
    "profile_s",
    *(f"{mode}.{what}" for mode in ("acc", "agg") for what in ("area_ratio", "drop")),
    *(f"area_at_drop_{target:g}" for target in TARGETS),
)
WANTED = {
    "profile_s": "<= 600",
    "acc.area_ratio": "<= 0.27",
    "acc.drop": "<= 0.5",
    "agg.area_ratio": "<= 0.21",
    "agg.drop": "<= 2.7",
    "area_at_drop_0.5": "<= 0.2",
    "area_at_drop_1.5": "<= 0.17",
}
UNMET = 1.0
"""Value of an area whose design missed its target on the report split: that of no compression."""


@measures(*(f"kang.{name}{suffix}" for suffix in SUITES for name in NAMES))
def kang() -> Iterator[Figure]:
    """Figures of the record, measured again with ``--full``."""
    if SETTINGS.full:
        measure()
    record = read_record(RECORD)
    for suffix, names in SUITES.items():
        if names[0] in record:
            yield from _figures(record[names[0]], record[names[1]], suffix)


def _figures(paper: dict[str, Any], beyond: dict[str, Any], suffix: str) -> Iterator[Figure]:
    text = f"profile of two-stage, eight tasks, fine-tuned models cached, no score; {RECORDED}"
    yield Figure(f"kang.profile_s{suffix}", paper["profile_s"], "s", WANTED["profile_s"], text)
    for mode in ("acc", "agg"):
        found = paper["modes"][mode]
        area, drop = f"{mode}.area_ratio", f"{mode}.drop"
        text = f"two-stage, mode {mode}, chosen on the search split; baseline: separate models in 8 bits; {RECORDED}"
        yield Figure(f"kang.{area}{suffix}", found["array_area_ratio"], "ratio", WANTED[area], text)
        low, high = found["report.accuracy_drop_low"], found["report.accuracy_drop_high"]
        text = f"the same design on the report split, 95 % interval [{low:.2f}, {high:.2f}]; {RECORDED}"
        yield Figure(f"kang.{drop}{suffix}", found["report.accuracy_drop"], "points", WANTED[drop], text)
    for target in TARGETS:
        name, found = f"area_at_drop_{target:g}", beyond["choices"][f"{target:g}"]
        value, text = UNMET, "no design chosen on the search split"
        if found is not None:
            value = found["array_area_ratio"] if found["met"] else UNMET
            interval = f"[{found['report.accuracy_drop_low']:.2f}, {found['report.accuracy_drop_high']:.2f}]"
            text = f"graded; trial {found['trial']}, report drop {found['report.accuracy_drop']:.2f} {interval}"
        yield Figure(f"kang.{name}{suffix}", value, "ratio", WANTED[name], f"{text}; {RECORDED}")


def measure() -> None:
    """Profile, search and validate every study; write the record after each, and the page at the end.

    Scores that are cached are not measured again, except for the profile's time.
    """
    record: dict[str, Any] = {"accounting": ACCOUNTING}
    with tempfile.TemporaryDirectory() as folder:
        for paper, beyond in SUITES.values():
            record[paper] = {"profile_s": _profile_seconds(paper)} | reproduced(paper, Path(folder))
            record[beyond] = _study(beyond, Path(folder), TARGETS)
            write_record(RECORD, record)
        record["others"] = measure_others(Path(folder))
        write_record(RECORD, record)
        record[LARGE] = reproduced(LARGE, Path(folder))
        write_record(RECORD, record)
    PAGE.write_text(page(record), encoding="utf-8")


def reproduced(name: str, results: Path) -> dict[str, Any]:
    """Differences, tasks, modes and choices of a study with the paper's compressor."""
    return {"tasks": _tasks(name), "deltas": _deltas(name)} | _study(name, results, (MODE_DROP,))


def _study(name: str, results: Path, targets: tuple[float, ...]) -> dict[str, Any]:
    """Profile, search from its proposals, and validate for each target."""
    import dse

    space = SPACES / f"{name}.toml"
    profiled = dse.profile(space, results=results, max_drops=PROPOSED)
    ran = dse.run(space, results=results, start=profiled.proposals_path)
    choices: dict[str, Any] = {}
    for target in targets:
        done = dse.validate(ran.folder, target_drop=target, chosen_only=True)
        rows = done.rows.set_index("trial", drop=False)
        choice = None if done.choice is None else json.loads(rows.loc[done.choice].to_json())
        choices[f"{target:g}"] = choice and choice | {"met": done.met}
    trials = dse.pareto(ran.folder)
    return {
        "modes": _modes(profiled.proposals, ran.trials, done.rows),
        "choices": choices,
        "rule": done.rule,
        "optimism": done.optimism,
        "front": len(trials),
        "clusters": profiled.table.groupby("task", sort=False)["cluster"].first().to_dict(),
    }


def _modes(proposals: Any, trials: Path, validated: Any) -> dict[str, Any]:
    """Both splits of each mode's design, found again among the trials by its parameters."""
    import pandas as pd

    everything = pd.read_parquet(trials)
    columns = [name for name in proposals.columns if name.startswith("param.")]

    def key(row: Any) -> str:
        return json.dumps([plain(row[name]) for name in columns])

    number = {key(row): int(row["trial"]) for row in everything[everything["status"] == "done"].to_dict("records")}
    found = {}
    for row in proposals.to_dict("records"):
        if row["proposal"] in MODES:
            trial = number[key(row)]
            whole: Any = everything.set_index("trial").loc[trial]
            both = json.loads(validated.set_index("trial", drop=False).loc[trial].to_json())
            settings = {name: plain(row[name]) for name in columns if "compressor" in name}
            found[row["proposal"]] = both | {"energy_ratio": float(whole["energy_ratio"]), "settings": settings}
    return found


def _profile_seconds(name: str) -> float:
    """Time a profile with nothing cached except fine-tuned models; what it measured is kept for the study."""
    import dse

    dse.deltas(SPACES / f"{name}.toml")  # fine-tunes what has not been
    with fine_tuned_only("scores", "plugins") as cache:
        start = time.perf_counter()
        dse.profile(SPACES / f"{name}.toml", results=cache.parent / "results", cache=cache)
        return time.perf_counter() - start


def _deltas(name: str) -> dict[str, Any]:
    """Return statistics of each task's deltas."""
    import dse

    table = dse.deltas(SPACES / f"{name}.toml")
    whole: dict[str, Any] = json.loads(table[table["layer"] == "all"].set_index("task").to_json(orient="index"))
    return whole


def _tasks(name: str) -> dict[str, Any]:
    """What each task's scores on the report split stand beside."""
    from benchmarks.tfidf import tfidf
    from dse.cache import default_cache
    from dse.models.inference import task_metrics as metrics
    from dse.models.shapes import load
    from dse.score.metrics import MEASURABLE
    from dse.space.workload import parse
    from dse.study.load import request

    asked = request(SPACES / f"{name}.toml", "auto", None, ())
    loaded = load(parse(asked.space.workload, path=asked.space.path), cache=default_cache())
    found = {}
    for task, work in loaded.tasks.items():
        score = work.evaluator.score(work.weights, split="report").value
        chance = metrics.chance(work.spec.metric, work.evaluator.labels("report"))
        found[task] = {
            "metric": work.spec.metric,
            "fine_tuned": score,
            "constant": chance,
            "tfidf": tfidf(work.spec, work.splits, "report"),
            "rows": work.facts.rows,
            "flagged": bool(score - chance <= MEASURABLE),
        }
    return found
