"""`dse sweep` on a random two-layer model, and the commands that read what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def home(own_tuned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(own_tuned)
    monkeypatch.setenv("DSE_CACHE", str(own_tuned / "cache"))
    return own_tuned


def test_a_sweep_prints_its_front_and_the_other_commands_read_it(dse: Any) -> None:
    done = dse("sweep", "tiny.toml", "--device", "cpu", "--designs", 40, "--format", "json")
    assert done.exit_code == 0, done.output
    front = json.loads(done.stdout)

    assert front
    assert "designs/s, front" in done.stderr
    assert "front: results/tiny-sweep/pareto.parquet" in done.stderr
    assert json.loads(dse("pareto", "tiny-sweep", "--format", "json").stdout) == front
    assert dse("show", "tiny-sweep", front[0]["trial"]).exit_code == 0
    counted = dse("query", "SELECT count(*) AS n FROM trials WHERE on_front", "tiny-sweep", "--format", "json")
    assert json.loads(counted.stdout) == [{"n": len(front)}]
    assert dse("report", "tiny-sweep", "--out", "report.html").exit_code == 0


def test_what_a_sweep_cannot_do_is_said_in_a_sentence(dse: Any) -> None:
    endless = dse("sweep", "tiny.toml", "--device", "cpu", "--out", "endless")
    refused = dse("sweep", "tiny.toml", "--device", "cpu", "--designs", 9, "--where", "nothing > 1", "--out", "wrong")

    assert endless.exit_code == refused.exit_code == 1
    assert "the space has endlessly many designs" in endless.stderr
    assert "nothing" in refused.stderr
