"""SQL over studies: what the views hold, what is refused and how it is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import dse
from dse.errors import QueryError, SetupError, StudyError
from dse.results.files import BASELINES, VALIDATION
from dse.results.limited import is_stuck
from dse.results.query import ask, matching
from dse.results.read import read_trials
from dse.results.studies import find
from tests.support.tables import NEW, OLD, row, write

COSINE = "param.compressor.two-stage.cosine"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two studies with other columns: two and one designs on their fronts."""
    rows = [row(0, 5.0, 0.8), row(1, 3.0, 0.7), row(2, 6.0, 0.75), row(3, 1.0, None, error_type="MemoryError")]
    write(tmp_path / "old", OLD, rows)
    write(tmp_path / "new", NEW, [row(0, 4.0, 0.85, **{COSINE: 0.5})])
    session = {"versions": {"dse": "0.1.0"}}
    (tmp_path / "old" / "provenance.json").write_text(json.dumps({"sessions": [session]}), encoding="utf-8")
    return tmp_path


def rows_of(results: Path, sql: str, *studies: str) -> list[dict[str, Any]]:
    table = ask(find(studies, results), sql)
    maps = {field.name for field in table.schema if pa.types.is_map(field.type)}
    rows: list[dict[str, Any]] = [
        {name: dict(value) if name in maps and value is not None else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
    return rows


def refusal(results: Path, sql: str) -> str:
    with pytest.raises(QueryError) as caught:
        ask(find((), results), sql)
    return str(caught.value)


def test_trials_and_front_of_every_study_say_whose_they_are(results: Path) -> None:
    counted = "SELECT study, count(*) AS n FROM {} GROUP BY study ORDER BY study"
    assert rows_of(results, counted.format("trials")) == [{"study": "new", "n": 1}, {"study": "old", "n": 4}]
    assert rows_of(results, counted.format("pareto")) == [{"study": "new", "n": 1}, {"study": "old", "n": 2}]
    assert rows_of(results, counted.format("trials"), "old") == [{"study": "old", "n": 4}]


def test_columns_are_joined_by_name_and_are_the_tables(results: Path) -> None:
    (found,) = rows_of(results, f'SELECT count("{COSINE}") AS cosine, count("area.adc") AS adc FROM trials')
    assert found == {"cosine": 1, "adc": 5}
    frame = dse.query("SELECT * EXCLUDE (study) FROM trials WHERE study = 'old' ORDER BY trial", results=results)
    kept = read_trials(results / "old")
    pd.testing.assert_frame_equal(frame[list(kept.columns)], kept)
    assert set(frame.columns) - set(kept.columns) == {COSINE}


def test_studies_has_one_row_a_study(results: Path) -> None:
    assert rows_of(results, "SELECT * FROM studies ORDER BY study DESC", "old") == [
        {
            "study": "old",
            "name": "old",
            "folder": str(results / "old"),
            "objectives": ["area", "accuracy"],
            "reference_point": {"area_ratio_reference": 1.0, "accuracy_drop": 5.0},
            "tasks": ["trec6", "sst2"],
            "trial_count": 4,
            "schema_version": 2,
            "dse_version": "0.1.0",
        }
    ]
    assert rows_of(results, "SELECT dse_version FROM studies", "new") == [{"dse_version": None}]
    (limit,) = rows_of(results, "SELECT reference_point['accuracy_drop'] AS points FROM studies", "new")
    assert limit == {"points": 5.0}


def test_sums_are_numbers_and_no_name_comes_twice(results: Path) -> None:
    (found,) = rows_of(results, "SELECT sum(trial) AS s, 1.5 AS x, 2 AS x, sum(1e30::HUGEINT * trial) AS h FROM trials")
    assert found == {"s": 6, "x": 1.5, "x_1": 2, "h": pytest.approx(6e30)}
    assert isinstance(found["s"], int)


def test_statements_without_rows_have_none(results: Path) -> None:
    assert rows_of(results, "CREATE TABLE mine (n INTEGER)") == []
    assert rows_of(results, "CREATE TABLE mine AS SELECT * FROM trials; SELECT count(*) AS n FROM mine") == [{"n": 5}]


@pytest.mark.parametrize("sql", ["", " ", "-- nothing", ";"])
def test_no_sql_is_an_error(results: Path, sql: str) -> None:
    text = refusal(results, sql)
    assert text.startswith("the query is empty\n  where: the query\n  expected: a query over the views")


REACHING = (
    "ATTACH 'new.db' AS x",
    "COPY (SELECT 1) TO 'new.csv'",
    "COPY (SELECT 1) TO 'old/trials.parquet' (FORMAT parquet, USE_TMP_FILE false)",
    "COPY FROM DATABASE memory TO other",
    "EXPORT DATABASE 'new'",
    "IMPORT DATABASE 'new'",
    "SELECT * FROM read_csv('file.csv')",
    "SELECT * FROM read_text('file.csv')",
    "SELECT * FROM read_blob('file.csv')",
    "SELECT * FROM 'file.csv'",
    "SELECT * FROM 'old/trials.parquet'",
    "SELECT * FROM parquet_metadata('old/trials.parquet')",
    "SELECT * FROM glob('*')",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET threads",
    "PRAGMA profiling_output = 'new.json'",
    "CALL enable_logging(storage = 'file', storage_path = 'new')",
    "PREPARE p AS COPY (SELECT 1) TO 'new.csv'; EXECUTE p",
    "UPDATE EXTENSIONS",
)


@pytest.mark.parametrize("sql", REACHING)
def test_sql_that_reaches_beyond_the_views_is_refused_in_one_sentence(
    results: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    Path("file.csv").write_text("a\n1\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    sources = find((), results)
    for statements in (sql, f"CREATE TABLE mine AS SELECT 1; {sql}; SELECT 1"):
        with pytest.raises(
            QueryError, match="SQL reads the views of the studies and no other file, extension or setting"
        ):
            ask(sources, statements)
    with pytest.raises(QueryError, match="DuckDB refuses the condition"):  # it would be more than one
        matching(sources, f"1=1); {sql}; SELECT study, trial FROM pareto WHERE (1=1")
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before


def test_python_variables_are_no_tables(results: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    assert "does not exist" in refusal(results, "SELECT * FROM frame")
    assert len(frame) == 1


def test_a_query_that_takes_too_long_is_ended(results: Path) -> None:
    """Expected: one message within the time limit, and the process is free to go on."""
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"DuckDB did not finish within 0\.5 s") as caught:
        ask(find((), results), "SELECT count(*) FROM range(1000000) a, range(1000000) b", limit_s=0.5)
    assert time.monotonic() - started < 5
    assert "--time-limit" in str(caught.value)
    assert not is_stuck()


def test_an_answer_that_would_fill_the_memory_is_refused(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.results.query._LARGEST_BYTES", 10**6)
    text = refusal(results, "SELECT range AS n, repeat('x', 100) AS t FROM range(1000000000)")
    assert text.startswith("the answer is larger than 0.001 GB\n  where: the query\n")
    assert "with LIMIT" in text


def test_an_answer_that_no_table_holds_is_said(results: Path) -> None:
    with pytest.raises(QueryError, match="a table cannot hold the answer") as caught:
        dse.query("SELECT 1::UNION(i INT, s VARCHAR) AS a", results=results)
    assert "cast the column" in str(caught.value)


def test_tables_that_cannot_be_joined_are_named(results: Path) -> None:
    import pyarrow.parquet as pq

    file = results / "new" / "trials.parquet"
    table = pq.read_table(file)
    index = table.schema.get_field_index("area.adc")
    texts = pa.array(["x"] * len(table))
    pq.write_table(table.set_column(index, "area.adc", texts), file)
    with pytest.raises(StudyError, match="these tables cannot be joined") as caught:
        ask(find((), results), "SELECT 1")
    assert str(results / "new") in str(caught.value)


@pytest.mark.parametrize("name", ["it's", 'a"b', "ünïcode", "50%"])
def test_folders_may_have_any_name(results: Path, name: str) -> None:
    (results / "old").rename(results / name)
    sql = "SELECT count(*) AS n FROM trials WHERE study = '{}'"
    assert rows_of(results, sql.format(name.replace("'", "''"))) == [{"n": 4}]


@pytest.mark.parametrize(
    ("name", "other"), [("new[2]", "new2"), ("n*w", "new"), ("ne?", "new"), ("study=1", "study=2")]
)
def test_the_name_of_a_folder_is_no_pattern(results: Path, name: str, other: str) -> None:
    (results / "new").rename(results / "kept")
    for folder in (name, other):
        shutil.copytree(results / "kept", results / folder)
    assert rows_of(results, "SELECT study, count(*) AS n FROM trials GROUP BY study", name) == [{"study": name, "n": 1}]
    assert matching(find((name,), results), "area_mm2 > 0") == {(name, 0)}


def test_a_column_that_does_not_exist_gets_the_nearest(results: Path) -> None:
    text = refusal(results, "SELECT area_mm FROM trials")
    assert 'Referenced column "area_mm" not found' in text
    assert "expected: SQL over trials, pareto, studies, validation, baselines" in text
    assert 'do: did you mean "area_mm2"' in text
    assert '"trial_count"' in refusal(results, "SELECT s.trial_cont FROM studies s")


@pytest.mark.parametrize("name", ["area.adc", COSINE])
def test_a_name_with_dots_that_is_not_quoted_is_shown_quoted(results: Path, name: str) -> None:
    assert f'do: put names with dots in double quotes: "{name}"' in refusal(results, f"SELECT {name} FROM trials")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELCT 1", 'syntax error at or near "SELCT"'),
        ("SELECT * FROM trial", 'Did you mean "trials"?'),
        ("SELECT * FROM trials WHERE area_mm2 < 'x'", "Could not convert string 'x' to DOUBLE"),
        ("SELECT regexp_matches(status, '[') FROM trials", "missing ]"),
    ],
)
def test_duckdbs_own_words_are_shown(results: Path, sql: str, said: str) -> None:
    text = refusal(results, sql)
    assert said in text
    assert "where: the query" in text
    assert 'do: `dse query "DESCRIBE trials"` lists the columns of a view' in text


def test_a_condition_chooses_designs_of_the_front(results: Path) -> None:
    sources = find((), results)
    assert matching(sources, "area_mm2 < 4.5 -- not too large") == {("old", 1), ("new", 0)}
    assert matching(sources, f'"{COSINE}" > 0.1') == {("new", 0)}
    with pytest.raises(QueryError, match="refuses the condition") as caught:
        matching(sources, "area_mm < 3")
    assert "where: --where" in str(caught.value)
    assert 'did you mean "area_mm2"' in str(caught.value)


@pytest.mark.parametrize("table", ["trials", "pareto"])
@pytest.mark.parametrize("damage", ["not parquet", "another table", "torn pages"])
def test_a_damaged_table_is_named(results: Path, table: str, damage: str) -> None:
    import pyarrow.parquet as pq

    file = results / "old" / f"{table}.parquet"
    if damage == "not parquet":
        file.write_bytes(b"PAR1 no more than this PAR1")
    elif damage == "another table":
        pq.write_table(pa.table({"x": [1]}), file)
    else:
        content = file.read_bytes()
        file.write_bytes(content[:4] + b"\xff" * (len(content) // 4) + content[4 + len(content) // 4 :])
    with pytest.raises(StudyError) as caught:
        ask(find((), results), f"SELECT * FROM {table}")
    assert f"where: {file}" in str(caught.value)


def test_a_damaged_provenance_is_named(results: Path) -> None:
    file = results / "old" / "provenance.json"
    file.write_text('{"sessions": [{}]}', encoding="utf-8")
    with pytest.raises(StudyError, match="the provenance is damaged") as caught:
        ask(find((), results), "SELECT 1")
    assert f"where: {file}" in str(caught.value)


def test_the_validation_is_a_view_that_other_queries_do_not_read(results: Path) -> None:
    pd.DataFrame({"trial": [1], "report.accuracy_drop": [0.25]}).to_parquet(results / "old" / VALIDATION)
    joined = 'SELECT study, area_mm2, "report.accuracy_drop" AS lost FROM trials JOIN validation USING (study, trial)'
    assert rows_of(results, joined) == [{"study": "old", "area_mm2": 3.0, "lost": 0.25}]
    assert rows_of(results, "FROM validation", "new") == []
    (results / "old" / VALIDATION).write_bytes(b"PAR1")
    assert rows_of(results, "SELECT count(*) AS n FROM trials", "old") == [{"n": 4}]
    with pytest.raises(StudyError, match=r"the table validation.parquet is damaged") as caught:
        rows_of(results, "FROM validation")
    assert f"where: {results / 'old' / VALIDATION}" in str(caught.value)


def test_without_duckdb_it_is_said_how_to_get_it(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(SetupError, match="duckdb, which is not installed") as caught:
        dse.query("SELECT 1", results=results)
    assert "do: pip install 'dse-reram[query]'" in str(caught.value)


def test_a_query_loads_no_torch(results: Path) -> None:
    code = (
        "import sys, dse; dse.query('SELECT * FROM trials', results=sys.argv[1]);"
        "print([name for name in ('torch', 'transformers', 'optuna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, results], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_study_that_moved_is_read_where_it_is(results: Path) -> None:
    shutil.move(results / "old", results / "deeper" / "older")
    assert {row["folder"] for row in rows_of(results, "SELECT folder FROM studies", "deeper")} == {
        str(results / "deeper" / "older")
    }


def test_baselines_are_a_view_beside_their_trials(results: Path) -> None:
    rows = [{"trial": 1, "baseline": name, "area_mm2": area} for name, area in (("paper", 80.0), ("best", 40.0))]
    pd.DataFrame(rows).to_parquet(results / "old" / BASELINES)
    joined = "SELECT baseline, trials.area_mm2 / baselines.area_mm2 AS ratio FROM trials JOIN baselines USING (study, trial) ORDER BY baseline DESC"
    (area,) = (row["area_mm2"] for row in rows_of(results, "SELECT area_mm2 FROM trials WHERE trial = 1", "old"))
    assert rows_of(results, joined, "old") == [
        {"baseline": "paper", "ratio": area / 80},
        {"baseline": "best", "ratio": area / 40},
    ]
    (results / "old" / BASELINES).write_bytes(b"PAR1")
    with pytest.raises(StudyError, match=r"continue the study with more trials"):
        rows_of(results, "FROM baselines", "old")
