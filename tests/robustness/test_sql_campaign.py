"""SQL of strangers and of people in a hurry: it is answered right, or refused in one sentence, and reaches nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.support.campaign import Campaign, Case, Home, Outcome, Words, run

SQL = Campaign()
case = SQL.case
EXAMPLE = "results/example"
REACH = "SQL reads the views of the studies and no other file, extension or setting"


def asks(name: str, kind: str, sql: str, answer: Any, *, quick: bool = False) -> None:
    """Add a case of a query whose answer is known: a list of rows by column, as JSON."""

    def make(home: Home) -> Words:
        del home
        return ("query", sql, EXAMPLE, "--format", "json")

    def check(home: Home, outcome: Outcome) -> None:
        del home
        assert json.loads(outcome.stdout) == answer

    SQL.add(name, Case(kind, make, 0, (), (), check, quick))


def refuses(name: str, kind: str, sql: str, *told: str, more: tuple[str, ...] = (), quick: bool = False) -> None:
    """Add a case of a query that is refused."""

    def make(home: Home) -> Words:
        del home
        return ("query", sql, EXAMPLE, *more)

    SQL.add(name, Case(kind, make, 1, ("the query", *told), (), None, quick))


def selects(name: str, condition: str, trials: set[int] | None, *told: str, quick: bool = False) -> None:
    """Add a case of a condition of `dse pareto --where`: it selects these trials, or is refused."""

    def make(home: Home) -> Words:
        del home
        return ("pareto", EXAMPLE, "--where", condition, "--format", "json", "--columns", "trial")

    def check(home: Home, outcome: Outcome) -> None:
        del home
        assert {row["trial"] for row in json.loads(outcome.stdout)} == trials

    refused = trials is None
    SQL.add(
        name,
        Case(
            "conditions",
            make,
            int(refused),
            ("--where", *told) if refused else told,
            (),
            None if refused else check,
            quick,
        ),
    )


# what reaches out
for name, sql in (
    ("a_query_in_a_query", "SELECT * FROM query('COPY (SELECT 1) TO ''new.csv''')"),
    ("a_table_by_the_name_of_a_file", "SELECT * FROM query_table('robust.toml')"),
    ("a_file_of_json", "SELECT * FROM read_json('/etc/os-release')"),
    ("a_file_by_its_ending", "FROM '/etc/passwd'"),
    ("a_url", "SELECT * FROM 'https://example.org/x.parquet'"),
    ("a_sniffer", "FROM sniff_csv('robust.toml')"),
    ("a_secret", "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')"),
    ("a_variable_of_the_shell", "SELECT getenv('HOME') AS home"),
    ("an_attached_study", "ATTACH 'results/example/trials.parquet' (READ_ONLY)"),
    ("a_checkpoint", "CHECKPOINT"),
    ("a_use_of_another", "USE memory"),
    ("a_path_of_searches", "SET search_path = 'temp'"),
    ("more_memory", "SET memory_limit = '1TB'"),
    ("a_log_in_a_file", "CALL enable_logging('QueryLog', storage = 'file', storage_path = 'new')"),
    ("a_profile_in_a_file", "EXPLAIN ANALYZE SELECT 1; PRAGMA enable_profiling = 'json'"),
):
    refuses(name, "reach", sql, quick=name == "a_query_in_a_query")
refuses("a_python_variable", "python", "SELECT * FROM tables", "tables")
refuses("a_python_module", "python", "SELECT * FROM pa", "pa")
refuses("a_local_of_python", "python", "SELECT * FROM views", "views")

# what would take a machine
LIMIT = ("--time-limit", "3")
refuses(
    "an_endless_recursion",
    "size",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "3 s",
    more=LIMIT,
    quick=True,
)
refuses("a_text_of_many_gigabytes", "size", "SELECT repeat('x', 100000000000) AS t", more=LIMIT)
refuses("a_list_of_many_gigabytes", "size", "SELECT range(100000000000) AS l", more=LIMIT)
refuses(
    "a_product_that_is_sorted",
    "size",
    "SELECT a.range FROM range(10000000) a, range(10000) b ORDER BY hash(a.range + b.range) LIMIT 1",
    more=LIMIT,
)
refuses(
    "a_pattern_that_explodes",
    "size",
    f"SELECT count(*) FROM range(10000000) WHERE regexp_matches(repeat('a', 3000) || range, '{'(a|aa)*' * 10}b')",
    "3 s",
    more=LIMIT,
)
refuses("brackets_ten_thousand_deep", "depth", "SELECT " + "(" * 10_000 + "1" + ")" * 10_000, quick=True)
refuses("sums_of_a_hundred_thousand", "depth", "SELECT " + "1+" * 100_000 + "1")
refuses("selects_within_selects", "depth", "SELECT * FROM (" * 3_000 + "SELECT 1" + ")" * 3_000)
asks("a_comment_of_megabytes", "depth", f"/* {'x' * 3_000_000} */ SELECT 42 AS n", [{"n": 42}])
refuses("lists_within_lists", "depth", "SELECT " + "[" * 2_000 + "1" + "]" * 2_000 + " AS l")
asks(
    "a_union_of_a_thousand",
    "depth",
    " UNION ALL ".join(f"SELECT {n} AS n" for n in range(1000)) + " ORDER BY n DESC LIMIT 1",
    [{"n": 999}],
)

# values of every type
asks(
    "infinite_numbers",
    "types",
    "SELECT 'inf'::DOUBLE AS a, 'nan'::DOUBLE AS b, NULL AS c",
    [{"a": None, "b": None, "c": None}],
)
asks(
    "integers_beyond_64_bits",
    "types",
    "SELECT 170141183460469231731687303715884105727::HUGEINT AS a, 18446744073709551615::UBIGINT AS b",
    [{"a": 1.7014118346046923e38, "b": 18446744073709551615}],
)
asks(
    "a_uuid",
    "types",
    "SELECT '00000000-0000-0000-0000-000000000001'::UUID AS a",
    [{"a": "00000000-0000-0000-0000-000000000001"}],
)
asks("a_struct_in_a_list", "types", "SELECT [{'a': 1, 'b': [2.5, NULL]}] AS a", [{"a": [{"a": 1, "b": [2.5, None]}]}])
refuses(
    "an_interval", "types", "SELECT INTERVAL 90 MINUTES AS a", "interval", "cast"
)  # its text in pandas is no answer
refuses("a_difference_of_moments", "types", "SELECT TIMESTAMP '2026-01-02' - TIMESTAMP '2026-01-01' AS a", "column a")
asks("an_interval_as_text", "types", "SELECT (INTERVAL 90 MINUTES)::VARCHAR AS a", [{"a": "01:30:00"}])
asks(
    "decimals_in_a_map", "types", "SELECT MAP {'x': 0.25} AS a, {'b': 1.5} AS s", [{"a": {"x": 0.25}, "s": {"b": 1.5}}]
)
asks(
    "unsigned_integers_with_gaps",
    "types",
    "SELECT unnest([18446744073709551615::UBIGINT, NULL]) AS a",
    [{"a": 18446744073709551615}, {"a": None}],
)
asks("unsigned_integers_of_8_bits", "types", "SELECT 255::UTINYINT AS a", [{"a": 255}])
asks("a_map", "types", "SELECT MAP {'x': 1} AS a", [{"a": {"x": 1}}])
asks("an_enum", "types", "SELECT 'b'::ENUM('a', 'b') AS a", [{"a": "b"}])
asks(
    "negative_zero_and_small_numbers",
    "types",
    "SELECT -0.0::DOUBLE AS a, 5e-324::DOUBLE AS b",
    [{"a": -0.0, "b": 5e-324}],
)
asks("a_decimal_of_many_digits", "types", "SELECT 0.1::DECIMAL(38, 20) + 0.2 AS a", [{"a": 0.3}])
asks("truth", "types", "SELECT true AS a, NULL::BOOLEAN AS b", [{"a": True, "b": None}])
asks("bits", "types", "SELECT '0101'::BIT::VARCHAR AS a", [{"a": "0101"}])
asks(
    "a_moment_of_a_zone",
    "types",
    "SELECT epoch_us(TIMESTAMPTZ '2026-01-02 03:04:05+00') AS a",
    [{"a": 1767323045000000}],
)
refuses("a_date_beyond_python", "types", "SELECT DATE '20000-01-01' AS a", "cast")


def shows(name: str, value: str, *told: str) -> None:
    """Add a case of a value whose text in JSON is free but for these words."""

    def make(home: Home) -> Words:
        del home
        return ("query", f"SELECT {value} AS a", EXAMPLE, "--format", "json")

    SQL.add(name, Case("types", make, 0, told))


shows("bytes", r"'\x00\xFFa'::BLOB", r"\\x00\\xffa")
shows("a_moment", "TIMESTAMP '2026-01-02 03:04:05.678901'", "2026-01-02", "03:04:05.678901")
shows("a_time_of_day", "TIME '03:04:05'", "03:04:05")


# every format
def formats(name: str, sql: str, form: str, check: Callable[[str], object] = str) -> None:
    def make(home: Home) -> Words:
        del home
        return ("query", sql, EXAMPLE, "--format", form)

    SQL.add(name, Case("formats", make, 0, (), (), lambda _, outcome: check(outcome.stdout)))


TRICKY = "SELECT 'a\n\"b\",c\td|e' AS x, '' AS y, NULL AS z, '=1+1' AS w"


def is_exact(text: str, delimiter: str = ",") -> None:
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == [
        ["x", "y", "z", "w"],
        ['a\n"b",c\td|e', "", "", "=1+1"],
    ]


def has_no_rows(text: str) -> None:
    assert json.loads(text) == []


def has_equal_cells(text: str) -> None:
    lines = text.replace("\\|", "").splitlines()
    assert len(lines) == 3
    assert len({line.count("|") for line in lines}) == 1


formats("separators_in_csv", TRICKY, "csv", is_exact)
formats("separators_in_tsv", TRICKY, "tsv", lambda text: is_exact(text, "\t"))
formats("separators_in_markdown", TRICKY, "markdown", has_equal_cells)
formats("lines_in_a_table", "SELECT 'one\ntwo' AS x, 3 AS y", "table")
formats("escapes_in_a_table", r"SELECT chr(27) || '[2J' AS x", "table")
formats("a_cell_of_a_megabyte", "SELECT repeat('x', 1000000) AS x", "table")
formats("wide_letters", "SELECT '判決' AS x, '🙂é' AS y", "table")
formats(
    "no_rows_in_json",
    "SELECT 1 AS x WHERE false",
    "json",
    has_no_rows,
)


@case("formats", 0, writes=("x.parquet",), check=lambda home, _: _is_whole(home))
def every_type_in_parquet(home: Home) -> Words:
    del home
    sql = "SELECT *, '00000000-0000-0000-0000-000000000001'::UUID AS u, 'x'::BLOB AS b, MAP {'k': 1} AS m FROM trials"
    return ("query", sql, EXAMPLE, "--out", "x.parquet")


def _is_whole(home: Home) -> None:
    assert pq.read_table(home.folder / "x.parquet").num_rows == 118


# names of columns
asks("names_that_differ_in_case", "names", 'SELECT 1 AS "a", 2 AS "A"', [{"a": 1, "A": 2}])
asks("names_that_repeat", "names", "SELECT 1 AS a, 2 AS a, 3 AS a_1", [{"a": 1, "a_1": 2, "a_1_1": 3}])
asks("a_name_that_is_empty_text", "names", 'SELECT 1 AS " "', [{" ": 1}])
asks("a_name_of_two_lines", "names", 'SELECT 1 AS "a\nb"', [{"a\nb": 1}])
asks("a_name_in_another_script", "names", "SELECT 1 AS größe_判決", [{"größe_判決": 1}])
asks("no_name", "names", "SELECT 1 + 1", [{"(1 + 1)": 2}])

# statements
asks(
    "a_view_of_ones_own",
    "statements",
    "CREATE VIEW mine AS SELECT count(*) AS n FROM trials; SELECT n FROM mine",
    [{"n": 118}],
)
asks(
    "a_view_in_the_place_of_ours",
    "statements",
    "CREATE OR REPLACE TEMP VIEW trials AS SELECT 7 AS n; SELECT n FROM trials",
    [{"n": 7}],
)
asks("a_transaction", "statements", "BEGIN; CREATE TABLE t AS SELECT 1 AS n; ROLLBACK; SELECT 2 AS n", [{"n": 2}])
asks("a_macro", "statements", "CREATE MACRO twice(x) AS 2 * x; SELECT twice(21) AS n", [{"n": 42}])
asks("from_first", "statements", "FROM trials SELECT count(*) AS n", [{"n": 118}])
asks(
    "a_summary",
    "statements",
    "SELECT column_name FROM (SUMMARIZE trials) WHERE column_name = 'trial'",
    [{"column_name": "trial"}],
)
asks(
    "a_pivot",
    "statements",
    "PIVOT (SELECT status, trial FROM trials) ON status USING count(trial)",
    [{"done": 80, "duplicate": 38}],
)
refuses("changed_trials", "statements", "UPDATE trials SET area_mm2 = 0")
refuses("deleted_trials", "statements", "DELETE FROM trials")
refuses("a_table_that_is_dropped", "statements", "DROP TABLE trials")
refuses("a_command_of_the_shell", "statements", ".tables")
refuses("half_a_statement", "statements", "SELECT * FROM trials WHERE")
refuses("a_text_without_an_end", "statements", "SELECT 'abc")

# letters
refuses("a_zero_byte", "letters", "SELECT 1 \0 AS a")
asks("a_space_that_does_not_break", "letters", "SELECT\u00a042 AS n", [{"n": 42}])
asks("a_byte_order_mark", "letters", "\ufeffSELECT 42 AS n", [{"n": 42}])
refuses("half_a_pair", "letters", "SELECT '\ud800' AS a", r"\ud800")
selects("half_a_pair_in_a_condition", "compressor = '\ud800'", None, r"\ud800")
refuses("half_a_pair_in_a_comment", "letters", "SELECT 1 -- \udcff", r"\udcff")
refuses("typographic_quotes", "letters", "SELECT “trial” FROM trials")
refuses("an_escape_in_a_name", "letters", 'SELECT "\x1b[2J" FROM trials', r"\x1b[2J")

# answers
asks(
    "three_values_of_truth",
    "answers",
    "SELECT count(*) AS n FROM trials WHERE duplicate_of <> 0 OR duplicate_of = 0",
    [{"n": 38}],
)
asks(
    "sums_of_whole_numbers",
    "answers",
    "SELECT sum(trial) AS s, avg(trial) AS a FROM trials",
    [{"s": 118 * 117 // 2, "a": 58.5}],
)
asks("lists_of_a_trial", "answers", "SELECT len(tasks) AS n, tasks[1] AS t FROM studies", [{"n": 4, "t": "trec6"}])
asks(
    "a_division",
    "answers",
    "SELECT 7 / 2 AS a, 7 // 2 AS b, 7 % 2 AS c, 1 / 0 AS d",
    [{"a": 3.5, "b": 3, "c": 1, "d": None}],
)

# conditions
ALL = {
    row["trial"]
    for row in pq.read_table(
        Path(__file__).resolve().parents[2] / EXAMPLE / "pareto.parquet", columns=["trial"]
    ).to_pylist()
}
selects("a_condition_of_nothing", "", None)
selects("a_condition_that_opens", "1=1) OR (1=1", None, quick=True)
selects("a_condition_with_an_end", "1=1) ORDER BY (1", None)
selects("two_conditions", "1=1, 2=2", None)
selects("a_condition_that_comments", "1=1 /*", None)
selects("a_condition_with_a_semicolon", "1=1;", None)
selects("a_condition_that_is_null", "NULL", set())
selects("a_condition_that_is_a_number", "trial % 2", {trial for trial in ALL if trial % 2})
selects("a_condition_that_is_text", "'yes please'", None)
selects("a_condition_of_a_sum", "sum(trial) > 0", None)
selects("a_condition_of_a_window", "row_number() OVER () > 0", None)
selects("a_condition_of_a_query", "trial = (SELECT max(trial) FROM pareto)", {max(ALL)})
selects("a_condition_that_raises", "error('mine') IS NULL", None, "mine")
selects("a_condition_of_a_union", "1=0) UNION SELECT 'example', 3 WHERE (1=1", None)
selects("a_condition_that_reads", "trial IN (SELECT 1 FROM read_text('/etc/passwd'))", None)
selects("a_condition_of_three_values", "lifetime_years > 5 OR lifetime_years <= 5", set())


# studies
def studies(
    name: str,
    status: int,
    told: tuple[str, ...],
    *names: str,
    sql: str = "SELECT count(*) AS n FROM trials",
    prepare: Callable[[Home], object] = lambda _: None,
) -> None:
    def make(home: Home) -> Words:
        prepare(home)
        return ("query", sql, *names, "--format", "csv")

    SQL.add(name, Case("studies", make, status, told))


studies("a_study_twice", 0, ("n\n118\n",), EXAMPLE, EXAMPLE)
studies("a_study_and_its_table", 0, ("n\n118\n",), EXAMPLE, f"{EXAMPLE}/trials.parquet")
studies("a_query_behind_the_study", 1, ("SELECT 1",), "SELECT 1", sql=EXAMPLE)
studies("a_study_that_is_a_pattern", 1, ("results/*",), "results/*")
studies("no_study_at_all", 1, ("empty",), "--results", "empty", prepare=lambda home: (home.folder / "empty").mkdir())
studies(
    "a_study_with_a_quote",
    0,
    ("it's,118",),
    "it's",
    sql="SELECT study, count(*) AS n FROM trials GROUP BY study",
    prepare=lambda home: (home.folder / EXAMPLE).rename(home.folder / "results" / "it's"),
)


@case("studies", 0, "6", writes=("copy.parquet",))
def an_answer_that_is_a_study(home: Home) -> Words:
    del home
    assert run("query", "SELECT * FROM trials WHERE trial < 6", EXAMPLE, "--out", "copy.parquet").status == 0
    return ("query", "SELECT count(*) AS n FROM trials", "copy.parquet")


def has_exact_areas(home: Home, outcome: Outcome) -> None:
    table = pd.read_parquet(home.folder / EXAMPLE / "trials.parquet")
    rows = list(csv.DictReader(io.StringIO(outcome.stdout)))
    assert [float(row["area_mm2"] or "nan") for row in rows] == pytest.approx(
        table["area_mm2"].tolist(), abs=0, rel=0, nan_ok=True
    )


@case("answers", 0, check=has_exact_areas, quick=True)
def every_digit_in_csv(home: Home) -> Words:
    del home
    return ("query", "SELECT area_mm2 FROM trials ORDER BY trial", EXAMPLE, "--format", "csv")


@pytest.mark.parametrize("name", SQL.list_params())
def test_hostile_sql_ends_as_it_should(name: str, stage: Path) -> None:
    SQL.judge(name, stage)


def test_the_campaign_is_wide() -> None:
    assert len(SQL.cases) >= 30
    assert len({case.kind for case in SQL.cases.values()}) >= 12
