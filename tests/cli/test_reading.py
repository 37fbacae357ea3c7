"""The commands that read results, on a committed study."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from tests.support.tables import OLD, row, write

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "example"
SQL = (
    "SELECT compressor, count(*) AS n, sum(\"area.adc\") AS adc FROM trials WHERE status = 'done' GROUP BY 1 ORDER BY 1"
)


@pytest.fixture
def expected() -> pd.DataFrame:
    """What the query asks for, by pandas."""
    trials = pd.read_parquet(EXAMPLE / "trials.parquet")
    done = trials[trials["status"] == "done"].groupby("compressor")["area.adc"]
    return done.agg(n="count", adc="sum").reset_index()


def test_a_query_is_answered_in_every_format(dse: Any, expected: pd.DataFrame, tmp_path: Path) -> None:
    rows = json.loads(dse("query", SQL, EXAMPLE, "--format", "json").stdout)
    pd.testing.assert_frame_equal(pd.DataFrame(rows), expected)
    read = pd.read_csv(io.StringIO(dse("query", SQL, EXAMPLE, "--format", "csv").stdout))
    pd.testing.assert_frame_equal(read, expected)
    header, _, *lines = dse("query", SQL, EXAMPLE).stdout.splitlines()
    assert header.split() == ["compressor", "n", "adc"]
    assert [line.split()[:2] for line in lines] == [[row["compressor"], str(row["n"])] for row in rows]
    markdown = dse("query", SQL, EXAMPLE, "--format", "markdown").stdout.splitlines()
    assert markdown[:2] == ["| compressor | n | adc |", "|---|---:|---:|"]
    assert len(markdown) == 2 + len(rows)
    result = dse("query", SQL, EXAMPLE, "--out", tmp_path / "x.parquet")
    assert (result.stdout, result.stderr) == ("", f"written: {tmp_path / 'x.parquet'}\n")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), expected, check_dtype=False)


@pytest.mark.parametrize("ending", ["csv", "json", "md", "tsv", "txt"])
def test_the_ending_of_a_file_says_its_format(dse: Any, tmp_path: Path, ending: str) -> None:
    form = {"md": "markdown", "txt": "table"}.get(ending, ending)
    for command in (("query", SQL, EXAMPLE), ("pareto", EXAMPLE)):
        file = tmp_path / f"x.{ending}"
        assert dse(*command, "--out", file).exit_code == 0
        assert file.read_text(encoding="utf-8") == dse(*command, "--format", form).stdout
    assert dse("query", SQL, EXAMPLE, "--out", tmp_path / "y", "--format", "csv").exit_code == 0
    assert len(list(csv.reader((tmp_path / "y").open(encoding="utf-8")))) == 3


@pytest.mark.parametrize(
    ("sql", "status", "said"), [(b"\xef\xbb\xbfSELECT 1 AS n\n", 0, " n\n"), (b"SELECT '\xff'", 1, "not UTF-8 text")]
)
def test_a_query_is_read_from_standard_input(sql: bytes, status: int, said: str) -> None:
    result = CliRunner().invoke(app, ["query", "-", str(EXAMPLE)], input=sql)
    assert result.exit_code == status
    assert said in result.output


def test_a_query_reads_every_study_by_default(dse: Any) -> None:
    rows = json.loads(dse("query", "SELECT study FROM studies", "--results", EXAMPLE.parent, "--format", "json").stdout)
    assert {"study": "example"} in rows
    assert dse("query", "SELECT 1 WHERE false", EXAMPLE).stdout == "no rows\n"


def test_sql_that_is_none_is_status_1(dse: Any) -> None:
    result = dse("query", "SELECT area_mm FROM trials", EXAMPLE)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: DuckDB refuses the query\n")
    assert 'do: did you mean "area_mm2"' in result.stderr


@pytest.mark.parametrize("command", [("query", SQL, EXAMPLE), ("pareto", EXAMPLE)])
def test_parquet_needs_a_file(dse: Any, command: tuple[Any, ...]) -> None:
    result = dse(*command, "--format", "parquet")
    assert result.exit_code == 2
    assert "parquet is not printed: name a file" in result.stderr


@pytest.mark.parametrize("command", [("run", "a.toml"), ("check", "a.toml"), ("show", EXAMPLE, 0), ("plugins", "list")])
def test_commands_that_only_print_refuse_parquet(dse: Any, command: tuple[Any, ...]) -> None:
    result = dse(*command, "--format", "parquet")
    assert result.exit_code == 2
    assert "parquet is not printed" in result.stderr


@pytest.mark.parametrize("command", [("query", SQL, EXAMPLE), ("pareto", EXAMPLE)])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_that_cannot_be_written_is_named(
    dse: Any, tmp_path: Path, command: tuple[Any, ...], ending: str
) -> None:
    file = tmp_path / "nowhere" / f"x.{ending}"
    result = dse(*command, "--out", file)
    assert result.exit_code == 1
    assert "error: the file cannot be written: No such file or directory" in result.stderr
    assert f"where: {file}" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_front_as_markdown_and_parquet(dse: Any, tmp_path: Path) -> None:
    front = pd.read_parquet(EXAMPLE / "pareto.parquet")
    lines = dse("pareto", EXAMPLE, "--format", "markdown").stdout.splitlines()
    assert lines[0].startswith("| trial | generator | compressor |")
    assert len(lines) == 2 + len(front)
    assert dse("pareto", EXAMPLE, "--out", tmp_path / "front.parquet").exit_code == 0
    kept = pd.read_parquet(tmp_path / "front.parquet")
    rows = json.loads(dse("pareto", EXAMPLE, "--format", "json").stdout)
    pd.testing.assert_frame_equal(kept[list(rows[0])], pd.DataFrame(rows), check_dtype=False)


def test_a_front_by_conditions(dse: Any) -> None:
    front = pd.read_parquet(EXAMPLE / "pareto.parquet")
    area = float(front["array_area_ratio"].median())
    small = json.loads(dse("pareto", EXAMPLE, "--max-area", area, "--format", "json").stdout)
    assert {row["trial"] for row in small} == set(front["trial"][front["array_area_ratio"] <= area])
    condition = "\"score.trec6\" > 0.93 AND compressor = 'two-stage'"
    chosen = json.loads(dse("pareto", EXAMPLE, "--where", condition, "--format", "json").stdout)
    wanted = front["trial"][(front["score.trec6"] > 0.93) & (front["compressor"] == "two-stage")]
    assert {row["trial"] for row in chosen} == set(wanted)
    assert 0 < len(chosen) < len(front)
    refused = dse("pareto", EXAMPLE, "--where", "score.trec6 > 0.9")
    assert refused.exit_code == 1
    assert 'put names with dots in double quotes: "score.trec6"' in refused.stderr


def test_conditions_that_no_design_keeps_are_not_an_empty_front(dse: Any) -> None:
    result = dse("pareto", EXAMPLE, "--max-area", 0.3)
    assert (result.exit_code, result.stdout) == (0, "no design of the front keeps these conditions\n")


def test_a_joint_front_says_whose_a_design_is(dse: Any, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    for name in ("trials.parquet", "pareto.parquet"):
        (tmp_path / "copy" / name).write_bytes((EXAMPLE / name).read_bytes())
    result = dse("pareto", EXAMPLE, tmp_path / "copy")
    header, _, *lines = result.stdout.splitlines()
    assert header.split()[:2] == ["study", "trial"]
    # Designs of two studies that agree are both there; two have no place in the metrics of the reference point.
    assert [line.split()[0] for line in lines] == ["copy", "example"] * 25
    assert len(pd.read_parquet(EXAMPLE / "pareto.parquet")) == 27


def test_hypervolume_is_printed_with_its_reference_point(dse: Any) -> None:
    from dse.results.pareto import study_hypervolume

    front: list[Any] = pd.read_parquet(EXAMPLE / "pareto.parquet").to_dict("records")
    reference = {"array_area_ratio": 1.0, "energy_ratio": 1.25, "accuracy_drop": 5.0}
    (row,) = json.loads(dse("pareto", EXAMPLE, "--hypervolume", "--format", "json").stdout)
    assert row == {
        "study": "example",
        "designs": len(front),
        "hypervolume": study_hypervolume(front, reference),
        **{f"reference.{name}": value for name, value in reference.items()},
    }


def test_a_hypervolume_that_is_missing_is_explained(dse: Any, tmp_path: Path) -> None:
    front = pd.read_parquet(EXAMPLE / "pareto.parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(EXAMPLE / "pareto.parquet")
    front["accuracy_drop"] = float("nan")
    pq.write_table(
        pa.Table.from_pandas(front, schema=schema).replace_schema_metadata(schema.metadata), tmp_path / "x.parquet"
    )
    result = dse("pareto", tmp_path / "x.parquet", "--hypervolume", "--format", "json")
    assert json.loads(result.stdout)[0]["hypervolume"] is None
    assert "no hypervolume where a metric of the reference point was not measured" in result.stderr


@pytest.mark.parametrize("options", [("--limit", 1), ("--sort", "trial"), ("--columns", "trial"), ("--descending",)])
def test_hypervolume_has_no_designs_to_choose(dse: Any, options: tuple[Any, ...]) -> None:
    result = dse("pareto", EXAMPLE, "--hypervolume", *options)
    assert result.exit_code == 2
    assert "--hypervolume prints no designs" in result.stderr


def test_show_has_a_section_for_each_question(dse: Any) -> None:
    lines = dse("show", EXAMPLE, 117).stdout.splitlines()
    titles = ["record", "area by component", "energy by component", "scores by task", "parameters by task"]
    assert [line for line in lines if line in titles] == titles
    assert lines[lines.index("area by component") + 1].split() == ["component", "area_mm2", "percent"]
    assert lines[lines.index("order of the tasks") + 3].split() == ["1", "trec6"]
    markdown = dse("show", EXAMPLE, 117, "--format", "markdown").stdout
    assert "\n## area by component\n\n| component | area_mm2 | percent |\n" in markdown


def test_show_as_json_and_csv_is_the_record_by_column(dse: Any) -> None:
    record = json.loads(dse("show", EXAMPLE, 117, "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(dse("show", EXAMPLE, 117, "--format", "csv").stdout)))
    assert [row["column"] for row in rows] == list(record)
    assert record["param.generator.shared-prefix.depth"] == [0, 1, 2, 2]


def test_plot_and_report_write_files_that_work_alone(dse: Any, tmp_path: Path) -> None:
    for words in (("plot", EXAMPLE, "--figure", "area"), ("report", EXAMPLE)):
        result = dse(*words, "--out", tmp_path / "x.html")
        assert result.exit_code == 0, result.output
        assert (result.stdout, result.stderr) == ("", f"written: {tmp_path / 'x.html'}\n")
        assert (tmp_path / "x.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        (tmp_path / "x.html").unlink()


@pytest.mark.parametrize("command", ["plot", "report"])
def test_a_picture_needs_a_file_and_a_study(dse: Any, tmp_path: Path, command: str) -> None:
    assert dse(command, EXAMPLE).exit_code == 2
    refused = dse(command, EXAMPLE, "--out", tmp_path / "x.pdf")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "ends in .html" in refused.stderr
    missing = dse(command, "nothing", "--results", tmp_path, "--out", tmp_path / "x.html")
    assert "error: there is no study here" in missing.stderr


def test_a_chip_that_soon_wears_out_is_printed_with_its_lifetime(dse: Any, tmp_path: Path) -> None:
    write(tmp_path / "x", OLD, [row(0, 5.0, 0.8, lifetime_years=0.001), row(1, 6.0, 0.9)])
    write(tmp_path / "y", OLD, [row(0, 5.0, 0.8)])
    header, _, short, _ = dse("pareto", tmp_path / "x").stdout.splitlines()
    assert header.split()[-1] == "lifetime_years"
    assert short.split()[-1] == "0.001"
    assert "lifetime_years" not in dse("pareto", tmp_path / "y").stdout


@pytest.mark.parametrize("home", ["~/example", "--results=~"])
def test_a_home_folder_that_the_shell_left_is_expanded(
    dse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    write(tmp_path / "example", OLD, [row(0, 5.0, 0.8)])
    monkeypatch.setenv("HOME", str(tmp_path))
    words = [home] if home.startswith("~") else ["example", home]
    assert dse("pareto", *words, "--out=~/front.csv").exit_code == 0
    assert (tmp_path / "front.csv").read_text(encoding="utf-8").count("\n") == 2
    assert "~no-such-user/example" in dse("pareto", "~no-such-user/example").stderr


def test_show_by_prints_or_writes_the_parts_of_the_costs(dse: Any, tmp_path: Path) -> None:
    printed = dse("show", EXAMPLE, 117, "--by", "component", "--format", "csv")
    assert printed.stdout.splitlines()[0] == "component,area_mm2,energy_uj"
    out = tmp_path / "parts.parquet"
    assert dse("show", EXAMPLE, 117, "--by", "component", "--out", out).exit_code == 0
    assert pd.read_parquet(out)["area_mm2"].sum() == pytest.approx(
        json.loads(dse("show", EXAMPLE, 117, "--format", "json").stdout)["area_mm2"]
    )
    for more in (("--out", out), ("--cache", tmp_path), ("--plugin", tmp_path / "own.py")):
        refused = dse("show", EXAMPLE, 117, *more)
        assert refused.exit_code == 2
        assert "go with --by" in refused.stderr
