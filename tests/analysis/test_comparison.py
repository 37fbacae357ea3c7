"""Studies under other conditions have no joint front, and the message says which fact differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import dse
from dse.cli.app import app
from dse.errors import StudyError
from dse.results.read import read_trials
from tests.support.tables import OLD, row, write

DIGESTS = {
    "base": "b" * 24,
    "task.trec6": "1" * 24,
    "data.trec6": "2" * 24,
    "weights.trec6": "1" * 24,
    "tokenizer.trec6": "4" * 24,
    "revision.base": "5" * 24,
}
SPACE = """
schema = 1
name = "a"
[workload]
base = "minilm-l6"
tasks = ["trec6"]
traffic = { batch = 64 }
[generator]
plugins = ["independent"]
[compressor]
plugins = ["none"]
[scheduler]
plugins = ["fixed"]
[hardware]
plugins = ["isaac"]
[reference_hardware]
parameters = { rows = 64 }
"""


def make(folder: Path, sessions: list[dict[str, Any]], *, space: str = SPACE, score: float = 0.9, **more: Any) -> None:
    """Write a study with provenance and space file, whose baseline has a score of 0.9 by default."""
    lost = {"accuracy_drop_all": 100 * (score - 0.8), "accuracy_drop_worst": 100 * (score - 0.8), "score.sst2": 0.8}
    write(folder, OLD, [row(0, 5.0, 0.8, **lost, **more), row(1, 4.0, 0.8, **lost, **more)])
    (folder / "provenance.json").write_text(json.dumps({"sessions": sessions}), encoding="utf-8")
    (folder / "space.toml").write_text(space, encoding="utf-8")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    make(tmp_path / "a", [{"digests": DIGESTS}])
    return tmp_path


@pytest.mark.parametrize(
    ("change", "subject", "values"),
    [
        ({"digests": DIGESTS | {"task.trec6": "3" * 24}}, "weights of trec6", "11111111 in a, 33333333 in b"),
        ({"digests": DIGESTS | {"data.trec6": "3" * 24}}, "rows of trec6", "22222222 in a, 33333333 in b"),
        ({"digests": DIGESTS | {"base": "3" * 24}}, "weights of the base", "bbbbbbbb in a, 33333333 in b"),
        ({"digests": DIGESTS | {"weights.trec6": "3" * 24}}, "trained weights of trec6", "11111111 in a, 33333333 in b"),
        ({"digests": DIGESTS | {"tokenizer.trec6": "3" * 24}}, "tokenizer of trec6", "44444444 in a, 33333333 in b"),
        ({"space": SPACE.replace("rows = 64", "rows = 128")}, "reference hardware", "'rows': 64} in a, isaac {'rows': 128}"),
        ({"space": SPACE.replace("batch = 64", "batch = 8")}, "traffic", "{'batch': 64} in a, {'batch': 8} in b"),
        ({"space": SPACE + '[search]\nprecision = "fp32"\n'}, "precision", "bf16 in a, fp32 in b"),
        ({"score": 0.91}, "baseline's score of trec6", "0.9 in a, 0.91 in b"),
        ({"area_ratio": 0.25}, "baseline's area_mm2", "10 in a, 20 in b"),
    ],
)  # fmt: skip
def test_another_condition_is_refused_and_named(
    results: Path, change: dict[str, Any], subject: str, values: str
) -> None:
    session = {"digests": DIGESTS}
    session |= {key: change.pop(key) for key in list(change) if key in session}
    if "area_ratio" in change:
        write(results / "b", OLD, [row(0, 5.0, 0.8, area_ratio=0.25), row(1, 4.0, 0.8, area_ratio=0.2)])
    else:
        make(results / "b", [session], **change)
    for function in (dse.pareto, dse.hypervolume):
        with pytest.raises(StudyError, match=rf"cannot be compared, since they differ in .*{subject}") as caught:
            function("a", "b", results=results)
        assert values in str(caught.value)
        assert "--anyway" in str(caught.value)
        labelled = function("b", "a", results=results, anyway=True)
        assert all(subject in text for text in labelled["differs"])
    assert dse.pareto("a", "b", results=results, anyway=True, columns=["trial"]).columns.tolist() == [
        "trial",
        "differs",
    ]


def test_other_tasks_are_refused(results: Path) -> None:
    write(results / "b", OLD, [row(0, 5.0, 0.8)])
    table = pq.read_table(results / "b" / "pareto.parquet")
    for name in ("trials", "pareto"):
        kept = [column for column in table.column_names if not column.endswith("sst2")]
        pq.write_table(table.select(kept), results / "b" / f"{name}.parquet")
    with pytest.raises(StudyError, match=r"differ in tasks\n[\s\S]*tasks: sst2, trec6 in a, trec6 in b"):
        dse.pareto("a", "b", results=results)


def test_studies_under_the_same_conditions_are_joined_whatever_their_files_leave_out(results: Path) -> None:
    make(results / "b", [{"digests": DIGESTS | {"revision.base": "6" * 24}}], space="schema = 99")
    write(results / "c", OLD, [row(0, 4.0, 0.8)])
    frame = dse.pareto("a", "b", "c", results=results)
    assert "differs" not in frame.columns
    assert frame["study"].tolist() == ["a", "b", "c"]


def test_a_copy_of_a_table_is_not_judged_by_the_study_that_it_lies_beside(results: Path) -> None:
    make(results / "b", [{"digests": DIGESTS | {"base": "3" * 24}}])
    copy = results / "b" / "mine.parquet"
    copy.write_bytes((results / "a" / "trials.parquet").read_bytes())
    assert dse.pareto(results / "a", copy)["study"].tolist() == ["a", "mine"]


def test_a_study_that_was_forced_to_go_on_is_not_the_one_it_began_as(results: Path) -> None:
    later = {"digests": DIGESTS | {"task.trec6": "3" * 24}}
    make(results / "b", [{"digests": DIGESTS}, later])
    with pytest.raises(StudyError, match="11111111 in a, 11111111, then 33333333 in b"):
        dse.pareto("a", "b", results=results)


@pytest.mark.parametrize("sessions", [5, [5], [{"digests": 5}], [{}], [{"digests": {"base": 5}}]])
def test_a_damaged_provenance_is_said(results: Path, sessions: Any) -> None:
    make(results / "b", sessions)
    with pytest.raises(StudyError, match="the provenance is damaged") as caught:
        dse.pareto("a", "b", results=results)
    assert str(results / "b" / "provenance.json") in str(caught.value)


def test_editions_of_the_accounting_are_never_mixed(results: Path) -> None:
    """Rows of tables that name no edition, as 0.1.0 wrote them, are of the first."""
    make(results / "b", [{"digests": DIGESTS}])
    for name in ("trials", "pareto"):
        file = results / "b" / f"{name}.parquet"
        pq.write_table(pq.read_table(file).drop_columns("accounting"), file)
    assert set(read_trials(results / "b")["accounting"]) == {1}
    for function in (dse.pareto, dse.hypervolume):
        for anyway in (False, True):
            with pytest.raises(StudyError, match=r"accounting: 2 in a, 1 in b\n.*columns mean something else"):
                function("a", "b", results=results, anyway=anyway)
    for study in ("a", "b"):
        (results / study / "provenance.json").unlink()
    with pytest.warns(UserWarning, match="of editions 1 and 2 of the accounting"):
        assert len(dse.query("FROM trials", results=results)) == 4
    told = CliRunner().invoke(app, ["query", "FROM trials", "--results", str(results)])
    assert (told.exit_code, told.stderr.count("WARNING: these studies are of editions 1 and 2")) == (0, 1)
    assert "WARNING" not in CliRunner().invoke(app, ["query", "FROM trials", "a", "--results", str(results)]).stderr


def test_the_command_labels_what_it_compares_anyway(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)
    make(results / "b", [{"digests": DIGESTS}], space=SPACE + '[search]\nprecision = "fp32"\n')
    for words in ([], ["--hypervolume"]):
        refused = CliRunner().invoke(app, ["pareto", "a", "b", *words])
        assert refused.exit_code == 1
        assert "since they differ in precision" in refused.stderr
        joined = CliRunner().invoke(app, ["pareto", "a", "b", "--anyway", *words])
        assert joined.exit_code == 0
        assert "WARNING: these studies cannot be compared, since they differ in precision" in joined.stderr
        assert "differs" in joined.stdout
    written = CliRunner().invoke(app, ["pareto", "a", "b", "--anyway", "--out", "both.csv"])
    assert written.exit_code == 0
    assert set(pd.read_csv("both.csv")["differs"]) == {"precision"}
