"""Designs of a study under other assumptions of their hardware: what `dse show` and `dse report` say of ADC laws."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dse_plugins.hardware import adc_laws
from typer.testing import CliRunner

import dse
from dse.analysis.assumptions import assumptions, section
from dse.cli.app import app
from dse.opened import hashes_of
from dse.results.objectives import read_objectives
from dse.results.pareto import front_mask
from tests.support.pages import EXAMPLE, Page

TITLE = "cost under other assumptions"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    return pd.read_parquet(EXAMPLE / "trials.parquet")


def test_a_design_costs_the_change_of_its_converters_more_under_another_law(trials: pd.DataFrame) -> None:
    row = trials[trials["trial"] == 105].iloc[0]
    shown = next(item for item in dse.sections(EXAMPLE, 105) if item.title == TITLE)
    by_name = {line["assumption"]: line for line in shown.rows}
    survey = adc_laws._read_packaged().adc(pd.Series([32]).to_numpy(), pd.Series([8]).to_numpy())
    area, energy = survey["survey_um2"][0] / 1200, survey["survey_pj"][0] / 1.5625

    assert by_name["ADC law isaac"]["area_mm2"] == pytest.approx(row["area_mm2"])
    assert by_name["ADC law isaac"]["area_change_percent"] == pytest.approx(0, abs=1e-9)
    for what, total, factor in (("area", "area_mm2", area), ("energy", "energy_uj", energy)):
        found = by_name["ADC law survey"]
        assert found[total] == pytest.approx(row[total] + row[f"{what}.adc"] * (factor - 1), rel=1e-6)
        assert found[f"{what}_change_percent"] == pytest.approx(100 * (found[total] / row[total] - 1))


def test_every_costed_design_has_a_row_under_each_law(trials: pd.DataFrame) -> None:
    found = assumptions(trials, EXAMPLE)
    assert [item.name for item in found] == [f"ADC law {law}" for law in adc_laws.LAWS]
    costed = trials.index[trials["area_mm2"].notna() & trials["energy_uj"].notna()]
    for item in found:
        assert list(item.costs.index) == list(costed)
        assert item.costs.notna().all(axis=None)


def test_the_laws_a_study_chose_is_the_one_others_are_compared_with(folder: Path, trials: pd.DataFrame) -> None:
    space = folder / "space.toml"
    text = space.read_text(encoding="utf-8")
    space.write_text(
        text.replace("[hardware.isaac]\noptions = {}", '[hardware.isaac]\noptions = { adc_law = "linear" }'), "utf-8"
    )
    costs = {item.name: item.costs["area_mm2"] for item in assumptions(trials, folder)}
    pd.testing.assert_series_equal(
        costs["ADC law linear"], trials.loc[costs["ADC law linear"].index, "area_mm2"], check_dtype=False
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("no space file", "the space file does not exist"),
        ("another model", "there is no hardware called 'somebody-elses'"),
        ("another version", "does not know this resolution"),
    ],
)
def test_a_model_that_cannot_be_asked_is_left_out_with_the_reason(
    folder: Path, trials: pd.DataFrame, change: str, reason: str
) -> None:
    rows = trials.copy()
    if change == "no space file":
        (folder / "space.toml").unlink()
    elif change == "another model":
        rows["hardware"] = "somebody-elses"
    else:
        rows["param.hardware.isaac.adc_bits"] = 16
    said: list[str] = []
    assert assumptions(rows, folder) == []
    assert section(rows, 105, folder, say=said.append) is None
    assert any("costs of hardware" in line and reason in line for line in said)


@pytest.mark.parametrize("known", [True, False])
def test_a_file_of_the_model_that_has_changed_is_named(folder: Path, trials: pd.DataFrame, known: bool) -> None:
    (folder / "factor.txt").write_text("2")
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    space = folder / "space.toml"
    text = space.read_text(encoding="utf-8").replace("schema = 1", 'schema = 1\nplugin_files = ["own.py"]')
    text = text.replace('[hardware]\nplugins = ["isaac"]', '[hardware]\nplugins = ["isaac", "own"]')
    space.write_text(text + '\n[hardware.own]\noptions = { table = "factor.txt" }\n', encoding="utf-8")
    rows = trials.copy()
    rows.loc[rows["trial"] == 105, "hardware"] = "own"
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    if known:
        recorded = hashes_of([folder / "factor.txt"])["factor.txt"]
        provenance["sessions"][-1]["digests"]["file.hardware.own.factor.txt"] = recorded
        (folder / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    said: list[str] = []
    before = section(rows, 105, folder, trust=True, say=said.append)
    (folder / "factor.txt").write_text("3")
    after = section(rows, 105, folder, trust=True, say=said.append)
    assert before is not None
    if known:
        assert after is None
        assert said[0].endswith("not the one that the study was costed with; where: factor.txt")
    else:
        assert after is not None
        assert after.rows[0]["area_mm2"] > before.rows[0]["area_mm2"]


OWN = """
import pathlib
import types

import numpy

import dse
from dse import plugin


class Options(dse.Options):
    table: str


def build(options):
    factor = float(pathlib.Path(options.table).read_text())
    alternative = plugin.Alternative("large", {"adc": numpy.array([factor])}, {})
    return types.SimpleNamespace(alternatives=lambda params: [alternative])


@dse.hookimpl
def dse_hardware_models():
    yield dse.HardwareModel(name="own", summary="knows one alternative", build=build, options=Options)
"""


def test_a_model_that_offers_nothing_has_no_section(folder: Path, trials: pd.DataFrame) -> None:
    own = folder / "own.py"
    own.write_text(
        "import types\nimport dse\n\n@dse.hookimpl\ndef dse_hardware_models():\n"
        "    yield dse.HardwareModel(name='own', summary='says nothing', build=lambda options: types.SimpleNamespace())\n",
        encoding="utf-8",
    )
    space = folder / "space.toml"
    text = space.read_text(encoding="utf-8").replace("schema = 1", 'schema = 1\nplugin_files = ["own.py"]')
    text = text.replace('[hardware]\nplugins = ["isaac"]', '[hardware]\nplugins = ["isaac", "own"]')
    space.write_text(text, encoding="utf-8")
    rows = trials.copy()
    rows.loc[rows["trial"] == 105, "hardware"] = "own"
    assert section(rows, 105, folder, trust=True) is None
    assert section(rows, 117, folder, trust=True) is not None


def test_the_command_shows_the_section_to_people_and_the_record_to_programs() -> None:
    text, json = (
        CliRunner().invoke(app, ["show", str(EXAMPLE), "105", "--format", form]) for form in ("table", "json")
    )
    assert TITLE in text.stdout
    assert text.stdout.count("ADC law ") == len(adc_laws.LAWS)
    assert "ADC law" not in json.stdout


def test_the_report_says_which_designs_stay_on_the_front(tmp_path: Path, trials: pd.DataFrame) -> None:
    page = Page(dse.report(EXAMPLE, tmp_path / "report.html").read_text(encoding="utf-8"))
    part = page.words["assumptions"]
    table = pd.DataFrame(page.data["assumptions"]["rows"], columns=page.data["assumptions"]["columns"])

    assert set(table["trial"]) == set(trials.loc[trials["on_front"].fillna(value=False), "trial"])
    for item in assumptions(trials, EXAMPLE):
        rows: list[Any] = trials.to_dict("records")
        for index, costs in zip(item.costs.index, item.costs.to_dict("records"), strict=True):
            rows[index] |= costs
        mask = front_mask(rows, read_objectives(["area", "energy", "accuracy"]))
        stays = {row["trial"] for row, kept in zip(rows, mask, strict=True) if kept}
        said = {
            trial
            for trial, word in zip(table["trial"], table[f"on the front, {item.name}"], strict=True)
            if word == "yes"
        }
        assert said == set(table["trial"]) & stays
        assert f"{item.name}: {len(said)} of {len(table)} stay, {len(stays) - len(said)} others join them." in part
