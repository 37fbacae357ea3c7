"""Parameters resolved against a space file: ranges, sizes, and the copy a study keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dse.space.domain import size
from dse.space.file import load, parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.space.write import resolved_text
from tests.support.fakes import LAYERS, PARAMETERS, TASKS, fake_space, put, raw_space

TWO_STAGE = "compressor/two-stage/parameters"
DEPTH = "generator/shared-prefix/parameters/depth"


def elements(space: SearchSpace, name: str) -> dict[str, Any]:
    found = next(item for item in space.parameters if item.declared.full_name == name)
    return {element.name.removeprefix(name): element.domain for element in found.elements}


def test_unnamed_parameters_are_searched_except_those_of_hardware() -> None:
    raw = raw_space()
    raw["hardware"] = {"plugins": ["isaac"]}
    space = fake_space(raw)
    assert size(elements(space, "hardware.isaac.adc_bits")[""]) == 1
    assert size(elements(space, "compressor.two-stage.cosine")[""]) == 50
    assert size(elements(space, "generator.shared-prefix.depth")["[sst2]"]) == 3

    raw["hardware"]["unnamed"] = "search"
    raw["compressor"]["unnamed"] = "default"
    raw["scheduler"]["unnamed"] = "default"
    space = fake_space(raw)
    assert size(elements(space, "hardware.isaac.adc_bits")[""]) == 5
    assert size(elements(space, "compressor.two-stage.cosine")[""]) == 1
    assert [size(domain) for domain in elements(space, "scheduler.searched.order").values()] == [1, 1]


def test_ranges_are_narrowed_widened_and_fixed() -> None:
    raw = put(raw_space(), f"{TWO_STAGE}/cosine", {"low": 0.1, "high": 0.2, "step": 0.02})
    put(raw, f"{TWO_STAGE}/mode", {"choices": ["c", "a"]})
    put(raw, f"{TWO_STAGE}/rate", {"value": 0.001})
    put(raw, f"{TWO_STAGE}/drop", {"choices": [0, 4, 8]})
    put(raw, "scheduler/searched/parameters/order", ["sst2", "trec6", "tweet_sent"])
    space = fake_space(raw)

    assert size(elements(space, "compressor.two-stage.cosine")[""]) == 6
    assert elements(space, "compressor.two-stage.mode")[""].choices == ("c", "a")
    assert size(elements(space, "compressor.two-stage.rate")[""]) == 1
    assert elements(space, "compressor.two-stage.drop")["[2]"].choices == (0, 4, 8)
    order = next(item for item in space.parameters if item.is_order)
    assert order.value([element.domain.low for element in order.elements]) == (2, 0, 1)  # type: ignore[union-attr]


def test_the_most_specific_entry_wins() -> None:
    raw = put(raw_space(), DEPTH, {"low": 1, "tasks": {"trec6": 0, "sst2": {"high": 1}}})
    mask = {"value": 0, "layers": {"1": {"low": 0}}} | {"tasks": {"sst2": {"layers": {"2": 1}}, "trec6": 1}}
    del mask["value"]
    put(raw, f"{TWO_STAGE}/mask", mask)
    space = fake_space(raw)
    depth = elements(space, "generator.shared-prefix.depth")
    found = {key: (item.low, item.high) for key, item in elements(space, "compressor.two-stage.mask").items()}

    assert {key: (item.low, item.high) for key, item in depth.items()} == {
        "[trec6]": (0, 0),
        "[tweet_sent]": (1, 2),
        "[sst2]": (0, 1),
    }
    assert found["[sst2,2]"] == (1, 1)
    assert found["[sst2,1]"] == (0, 1)
    assert found["[trec6,1]"] == found["[trec6,0]"] == (1, 1)
    assert found["[tweet_sent,0]"] == (0, 1)


def test_size_counts_designs_and_not_suggestions() -> None:
    raw = raw_space()
    raw["compressor"] = {"plugins": ["none"]}
    space = fake_space(raw)
    # generators: 1 + 3**3; schedulers: 1 + 3!; hardware: 5 converter resolutions
    assert space.size == 28 * 7 * 5
    assert fake_space().size == float("inf")


def test_the_digest_holds_the_name_of_a_file_and_not_its_place(tmp_path: Path) -> None:
    digests = set()
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "costs.toml").write_text("")
        options = {"table": str(folder / "costs.toml")}
        digests.add(fake_space(put(raw_space(), "hardware/isaac/options", options)).digest)
    assert digests == {fake_space(put(raw_space(), "hardware/isaac/options", {"table": "costs.toml"})).digest}


def test_the_digest_follows_the_space_and_not_the_budget() -> None:
    digest = fake_space().digest

    assert fake_space(trials=999, max_failed_share=0.5, memory_gb=2.0).digest == digest
    assert fake_space(raw_space() | {"name": "other"}).digest == digest
    assert fake_space(seed=4).digest != digest
    assert fake_space(objectives=["area"]).digest != digest
    assert fake_space(precision="bf16").digest == digest != fake_space(precision="fp32").digest
    assert fake_space(put(raw_space(), DEPTH, 1)).digest != digest
    assert fake_space(put(raw_space(), "workload/tasks", ["other"])).digest != digest
    assert fake_space(put(raw_space(), "hardware/isaac/options", {"leakage": False})).digest != digest
    assert fake_space(put(raw_space(), "reference_hardware/parameters", {"adc_bits": 6})).digest != digest


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {DEPTH: {"low": 1, "tasks": {"trec6": 0}}},
        {f"{TWO_STAGE}/mask": {"tasks": {"sst2": {"layers": {"2": 1}}}}, f"{TWO_STAGE}/drop": {"layers": {"0": 3}}},
        {f"{TWO_STAGE}/rate": {"log": False}, f"{TWO_STAGE}/mode": {"choices": ["c", "a"]}},
        {f"{TWO_STAGE}/cosine": {"low": 0.1, "high": 0.95, "step": 0.1}, f"{TWO_STAGE}/drop": {"choices": [0, 4]}},
        {"scheduler/searched/parameters/order": ["sst2", "trec6", "tweet_sent"], "scheduler/plugins": ["searched"]},
        {"search/constraints": {"score.sst2": {"min": 0.5}, "latency_us": {"min": 1, "max": 2.5}}},
        {"hardware/isaac/options": {"leakage": False, "name": 'a "quoted" \n line', "deep": {"x": [1, 2.5]}}},
        {"workload/tasks": [{"name": "a", "path": "b.csv"}], "workload/traffic": {"mode": "shared", "x": {"y": 1}}},
    ],
)
def test_the_resolved_copy_is_a_space_file_of_the_same_study(tmp_path: Path, changes: dict[str, Any]) -> None:
    raw = raw_space()
    for path, value in changes.items():
        put(raw, path, value)
    space = fake_space(raw)
    (tmp_path / "space.toml").write_text(resolved_text(space, trials=77))
    again = resolve(load(tmp_path / "space.toml"), PARAMETERS, TASKS, LAYERS)

    assert again.digest == space.digest
    assert again.file.search.trials == 77
    assert resolved_text(again) == resolved_text(space, trials=77)


def test_the_resolved_copy_finds_the_files_that_the_space_file_names_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "data.csv").touch()
    (tmp_path / "model").mkdir()
    task = {"name": "own", "kind": "classification", "metric": "accuracy", "data": {"path": "data.csv"}}
    raw = raw_space() | {"workload": {"base": "model", "tasks": ["trec6", task]}}
    space = resolve(parse(raw, path=tmp_path / "space.toml"), PARAMETERS, TASKS, LAYERS)
    folder = tmp_path / "results" / "study"
    folder.mkdir(parents=True)
    (folder / "space.toml").write_text(resolved_text(space))

    again = resolve(load(folder / "space.toml"), PARAMETERS, TASKS, LAYERS)

    assert again.file.workload["base"] == str(tmp_path / "model")
    assert again.file.workload["tasks"][1]["data"]["path"] == str(tmp_path / "data.csv")
    assert again.file.workload["tasks"][0] == "trec6"
    assert again.digest == space.digest
