"""Spaces of every seed and study can be read, and figures say what a record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.space.file import load
from reproductions.mgen2023 import run as mgen
from reproductions.mgen2023 import studies
from reproductions.mgen2023.page import PAGE, page

REPORT = {"accuracy_drop": 0.3, "accuracy_drop_low": -0.1, "accuracy_drop_high": 0.7}


def row(energy: float, drop: float = 0.3, *, met: bool = True) -> dict[str, Any]:
    report = REPORT | {"accuracy_drop": drop}
    return {"energy_ratio": energy, "array_area_ratio": 0.08, "report": report, "drops": {"0": drop}, "met": met}


@pytest.mark.parametrize("name", studies.STUDIES)
@pytest.mark.parametrize("seed", studies.SEEDS)
def test_every_study_has_a_space_for_every_seed(tmp_path: Path, name: str, seed: int) -> None:
    trained = "free" not in name
    space = load(studies.space_of(name, tmp_path, seed if trained else 0, 4 if trained else None))
    options = {kind_name[1]: options for *kind_name, options in space.plugins}["mgen"]

    assert space.name == name.replace(".", "-")
    if trained:
        assert options.get("seed", 0) == seed
        assert options["depths"] == ([4] if seed else [4, 5, 6])
    assert space.workload["traffic"]["mode"] == (
        "shared" if name in ("trained", "free", "combined.trained") else "independent"
    )


def test_figures_are_those_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {
        "mtl": row(0.125, 1.0),
        "trained": {"0.5": row(0.1), "1.5": row(0.05, 2.0, met=False), "mtl": row(0.0625, 0.9)},
        "combined.free": {"1": None},
        "train_minutes": 20.0,
    }
    monkeypatch.setattr(mgen, "RECORD", tmp_path / "mgen.json")
    with pytest.raises(FileNotFoundError):
        list(mgen.mgen())
    mgen.RECORD.write_text(json.dumps(record))
    found = {figure.name: figure.value for figure in mgen.mgen()}

    assert found["mgen.trained.efficiency_at_drop_0.5"] == pytest.approx(10)
    assert found["mgen.trained.efficiency_at_drop_1.5"] == 1.0  # its design missed the target on the report split
    assert found["mgen.trained.gain_over_mtl"] == pytest.approx(2)
    assert found["mtl.drop"] == 1.0
    assert found["mgen.trained.drop_by_mtl"] == pytest.approx(0.3)
    assert found["mgen.train_minutes"] == 20.0
    assert "mgen.free.efficiency_at_drop_1" not in found
    shared = {"elsewhere_energy_ratio": 0.5}
    for own, other, value in (
        (row(0.4), row(0.6) | shared, 2.5),
        (row(0.4, met=False), row(0.6) | shared, 2.0),
        (row(0.4, met=False), row(0.6, 1.2) | shared, 1.0),
        (None, None, 1.0),
    ):
        mgen.RECORD.write_text(json.dumps(record | {"free": {"1": own}, "free.independent": {"1": other}}))
        again = {figure.name: figure.value for figure in mgen.mgen()}
        assert again["mgen.free.efficiency_at_drop_1"] == pytest.approx(value)
    assert "combined.free.drop" not in found


def test_the_page_says_what_the_record_says() -> None:
    ends = {"accuracy_drop": 0.5, "accuracy_drop_low": 0.1, "accuracy_drop_high": 0.9}
    design = {
        "study": "trained",
        "values": {"layers": 4},
        "latency_ratio": 0.1,
        "layers_run": None,
    }
    record = {
        "mtl": row(0.125, 1.0) | {"search": ends},
        "trained": {"0.5": row(0.1) | ends, "1.5": None},
        "designs": [design | {"energy_ratio": 0.08, "array_area_ratio": 0.083} | ends],
        "redundancy": [dict.fromkeys(studies.REDUNDANCY, 0.5), dict.fromkeys(studies.REDUNDANCY, None)],
        "train_minutes": 20.4,
    }
    text = page(record)

    assert (
        "| `mtl-shared`, shared inputs |  | 8.00x | 0.080 | 0.50 [0.10, 0.90] | 1.00 [-0.10, 0.70] | 1.00 |  |  |"
        in text
    )
    assert (
        "| trained, shared inputs | <= 0.5 | 10.00x | 0.080 | 0.50 [0.10, 0.90] | 0.30 [-0.10, 0.70] | 0.30 |  | yes |"
        in text
    )
    assert "| trained, shared inputs | <= 1.5 | none |" in text
    assert "| trained, shared inputs | layers 4 | 12.50x | 0.083 | 0.100 |  | 0.50 [0.10, 0.90] |" in text
    assert "took 20 minutes" in text
    assert "| efficiency | 8.00x | 3.69x |" in text
    assert f"\n| 0 |{' 0.50 |' * len(studies.REDUNDANCY)}\n| 1 |{'  |' * len(studies.REDUNDANCY)}\n" in text


def test_the_page_is_the_records() -> None:
    record = json.loads(mgen.RECORD.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(record)
