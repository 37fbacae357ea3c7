"""Objectives, references and constraints of a space file, and the error of each that is not usable."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dse.errors import DseError, SpaceError, UnknownNameError
from dse.space.constraints import constraints_of
from dse.space.file import load, parse
from dse.space.resolve import resolve
from dse.space.write import resolved_text
from dse.study.run import check_components
from tests.support.fakes import LAYERS, PARAMETERS, TASKS, FakeProblem, fake_space, raw_space

PRODUCT = {"name": "product", "of": "area_mm2 * energy_uj * latency_us", "goal": "min", "reference": 1e6}
ADC = 'c["area.adc"] / area_mm2'
TYPO = 'c["area.adcs"]'


def product(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**PRODUCT, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("search", "kind", "where", "texts"),
    [
        ({"objectives": [product(of="area_mm * 2")]}, UnknownNameError, "objectives.0.of", ["'area_mm2'?"]),
        ({"objectives": [product(of="area * 2")]}, UnknownNameError, "objectives.0.of", ["no column called 'area'"]),
        ({"objectives": [product(of='c["report.score_mean"]')]}, SpaceError, "objectives.0.of", ["another split"]),
        ({"objectives": [product(of='c["score.sst"]')]}, UnknownNameError, "objectives.0.of", ["'score.sst2'?"]),
        ({"objectives": [product(of="compressor")]}, SpaceError, "objectives.0.of", ["'compressor' holds string"]),
        ({"objectives": ["status"]}, SpaceError, "objectives.0", ["'status' holds string"]),
        (
            {"objectives": [product(of='c["param.compressor.two-stage.mode"]')]},
            SpaceError,
            "objectives.0.of",
            ["holds string"],
        ),
        (
            {"objectives": [product(of='c["param.compressor.two-stage.cosin"]')]},
            UnknownNameError,
            "objectives.0.of",
            ["'param.compressor.two-stage.cosine'?"],
        ),
        ({"objectives": ["area", product(of="abs(area_mm2)")]}, SpaceError, "objectives.1.of", ["not allowed", "Call"]),
        ({"objectives": [product(of="2 + 2")]}, SpaceError, "objectives.0.of", ["reads no column"]),
        ({"objectives": [product(of=3)]}, SpaceError, "objectives.0.of", ["expected: text", "found: 3"]),
        (
            {"objectives": [product(goal=None)]},
            SpaceError,
            "objectives.0",
            ["'product' has no goal", 'goal = "min" or'],
        ),
        (
            {"objectives": [product(goal="least")]},
            SpaceError,
            "objectives.0.goal",
            ["'min' or 'max'", "found: 'least'"],
        ),
        (
            {"objectives": [product(reference=float("nan"))]},
            SpaceError,
            "objectives.0.reference",
            ["a finite number", "nan"],
        ),
        ({"objectives": [product(reference=float("inf"))]}, SpaceError, "objectives.0.reference", ["a finite number"]),
        ({"objectives": [product(reference="much")]}, SpaceError, "objectives.0.reference", ["a number", "'much'"]),
        ({"objectives": [product(name="Energy_uJ")]}, SpaceError, "objectives.0", ["dse uses the name 'energy_uj'"]),
        ({"objectives": [product(name="accuracy")]}, SpaceError, "objectives.0", ["dse uses the name 'accuracy'"]),
        ({"objectives": [product(name="a b")]}, SpaceError, "objectives.0", ["letters, digits and '_'"]),
        (
            {"objectives": [product(referenc=1)]},
            UnknownNameError,
            "objectives.0.referenc",
            ["did you mean 'reference'?"],
        ),
        ({"objectives": [{"of": "area_mm2"}]}, SpaceError, "objectives.0.name", ["the key 'name' is missing"]),
        ({"objectives": [3]}, SpaceError, "objectives.0", ["a table", "found: 3"]),
        ({"objectives": ["area", "area_mm2"]}, SpaceError, "objectives.1", ["named twice", "found: area_mm2"]),
        ({"objectives": [PRODUCT, product(name="PRODUCT")]}, SpaceError, "objectives.1", ["named twice"]),
        ({"objectives": ["accuracy_drop"], "screen": True}, SpaceError, "objectives.0", ["screening cannot judge"]),
        (
            {"constraints": {"product": {"max": 1.0}}},
            UnknownNameError,
            "constraints.product",
            ["no column called 'product'"],
        ),
        ({"constraints": {"stage": {"max": 1.0}}}, SpaceError, "constraints.stage", ["'stage' holds string"]),
        ({"constraints": {"duration_s": {"max": 1.0}}}, SpaceError, "constraints.duration_s", ["is about the run"]),
        ({"reference_point": {"area": 1.0}}, UnknownNameError, "reference_point.area", ["no column called 'area'"]),
        ({"reference_point": {"area_ratio": float("nan")}}, SpaceError, "reference_point.area_ratio", ["finite"]),
    ],
)
def test_each_wrong_objective_has_a_sentence_and_a_place(
    search: dict[str, Any], kind: type[DseError], where: str, texts: list[str]
) -> None:
    with pytest.raises(DseError) as caught:
        fake_space(**search)
    assert type(caught.value) is kind
    assert str(caught.value.where) == f"space: search.{where}"
    assert not caught.value.problems
    for text in texts:
        assert text in str(caught.value)


def test_a_component_that_no_hardware_has_is_refused() -> None:
    check_components(fake_space(objectives=[product(of=ADC)]), FakeProblem())
    with pytest.raises(UnknownNameError, match=r"did you mean 'area\.adc'") as caught:
        check_components(fake_space(objectives=[product(of=TYPO)]), FakeProblem())
    assert caught.value.where == "space: search.objectives.0.of"


def test_a_line_of_the_file_is_named_and_other_problems_are_told(tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    text = resolved_text(fake_space(objectives=["area", PRODUCT]))
    space.write_text(text.replace("area_mm2 *", "area_mm *").replace("seed = 3", "seed = -3"), encoding="utf-8")
    problems: list[DseError] = []
    read = load(space, problems)
    places = [str(error.where).rpartition(": ")[2] for error in problems]
    assert [place for place in places if place.startswith("search")] == ["search.seed", "search.objectives.1.of"]
    assert [item.name for item in read.objectives] == ["area"]


def test_a_file_without_new_keys_has_the_digest_of_before() -> None:
    """A study that v0.1.0 began with these files continues: its log holds these digests."""
    assert fake_space().digest[:12] == "4e3a92d727d4"
    assert fake_space(objectives=["latency", "area"]).digest[:12] == "e18d94dd09f4"
    point = {"array_area_ratio": 1.0, "energy_ratio": 1.25, "accuracy_drop": 5.0}
    assert fake_space(reference_point=point).digest == fake_space().digest
    assert (
        fake_space(objectives=["area", PRODUCT]).digest != fake_space(objectives=["area", product(goal="max")]).digest
    )


def test_the_example_of_the_page_is_usable() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "space-file.md").read_text(encoding="utf-8")
    (example,) = (block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "product" in block)
    space = fake_space(**tomllib.loads(example)["search"])
    check_components(space, FakeProblem())
    assert space.file.reference_point == {"array_area_ratio_reference": 1.0, "energy_uj": 700.0, "product": 1e8}


def test_the_resolved_copy_has_the_same_objectives() -> None:
    objectives = [
        "area",
        PRODUCT,
        {"name": "accuracy", "reference": 0.5},
        product(name="other", of=ADC, reference=None),
    ]
    space = fake_space(objectives=objectives)
    table = tomllib.loads(resolved_text(space))
    assert table["search"]["objectives"] == objectives
    assert "reference_point" not in table["search"]
    again = resolve(parse(table), PARAMETERS, TASKS, LAYERS)
    assert again.file.objectives == space.file.objectives
    assert again.file.reference_point == {"array_area_ratio_reference": 1.0, "product": 1e6, "score_mean": 0.5}
    assert again.digest == space.digest


def test_any_column_of_numbers_can_be_a_constraint_with_its_direction() -> None:
    names = ("product", "accuracy_drop_worst", "layers_run", "area.adc", "param.hardware.isaac.adc_bits", "score.sst2")
    limits = {name: {"min": 1.0, "max": 2.0} for name in names}
    space = fake_space(objectives=["area", PRODUCT], constraints=limits)
    limit_names = [item.name for item in constraints_of(space.file)]
    assert limit_names == [f"{name}.{end}" for name in names for end in ("max", "min")]
    scored = {item.metric for item in constraints_of(space.file) if item.needs_score}
    assert scored == {"accuracy_drop_worst", "layers_run", "score.sst2"}
    assert constraints_of(space.file)[0].sentence == "product at most 2"
    assert constraints_of(space.file)[3].sentence == "accuracy_drop_worst at least 1, which needs a score"
    raw = raw_space(constraints={"param.compressor.two-stage.drop": {"max": 1.0}})
    with pytest.raises(SpaceError, match=r"drop' holds list<int64>"):
        resolve(parse(raw), PARAMETERS, TASKS, LAYERS)
