"""The report: every figure shows what the tables hold, in one file that needs nothing else."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dse
from dse.results.objectives import read_objectives
from dse.results.read import read_table
from tests.support import tables
from tests.support.pages import EXAMPLE, Page, study

FIGURES = [
    "fronts", "fronts-3d", "tradeoff", "area", "energy", "drops", "parameters", "importance", "schedule", "hypervolume",
]  # fmt: skip
PUBLISHED = {
    "ICCAD 2021, acc": (0.26, 3.4, -0.1),
    "ICCAD 2021, opt": (0.23, None, 0.7),
    "ICCAD 2021, agg": (0.21, 4.5, 2.7),
}
"""Area at eight tasks, energy efficiency by area, points lost."""


@pytest.fixture(scope="module", params=["example", "infeasible", "no accuracy", "one trial", "four", "none"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies of every kind."""
    place = tmp_path_factory.mktemp("results") / "study"
    if request.param == "infeasible":
        return study(place, limit=25.0, trials=60)
    if request.param == "no accuracy":
        return study(place, trials=20, objectives=["area", "energy"])
    if request.param == "one trial":
        return study(place, trials=1)
    if request.param == "four":
        return study(place, trials=20, objectives=["accuracy", "area", "energy", "latency"])
    if request.param == "none":
        return study(place, trials=2, limit=0.1)
    return EXAMPLE


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    out = tmp_path_factory.mktemp("pages") / "report.html"
    assert dse.report(folder, out) == out
    return Page(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trials(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "trials.parquet")


@pytest.fixture(scope="module")
def front(folder: Path) -> pd.DataFrame:
    """The front, the best in the first objective first."""
    first = read_objectives(read_table(folder / "trials.parquet")[1]["objectives"])[0]
    rows = pd.read_parquet(folder / "pareto.parquet")
    return rows.sort_values([first.column, "trial"], ascending=[not first.maximise, True])


def points(trials: pd.DataFrame, name: str, columns: list[str]) -> list[list[float]]:
    """Designs of one kind that have all these columns, with their numbers."""
    kinds = {
        "front": trials["on_front"],
        "dominated": (trials["status"] == "done") & ~trials["on_front"].astype(bool),
        "infeasible": trials["status"] == "infeasible",
    }
    chosen: list[list[float]] = trials[kinds[name]].dropna(subset=columns)[["trial", *columns]].to_numpy().tolist()
    return sorted(chosen)


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    assert page.loaded == []
    assert sum("plotly.js v" in code for code in page.code) == 1
    assert page.size < 10_000_000


def test_every_part_is_there(page: Page, front: pd.DataFrame) -> None:
    laws = ["assumptions"] if len(front) else []
    assert [key for key in page.words if key] == ["summary", *FIGURES, *laws, "front", "provenance"]


@pytest.mark.parametrize(("key", "dimensions"), [("fronts", 2), ("fronts-3d", 3)])
def test_fronts_show_every_design_where_it_is(
    page: Page, folder: Path, trials: pd.DataFrame, key: str, dimensions: int
) -> None:
    names = [item.column for item in read_objectives(read_table(folder / "trials.parquet")[1]["objectives"])]
    wanted = list(itertools.combinations(names, dimensions))
    if not wanted:
        assert f"this figure needs {dimensions}" in page.words[key]
        return
    traces = iter(page.data[key]["data"])
    listed = []
    for columns in map(list, wanted):
        for name in ("infeasible", "dominated", "front"):
            if not (expected := points(trials, name, columns)):
                continue
            trace = next(traces)
            found = [
                list(point)
                for point in zip(trace["customdata"], *(trace[axis] for axis in "xyz"[:dimensions]), strict=True)
            ]
            assert (trace["name"], sorted(found)) == (name, expected)
            listed += [name] if trace["showlegend"] else []
        done = trials[trials["status"] == "done"]
        ratios = {"area_mm2": "area_ratio", "energy_uj": "energy_ratio"}
        if (
            len(done)
            and "latency_us" not in columns
            and ("score_mean" not in columns or done["score_mean"].notna().any())
        ):
            trace = next(traces)
            assert trace["name"] == "baseline"
            for axis, column in zip("xyz", columns, strict=False):
                base = (
                    done["score_mean"] + done["accuracy_drop_all"] / 100
                    if column == "score_mean"
                    else done[column] / done[ratios[column]]
                )
                assert trace[axis] == pytest.approx([base.iloc[0]])
        if papers := published(trials, columns):
            trace = next(traces)
            assert trace["name"] == "published"
            places = zip(trace["customdata"], *(trace[axis] for axis in "xyz"[:dimensions]), strict=True)
            assert {name: place for name, *place in places} == {
                name: pytest.approx(place) for name, place in papers.items()
            }
        if len(done) and dimensions == 2 and "energy_uj" in columns:
            trace = next(traces)
            assert trace["name"] == "TC 2023"
            axis = "xy"[columns.index("energy_uj")]
            assert trace[axis] == pytest.approx([(done["energy_uj"] / done["energy_ratio"]).iloc[0] / 4.4] * 2)
    # The fast problem's latency ratio is 1 for every design, so that its baseline is unknown unless all agree.
    assert all(trace["name"] in ("baseline", "best baseline") for trace in traces)
    assert len(listed) == len(set(listed))


def published(trials: pd.DataFrame, columns: list[str]) -> dict[str, list[float]]:
    """Where the designs of the ICCAD 2021 paper stand, those of which it tells all these columns."""
    done = trials[trials["status"] == "done"]
    if done.empty:
        return {}
    tasks = sum(name.startswith("score.") for name in trials.columns)
    found = {}
    for name, (area, efficiency, lost) in PUBLISHED.items():
        metrics = {"area_mm2": (done["area_mm2"] / done["area_ratio"]).iloc[0] * (1 / tasks + area - 1 / 8)}
        if efficiency is not None:
            metrics["energy_uj"] = (done["energy_uj"] / done["energy_ratio"]).iloc[0] / (efficiency * area)
        if done["score_mean"].notna().any():
            base = done["score_mean"] + done["accuracy_drop_all"] / 100
            metrics["score_mean"] = base.iloc[0] - lost / 100
        if all(column in metrics for column in columns):
            found[name] = [metrics[column] for column in columns]
    return found


def test_published_areas_follow_the_law_at_other_numbers_of_tasks() -> None:
    from dse.reports.published import DESIGNS, place_design
    from dse.reports.study import Study

    for tasks, area in ((2, 0.62), (4, 0.37), (8, 0.26)):
        columns = {"status": "done", "area_mm2": 5.0, "area_ratio": 0.5, "score_mean": None, "accuracy_drop_all": None}
        trials = pd.DataFrame([{**columns, **{f"score.{task}": None for task in range(tasks)}}])
        place = place_design(DESIGNS[0], Study("x", Path(), read_objectives(["area"]), {}, trials, {}))
        assert place == {"area_mm2": pytest.approx(10 * area, rel=0.05)}


def test_a_turn_is_drawn_visit_by_visit(page: Page, front: pd.DataFrame) -> None:
    if front.empty:
        assert "No design is on the front." in page.words["schedule"]
        return
    layout = page.data["schedule"]["layout"]
    bars: dict[str, list[Any]] = {}
    for trace in page.data["schedule"]["data"]:
        for place in zip(trace["y"], trace["base"], trace["x"], strict=True):
            bars.setdefault(place[0], []).append((*place[1:], trace["name"]))
    assert list(bars) == [f"trial {number}" for number in front["trial"][:24]] or set(bars) == {
        f"trial {number}" for number in front["trial"][:24]
    }
    timed = "visit_us" in front.columns
    assert layout["xaxis"]["title"]["text"].startswith("from the start of a turn" if timed else "place (")
    for row in front.head(24).to_dict("records"):
        steps = sorted(bars[f"trial {row['trial']}"])
        assert [name for _, _, name in steps if name != "switch"] == list(row["order"])
        assert [start for start, _, _ in steps] == pytest.approx([0, *np.cumsum([long for _, long, _ in steps])[:-1]])
        if timed:
            assert [long for _, long, name in steps if name != "switch"] == pytest.approx(list(row["visit_us"]))
            assert [long for _, long, name in steps if name == "switch"] == [x for x in row["switch_us"] if x]
        else:
            assert {long for _, long, _ in steps} == {1.0}


def test_importance_adds_up_to_one_for_each_objective(page: Page, folder: Path, trials: pd.DataFrame) -> None:
    done = int((trials["status"] == "done").sum())
    if done < 20:
        text = f"Importance needs 20 done designs; the study has {done} among its {len(trials)} trials."
        assert text in page.words["importance"]
        return
    if "importance" not in page.data:
        assert "All designs agree in every parameter." in page.words["importance"]
        return
    traces = page.data["importance"]["data"]
    assert len(traces) == len(read_table(folder / "trials.parquet")[1]["objectives"])
    for trace in traces:
        assert sum(trace["x"]) == pytest.approx(1.0)
        assert min(trace["x"]) >= 0
    labels = {item["label"].removesuffix(" (mean)") for item in page.data["parameters"]["data"][0]["dimensions"]}
    assert {"scheduler", "hardware.isaac.adc_bits", "generator"} & labels <= set(traces[0]["y"]) <= labels


def test_what_decides_an_objective_is_most_important_for_it(tmp_path: Path) -> None:
    from dse.reports.importance import importances
    from dse.reports.study import load

    found = importances(load(study(tmp_path / "x", trials=100, objectives=["energy"])))
    assert isinstance(found, dict)
    names = sorted(found["energy_uj"], key=lambda name: -found["energy_uj"][name])
    # Of the fast problem: what is dropped shrinks the arrays most; the bits of the converters count too.
    assert names[0] == "param.compressor.two-stage.drop"
    assert "param.hardware.isaac.adc_bits" in names[:3]
    assert "hardware" not in names  # one plugin is no choice


@pytest.mark.parametrize(("key", "total"), [("area", "area_mm2"), ("energy", "energy_uj")])
def test_bars_are_the_shares_of_the_fronts_designs(page: Page, front: pd.DataFrame, key: str, total: str) -> None:
    if front.empty:
        assert "No design is on the front." in page.words[key]
        return
    heights = np.zeros(len(front))
    for trace in page.data[key]["data"]:
        assert trace["x"] == [f"trial {number}" for number in front["trial"]]
        assert trace["y"] == front[f"{key}.{trace['name']}"].tolist()
        heights += trace["y"]
    np.testing.assert_allclose(heights, front[total])


def test_drops_are_points_lost_by_each_task(page: Page, front: pd.DataFrame) -> None:
    scored = front.dropna(subset=["score_mean"])
    if scored.empty:
        assert "No design" in page.words["drops"]
        return
    (trace,) = page.data["drops"]["data"]
    assert trace["x"] == [f"trial {number}" for number in scored["trial"]]
    scores = scored[[f"score.{task}" for task in trace["y"]]].to_numpy().T
    if "points lost" in json.dumps(trace["colorbar"]):
        lost = np.array(trace["z"])
        np.testing.assert_allclose(lost.mean(axis=0), scored["accuracy_drop_all"], atol=1e-9)
        base = lost / 100 + scores
        np.testing.assert_allclose(base, np.broadcast_to(base[:, :1], base.shape))
    else:
        np.testing.assert_array_equal(trace["z"], scores)


def test_parallel_coordinates_hold_every_done_design(page: Page, trials: pd.DataFrame) -> None:
    done = trials[trials["status"] == "done"].sort_values(["on_front", "trial"])
    if len(done) < 2:
        assert "parameters" not in page.data
        assert "No trial was done." in page.words["parameters"] or "All designs agree" in page.words["parameters"]
        return
    (trace,) = page.data["parameters"]["data"]
    assert trace["line"]["color"] == done["on_front"].astype(int).tolist()
    by_label = {item["label"]: item for item in trace["dimensions"]}
    for name in ("area_mm2", "energy_uj"):
        assert by_label[name]["values"] == done[name].tolist()
    assert "generator" in by_label
    for kind in {"generator", "compressor"} & set(by_label):
        item = by_label[kind]
        texts = dict(zip(item["tickvals"], item["ticktext"], strict=True))
        assert [texts[value] for value in item["values"]] == done[kind].tolist()
    assert all(len(item["values"]) == len(done) for item in trace["dimensions"])
    assert all(len(set(item["values"])) > 1 for item in trace["dimensions"])
    label = "generator.shared-prefix.depth (mean)"
    depths = [None if depth is None else float(np.mean(depth)) for depth in done[f"param.{label[:-7]}"]]
    known = [depth for depth in depths if depth is not None]
    shown = by_label[label]["values"]
    assert [value for value, depth in zip(shown, depths, strict=True) if depth is not None] == pytest.approx(known)
    assert all(value < min(known) for value, depth in zip(shown, depths, strict=True) if depth is None)


def test_the_hypervolume_ends_where_the_front_is(page: Page, folder: Path, trials: pd.DataFrame) -> None:
    done = trials[trials["status"] == "done"]
    if "hypervolume" not in page.data:
        unscored = (
            "No hypervolume: array_area_ratio_reference, energy_ratio_reference, accuracy_drop were not all measured."
        )
        assert (unscored if len(done) else "No trial was done.") in page.words["hypervolume"]
        assert not done["accuracy_drop"].notna().any()
        return
    (trace,) = page.data["hypervolume"]["data"]
    assert trace["x"] == done["trial"].tolist()
    assert trace["y"][-1] == pytest.approx(dse.hypervolume(folder)["hypervolume"][0])


def test_the_table_is_the_front(page: Page, front: pd.DataFrame) -> None:
    table = page.data["front"]
    assert table["columns"][0] == "trial"
    assert len(table["rows"]) == len(front)
    tasks = [name.removeprefix("score.") for name in front.columns if name.startswith("score.")]
    front = (
        front if "tasks" in front else front.assign(tasks=pd.Series([tasks] * len(front), front.index))
    )  # the example is of an older version
    for number, name in enumerate(table["columns"]):
        assert [row[number] for row in table["rows"]] == [_plain(value) for value in front[name]]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | list):
        return [_plain(item) for item in value]
    return None if value is None or (isinstance(value, float) and np.isnan(value)) else value


def test_the_provenance_is_in_words(page: Page, folder: Path) -> None:
    (session,) = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["sessions"]
    for fact in (session["time"], session["space_hash"], *session["versions"].values(), *session["plugins"].values()):
        assert str(fact) in page.words["provenance"]
    assert read_table(folder / "trials.parquet")[1]["study"] in page.words[""]


def test_a_report_of_two_thousand_designs_on_the_front_is_small(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = pq.ParquetFile(EXAMPLE / "pareto.parquet").read(use_threads=False)
    many = known.take(pa.array(np.arange(2000) % len(known)))
    draw = np.random.default_rng(0)
    for name in (name for name in known.column_names if name.startswith(("area.", "energy.", "score."))):
        index = many.schema.get_field_index(name)
        many = many.set_column(index, many.schema.field(index), pa.array(draw.uniform(0, 1, 2000)))
    index = many.schema.get_field_index("trial")
    many = many.set_column(index, many.schema.field(index), pa.array(np.arange(2000)))
    pq.write_table(many, tmp_path / "trials.parquet")
    page = Page(dse.report(tmp_path, tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.size < 10_000_000
    assert len(page.data["front"]["rows"]) == 2000
    assert "provenance.json is not there" in page.words["provenance"]


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(EXAMPLE / "trials.parquet")
    evil = "</script><script src='http://evil'>&"
    names = [name.replace("trec6", evil) for name in table.column_names]
    metadata = table.schema.metadata | {b"study": evil.encode()}
    pq.write_table(table.rename_columns(names).replace_schema_metadata(metadata), tmp_path / "trials.parquet")
    page = Page(dse.report(tmp_path, tmp_path / "x.html").read_text(encoding="utf-8"))
    assert page.loaded == []
    assert f"score.{evil}" in page.data["front"]["columns"]
    assert evil in page.data["drops"]["data"][0]["y"]
    assert evil in page.words[""]


def test_a_baseline_at_or_below_chance_is_warned_of_loudly(tmp_path: Path) -> None:
    cells = {"baseline.trec6": 0.021, "chance.trec6": 0.25, "baseline.sst2": 0.9, "chance.sst2": 0.5, "score.sst2": 0.8}
    text = dse.report(
        tables.write(tmp_path / "x", tables.OLD, [tables.row(0, 5.0, 0.02, **cells)]), tmp_path / "x.html"
    ).read_text(encoding="utf-8")
    assert (
        '<p class="warning">task &#x27;trec6&#x27; is at or below chance: score 0.0210, and 0.2500 by chance</p>'
        in text
    )
    assert "task &#x27;sst2&#x27; is at" not in text
    assert "trec6: 0.0210, and 0.2500 by chance<br>sst2: 0.9000, and 0.5000 by chance" in text
    assert text.index('id="warnings"') < text.index('id="fronts"')
    fine = tables.write(tmp_path / "y", tables.OLD, [tables.row(0, 5.0, 0.02, **cells | {"baseline.trec6": 0.3})])
    assert 'id="warnings"' not in dse.report(fine, tmp_path / "y.html").read_text(encoding="utf-8")
