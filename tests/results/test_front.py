"""Fronts of one study and of several together, and what they dominate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.errors import QueryError, StudyError, UnknownNameError
from dse.results.columns import EQUAL_DIGITS, FRONT_RULE
from dse.results.front import JOINT
from dse.results.objectives import read_objectives
from dse.results.pareto import front_mask
from tests.support.tables import NEW, OLD, row, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
COSINE = "param.compressor.two-stage.cosine"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two studies; each has a design on the joint front and one that the other study's beats."""
    write(tmp_path / "a", OLD, [row(0, 5.0, 0.8), row(1, 3.0, 0.7), row(2, 6.0, 0.75), row(3, 1.0, None)])
    write(tmp_path / "b", NEW, [row(0, 4.0, 0.85, **{COSINE: 0.5}), row(1, 3.5, 0.69)])
    return tmp_path


def keys(results: Path, **options: Any) -> list[tuple[str, int]]:
    frame = dse.pareto("a", "b", results=results, **options)
    return list(zip(frame["study"], frame["trial"], strict=True))


def test_a_joint_front_keeps_what_no_study_beats(results: Path) -> None:
    assert keys(results) == [("a", 1), ("b", 0)]
    assert dse.pareto("a", results=results)["trial"].tolist() == [1, 0]
    assert "study" not in dse.pareto("a", results=results).columns
    assert dse.pareto("a", results=results, columns=["study", "trial"])["study"].tolist() == ["a", "a"]
    assert list(dse.pareto(results).columns)[:2] == ["study", "trial"]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.booleans()), max_size=6), min_size=2, max_size=3
    )
)
@settings(derandomize=True, deadline=None, max_examples=25)
def test_a_joint_front_is_the_front_of_all_trials(
    tmp_path_factory: pytest.TempPathFactory, studies: list[list[tuple[int, int, bool]]]
) -> None:
    folder = tmp_path_factory.mktemp("studies")
    rows, owners = [], []
    for index, designs in enumerate(studies):
        made = [row(n, float(area), score / 4 if done else None) for n, (area, score, done) in enumerate(designs)]
        write(folder / str(index), OLD, made)
        rows += made
        owners += [(str(index), n) for n in range(len(made))]
    wanted = {
        owner
        for owner, on_front in zip(owners, front_mask(rows, read_objectives(["area", "accuracy"])), strict=True)
        if on_front
    }
    frame = dse.pareto(folder)
    joint = set(zip(frame.get("study", []), frame["trial"], strict=False))
    values = {owner: (item["area_mm2"], item["score_mean"]) for owner, item in zip(owners, rows, strict=True)}
    assert {values[owner] for owner in joint} == {values[owner] for owner in wanted}
    assert wanted <= joint  # with the designs of other studies that agree, whatever the order of the studies
    reverse = dse.pareto(*sorted(folder.iterdir(), reverse=True))
    assert set(zip(reverse.get("study", []), reverse["trial"], strict=False)) == joint


def test_columns_of_one_study_only_are_empty_for_the_other(results: Path) -> None:
    frame = dse.pareto("a", "b", results=results, columns=[COSINE, "duplicate_of", "param.hardware.isaac.adc_bits"])
    assert [math.isnan(value) for value in frame[COSINE]] == [True, False]
    assert str(frame["param.hardware.isaac.adc_bits"].dtype) == "Int64"


def test_conditions_leave_designs_of_the_joint_front_out(results: Path) -> None:
    assert keys(results, max_drop=10.0) == [("b", 0)]
    assert keys(results, where="area_mm2 < 4 OR study = 'nobody'") == [("a", 1)]
    assert keys(results, where=f'"{COSINE}" IS NOT NULL') == [("b", 0)]
    assert keys(results, where="study = 'b'") == [("b", 0)]
    assert keys(results, sort="score_mean", descending=True, limit=1) == [("b", 0)]
    frame = dse.pareto("a", results=results, columns=["area_ratio"], sort="area_mm2")
    assert frame["area_ratio"].tolist() == [0.3, 0.5]


def test_max_area_is_the_ratio_of_arrays(tmp_path: Path) -> None:
    rows = [row(0, 5.0, 0.8, array_area_ratio=0.9), row(1, 3.0, 0.7, array_area_ratio=0.4), row(2, 2.0, 0.6)]
    folder = write(tmp_path / "a", OLD, rows)
    assert dse.pareto(folder, max_area=0.9)["trial"].tolist() == [1, 0]
    assert dse.pareto(folder, max_area=0.4, max_drop=50.0)["trial"].tolist() == [1]


def test_a_condition_or_column_that_is_none_is_said(results: Path) -> None:
    with pytest.raises(QueryError, match="refuses the condition"):
        keys(results, where="area_mm < 4")
    with pytest.raises(UnknownNameError, match="did you mean 'area_mm2'") as caught:
        keys(results, columns=["area_mm"])
    assert f"where: {results / 'a'}, {results / 'b'}" in str(caught.value)
    with pytest.raises(UnknownNameError, match="'order' holds lists") as caught:
        keys(results, sort="order")
    assert "sort by another column" in str(caught.value)


def test_other_objectives_cannot_be_joined(results: Path) -> None:
    write(results / "c", OLD, [row(0, 5.0, 0.8)], objectives=("area", "energy"))
    for function in (dse.pareto, dse.hypervolume):
        with pytest.raises(StudyError, match="studies with different objectives have no joint front") as caught:
            function("a", "c", results=results)
        assert f"where: {results / 'c'}" in str(caught.value)
        assert "expected: accuracy, area, as in a" in str(caught.value)
        assert "found: area, energy" in str(caught.value)


def test_the_order_of_objectives_does_not_matter(results: Path) -> None:
    write(results / "c", OLD, [row(0, 2.0, 0.9)], objectives=("accuracy", "area"))
    assert dse.pareto("c", "a", results=results)["study"].tolist() == ["c"]


def test_types_that_differ_are_said(results: Path) -> None:
    file = results / "b" / "pareto.parquet"
    table = pq.read_table(file)
    index = table.schema.get_field_index("param.hardware.isaac.adc_bits")
    column = table.column(index).cast("string")
    pq.write_table(table.set_column(index, "param.hardware.isaac.adc_bits", column), file)
    with pytest.raises(StudyError, match="cannot be joined") as caught:
        keys(results)
    assert "adc_bits" in str(caught.value)


def test_a_table_of_trials_gives_its_front_only(results: Path) -> None:
    assert dse.pareto(results / "a" / "trials.parquet")["trial"].tolist() == [1, 0]


def test_hypervolume_of_each_front_and_of_the_joint_one(results: Path) -> None:
    found = dse.hypervolume("a", "b", results=results).set_index("study")
    assert found["designs"].to_dict() == {"a": 2, "b": 2, JOINT: 2}
    assert found["hypervolume"].tolist() == [0.0, 0.0, 0.0]  # every design loses more than 5 points
    assert found["reference.accuracy_drop"].tolist() == [5.0] * 3
    assert found["reference.area_ratio_reference"].tolist() == [1.0] * 3
    assert dse.hypervolume("a", results=results)["study"].tolist() == ["a"]


def test_hypervolume_counts_designs_within_the_reference_point(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD, [row(0, 5.0, 0.88), row(1, 3.0, 0.86)])
    write(tmp_path / "b", OLD, [row(0, 2.0, 0.87), row(1, 9.0, 0.9)])
    found = dse.hypervolume(tmp_path).set_index("study")["hypervolume"]
    assert found["a"] == pytest.approx(0.5 * 3 + 0.2 * 1)
    assert found["b"] == pytest.approx(0.8 * 2 + 0.1 * 3)
    assert found[JOINT] == pytest.approx(0.8 * 2 + 0.5 * 1 + 0.1 * 2)
    left = dse.hypervolume(tmp_path, where="study = 'b'", max_drop=4.0).set_index("study")["hypervolume"]
    assert left.to_dict() == pytest.approx({"a": 0.0, "b": found["b"], JOINT: found["b"]})


def test_hypervolume_is_measured_against_the_reference_hardware(tmp_path: Path) -> None:
    """A chip and its own baseline are large together: half of a large baseline is no small chip."""
    large = row(0, 9.0, 0.88, area_ratio=0.5, area_ratio_reference=0.9)
    write(tmp_path / "a", OLD, [large], reference={"area_ratio": 1.0, "accuracy_drop": 5.0})
    assert dse.hypervolume(tmp_path)["hypervolume"][0] == pytest.approx(0.1 * 3)
    table = pq.read_table(tmp_path / "a" / "pareto.parquet").drop_columns(["area_ratio_reference"])
    pq.write_table(table, tmp_path / "edition_1.parquet")  # which has one ratio, to the reference hardware
    assert dse.hypervolume(tmp_path / "edition_1.parquet")["hypervolume"][0] == pytest.approx(0.5 * 3)


def test_what_was_not_measured_has_no_hypervolume(tmp_path: Path) -> None:
    rows = [row(0, 5.0, 0.8, accuracy_drop=None)]
    folder = write(tmp_path / "a", OLD, rows, objectives=("area", "energy"))
    assert np.isnan(dse.hypervolume(folder)["hypervolume"]).tolist() == [True]
    write(tmp_path / "b", OLD, [], objectives=("area", "energy"))
    assert dse.hypervolume(tmp_path / "b")["hypervolume"].tolist() == [0.0]


def test_other_reference_points_have_no_joint_hypervolume(results: Path) -> None:
    write(results / "c", OLD, [row(0, 5.0, 0.8)], reference={"area_ratio": 2.0})
    with pytest.raises(StudyError, match="studies with different reference points") as caught:
        dse.hypervolume("a", "c", results=results)
    assert "expected: area_ratio_reference 1, accuracy_drop 5, as in a" in str(caught.value)
    assert "found: area_ratio_reference 2" in str(caught.value)
    assert dse.pareto("a", "c", results=results)["trial"].tolist() == [1, 0, 0]  # a design of each study agrees


def test_a_joint_hypervolume_is_never_below_its_parts(tmp_path: Path) -> None:
    """The least chip and the fewest arrays are two designs: the joint front ranks by the metrics of the reference point."""
    reference = {"array_area_ratio": 1.0, "accuracy_drop": 20.0}
    few, small = {"array_area_ratio": 0.2}, {"array_area_ratio": 0.6}
    write(tmp_path / "a", OLD, [row(0, 6.0, 0.8, **few)], reference=reference)
    write(tmp_path / "b", OLD, [row(0, 3.0, 0.8, **small)], reference=reference)
    volumes = dse.hypervolume(tmp_path).set_index("study")["hypervolume"]
    assert volumes["a"] == pytest.approx(0.8 * 10)
    assert volumes[JOINT] == volumes["a"] > volumes["b"]
    assert dse.pareto(tmp_path)["study"].tolist() == ["a"]


def test_an_objective_that_the_reference_point_leaves_out_is_ranked_too(tmp_path: Path) -> None:
    options: dict[str, Any] = {"objectives": ("area", "latency"), "reference": {"area_ratio": 1.0}}
    write(tmp_path / "a", OLD, [row(0, 6.0, 0.8, latency_us=1.0)], **options)
    write(tmp_path / "b", OLD, [row(0, 5.0, 0.8, latency_us=2.0), row(1, 4.0, 0.8, latency_us=2.5)], **options)
    assert dse.pareto(tmp_path)["study"].tolist() == ["b", "b", "a"]


def test_what_studies_contribute_does_not_depend_on_their_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, OLD, [row(0, 5.0, 0.88), row(1, 3.0, 0.86)])
    assert dse.pareto("a", "b", results=tmp_path)["study"].tolist() == ["a", "b", "a", "b"]
    pd.testing.assert_frame_equal(dse.pareto("a", "b", results=tmp_path), dse.pareto("b", "a", results=tmp_path))


def test_one_rule_says_which_of_equal_designs_is_on_a_front(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD, [row(0, 5.0, 0.88), row(1, 5.0 - 7e-15, 0.88), row(2, 5.0 - 1e-10, 0.88)])
    write(tmp_path / "b", OLD, [row(0, 5.0, 0.88), row(1, 5.0 - 7e-15, 0.88)])
    fields = pq.read_schema(tmp_path / "a" / "trials.parquet")
    for name, trials in (("a", [2]), ("b", [0])):
        assert dse.pareto(name, results=tmp_path)["trial"].tolist() == trials
    assert fields.field("on_front").metadata[b"summary"].decode() == FRONT_RULE
    assert f"| `on_front` | bool | {FRONT_RULE} |" in (DOCS / "results.md").read_text(encoding="utf-8")
    assert f"to {EQUAL_DIGITS} significant digits, only the first is on the front" in (DOCS / "concepts.md").read_text(
        encoding="utf-8"
    )
