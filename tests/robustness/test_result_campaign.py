"""Logs, tables and folders of studies that disks, scripts and people changed: nothing is lost, and no damage passes as a result."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.campaign import Campaign, Case, Home, Outcome, Words

RESULTS = Campaign()
case = RESULTS.case
RUN = ("run", "robust.toml", "--trials", "6", "-q", "--device", "cpu", "--in-process")
OWN = ("results/robust/*", "results/robust/.*")
EXAMPLE = "results/example"
Lines = list[bytes]


def has_all_trials(home: Home, outcome: Outcome) -> None:
    """The study has the trials of a study that nobody disturbed."""
    del outcome
    rows = pd.read_parquet(home.study / "trials.parquet")
    assert len(rows) >= 6
    assert rows["trial"].tolist() == list(range(len(rows)))


def logs(
    name: str, kind: str, change: Callable[[Home, Lines], bytes], *told: str, status: int = 1, quick: bool = False
) -> None:
    """Add a case of a log that was changed before the study continues; a refusal changes no file."""

    def make(home: Home) -> Words:
        log = home.study / "log.jsonl"
        log.write_bytes(change(home, log.read_bytes().splitlines(keepends=True)))
        return RUN

    writes, check = (OWN, has_all_trials) if status == 0 else ((), None)
    RESULTS.add(name, Case(kind, make, status, (*(("log.jsonl",) if status else ()), *told), writes, check, quick))


# copies and joins of a log
logs("a_line_twice", "copies", lambda _, lines: b"".join([*lines[:3], lines[2], *lines[3:]]), ":4")
logs("the_log_twice", "copies", lambda _, lines: b"".join([*lines, *lines]), quick=True)
logs("the_last_line_twice", "copies", lambda _, lines: b"".join([*lines, lines[-1]]))
logs("two_lines_exchanged", "copies", lambda _, lines: b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
logs("the_header_last", "copies", lambda _, lines: b"".join([*lines[1:], lines[0]]), ":1")
logs("a_line_of_the_middle_gone", "copies", lambda _, lines: b"".join([*lines[:3], *lines[4:]]))

# what tools make of a log
logs("windows_line_ends", "tools", lambda _, lines: b"".join(lines).replace(b"\n", b"\r\n"), status=0)
logs("a_mark_at_the_start", "tools", lambda _, lines: b"\xef\xbb\xbf" + b"".join(lines), status=0)
logs("compressed", "tools", lambda _, lines: gzip.compress(b"".join(lines), mtime=0))
logs("utf_16", "tools", lambda _, lines: b"".join(lines).decode().encode("utf-16"))
logs(
    "pretty_printed",
    "tools",
    lambda _, lines: b"\n".join(json.dumps(json.loads(line), indent=1).encode() for line in lines) + b"\n",
)
logs("blank_lines", "tools", lambda _, lines: b"\n".join(lines), ":2")
logs("conflict_of_a_merge", "tools", lambda _, lines: b"<<<<<<< HEAD\n" + b"".join(lines), ":1")

# what a disk makes of a log
logs("zeros_at_the_end", "disk", lambda _, lines: b"".join(lines) + b"\0" * 4096, status=0, quick=True)
logs("a_block_of_zeros_inside", "disk", lambda _, lines: b"".join([*lines[:3], b"\0" * len(lines[3]), *lines[4:]]))


def flip(home: Home, lines: Lines) -> bytes:
    at = home.chance.randrange(1, len(lines) - 1)
    line = bytearray(lines[at])
    line[line.index(b'"')] ^= 1 << home.chance.randrange(7)
    return b"".join([*lines[:at], bytes(line), *lines[at + 1 :]])


logs("a_flipped_bit", "disk", flip)


def edit_row(lines: Lines, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the row of the first trial that is done."""
    events = [json.loads(line) for line in lines]
    change(next(event for event in events if event["event"] == "done"))
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


# hand edits of a log
logs(
    "nan_as_an_area",
    "edits",
    lambda _, lines: edit_row(lines, lambda event: event["row"].update(area_mm2=float("nan"))),
)
logs("a_number_as_text", "edits", lambda _, lines: edit_row(lines, lambda event: event["row"].update(area_mm2="5")))
logs("a_trial_of_a_fraction", "edits", lambda _, lines: edit_row(lines, lambda event: event.update(trial=0.5)))
logs("a_negative_trial", "edits", lambda _, lines: edit_row(lines, lambda event: event.update(trial=-1)))
logs("a_trial_that_is_true", "edits", lambda _, lines: edit_row(lines, lambda event: event.update(trial=True)))
logs("another_status", "edits", lambda _, lines: edit_row(lines, lambda event: event["row"].update(status="good")))
logs("a_huge_integer", "edits", lambda _, lines: edit_row(lines, lambda event: event["row"].update(seed=10**40)))
logs("values_of_another_number", "edits", lambda _, lines: edit_row(lines, lambda event: event["values"].pop()))
logs("an_event_of_the_future", "edits", lambda _, lines: b"".join([*lines, b'{"event":"merged","trial":0}\n']))


def set_schema(lines: Lines) -> bytes:
    header = json.loads(lines[0])
    header["schema"] = 99
    return b"".join([json.dumps(header).encode() + b"\n", *lines[1:]])


logs("a_schema_of_the_future", "edits", lambda _, lines: set_schema(lines), "99")


# links and kinds of files
@case("links", 0, check=has_all_trials, writes=("kept/*", *OWN))
def a_log_that_is_a_link(home: Home) -> Words:
    (home.folder / "kept").mkdir()
    (home.study / "log.jsonl").rename(home.folder / "kept" / "log.jsonl")
    (home.study / "log.jsonl").symlink_to(home.folder / "kept" / "log.jsonl")
    return RUN


@case("links", 1, "log.jsonl")
def a_log_whose_link_leads_nowhere(home: Home) -> Words:
    (home.study / "log.jsonl").unlink()
    (home.study / "log.jsonl").symlink_to(home.folder / "away" / "log.jsonl")
    return RUN


@case("links", 1, "log.jsonl")
def a_log_that_is_a_device(home: Home) -> Words:
    (home.study / "log.jsonl").unlink()
    (home.study / "log.jsonl").symlink_to("/dev/full")
    return RUN


@case("links", 1, "results/loop")
def a_folder_in_a_loop_of_links(home: Home) -> Words:
    (home.folder / "results" / "loop").symlink_to("loop")
    return ("pareto", "results/loop")


@case("links", 0, "example", "robust", quick=True)
def links_to_the_folder_above(home: Home) -> Words:
    (home.folder / "results" / "above").symlink_to("..")
    return ("query", "SELECT study FROM studies ORDER BY study")


@case("links", 1, ".lock")
def a_lock_that_is_a_folder(home: Home) -> Words:
    (home.study / ".lock").unlink(missing_ok=True)
    (home.study / ".lock").mkdir()
    return RUN


@case("links", 1, ".lock")
def a_lock_in_a_loop_of_links(home: Home) -> Words:
    (home.study / ".lock").unlink(missing_ok=True)
    (home.study / ".lock").symlink_to(".lock")
    return RUN


@case("links", 1, "results/robust")
def a_study_that_is_a_file(home: Home) -> Words:
    shutil.rmtree(home.study)
    home.write("results/robust", "x")
    return RUN


@case("links", 0, check=has_all_trials, writes=OWN)
def a_lock_that_is_a_fifo(home: Home) -> Words:
    (home.study / ".lock").unlink(missing_ok=True)
    os.mkfifo(home.study / ".lock")
    return RUN


# tables
Change = Callable[[Any], Any]


def set_column(table: Any, name: str, values: Any) -> Any:
    return table.set_column(table.schema.get_field_index(name), name, values)


def set_metadata(table: Any, **changes: Any) -> Any:
    encoded = {key: value if isinstance(value, bytes) else json.dumps(value).encode() for key, value in changes.items()}
    return table.replace_schema_metadata(
        {**table.schema.metadata, **{key.encode(): value for key, value in encoded.items()}}
    )


def tables(
    name: str,
    kind: str,
    change: Change,
    command: tuple[object, ...],
    *told: str,
    status: int = 1,
    quick: bool = False,
    files: tuple[str, ...] = ("trials", "pareto"),
) -> None:
    """Add a case of changed tables of the example."""

    def make(home: Home) -> Words:
        for file in files:
            path = home.folder / EXAMPLE / f"{file}.parquet"
            pq.write_table(change(pq.read_table(path)), path)
        return command

    RESULTS.add(
        name, Case(kind, make, status, (*(("results/example",) if status else ()), *told), ("*.html",), None, quick)
    )


PARETO, SHOW = ("pareto", EXAMPLE), ("show", EXAMPLE, 105)
REPORT = ("report", EXAMPLE, "--out", "page.html")
QUERY = ("query", "SELECT count(*) AS n FROM trials", EXAMPLE)
tables("no_rows_at_all", "rows", lambda t: t.slice(0, 0), PARETO, "no design is on the front", status=0)
tables("no_rows_in_a_report", "rows", lambda t: t.slice(0, 0), REPORT, status=0)
tables("no_rows_to_show", "rows", lambda t: t.slice(0, 0), SHOW, "105")
tables("rows_in_another_order", "rows", lambda t: t.take(pa.array(np.arange(len(t))[::-1])), SHOW, "trial", status=0)
tables("a_trial_twice", "rows", lambda t: pa.concat_tables([t, t]), SHOW, "trial")
tables(
    "areas_as_text",
    "types",
    lambda t: set_column(t, "area_mm2", t["area_mm2"].cast(pa.string())),
    PARETO,
    "area_mm2",
    quick=True,
)
tables("trials_as_text", "types", lambda t: set_column(t, "trial", t["trial"].cast(pa.string())), SHOW, "trial")
tables("trials_as_fractions", "types", lambda t: set_column(t, "trial", t["trial"].cast(pa.float64())), SHOW, "trial")
tables(
    "statuses_as_a_dictionary",
    "types",
    lambda t: set_column(t, "status", t["status"].dictionary_encode()),
    REPORT,
    "column status",
)
tables(
    "trials_in_32_bits", "types", lambda t: set_column(t, "trial", t["trial"].cast(pa.int32())), SHOW, "column trial"
)
tables(
    "the_front_as_numbers",
    "types",
    lambda t: set_column(t, "on_front", t["on_front"].cast(pa.int8())),
    PARETO,
    "on_front",
)
tables("empty_trials", "values", lambda t: set_column(t, "trial", pa.nulls(len(t), pa.int64())), SHOW, "trial")
tables("empty_statuses", "values", lambda t: set_column(t, "status", pa.nulls(len(t), pa.string())), REPORT, "status")
tables(
    "a_status_that_is_not", "values", lambda t: set_column(t, "status", pa.array(["good"] * len(t))), REPORT, "status"
)
tables(
    "areas_that_are_nan",
    "values",
    lambda t: set_column(t, "area_mm2", pa.array([float("nan")] * len(t))),
    REPORT,
    "area_mm2",
)
tables(
    "areas_that_are_infinite",
    "values",
    lambda t: set_column(t, "area_mm2", pa.array([float("inf")] * len(t))),
    REPORT,
    "area_mm2",
)
tables(
    "energies_that_are_infinite",
    "values",
    lambda t: set_column(t, "energy_uj", pa.array([float("-inf")] * len(t))),
    PARETO,
    "energy_uj",
)
tables("an_empty_front", "values", lambda t: set_column(t, "on_front", pa.nulls(len(t), pa.bool_())), QUERY, "on_front")
tables("a_status_in_capitals", "values", lambda t: set_column(t, "status", pa.array(["DONE"] * len(t))), SHOW, "DONE")
tables("a_trial_of_the_front_twice", "rows", lambda t: pa.concat_tables([t, t.slice(0, 1)]), PARETO, "trial")
tables("a_trial_twice_in_sql", "rows", lambda t: pa.concat_tables([t, t.slice(3, 1)]), QUERY, "trial")
tables(
    "escapes_in_the_names_of_tasks",
    "values",
    lambda t: set_column(t, "order", pa.array([["\x1b[31m", "\x9b2J", "\u202ea", "b"]] * len(t))),
    SHOW,
    status=0,
)
tables(
    "escapes_in_a_plugin",
    "values",
    lambda t: set_column(t, "hardware", pa.array(["\x1b[2Jisaac"] * len(t))),
    PARETO,
    status=0,
    quick=True,
)
tables(
    "escapes_in_a_reason",
    "values",
    lambda t: set_column(t, "reason", pa.array(["\x1b]0;title\x07"] * len(t))),
    SHOW,
    status=0,
)
tables(
    "markup_in_a_plugin",
    "values",
    lambda t: set_column(t, "hardware", pa.array(["<script>alert(1)</script>"] * len(t))),
    REPORT,
    status=0,
)
tables("no_column_of_trials", "columns", lambda t: t.drop_columns(["trial"]), PARETO, "trial")
tables("no_column_of_an_objective", "columns", lambda t: t.drop_columns(["area_mm2"]), PARETO, "area_mm2")
tables("no_column_of_the_front", "columns", lambda t: t.drop_columns(["on_front"]), PARETO, "on_front")
tables("a_column_twice", "columns", lambda t: t.append_column("area_mm2", t["area_mm2"]), PARETO, "area_mm2")
tables("a_column_twice_in_sql", "columns", lambda t: t.append_column("area_mm2", t["area_mm2"]), QUERY, "area_mm2")
tables(
    "a_column_in_other_letters_in_sql",
    "columns",
    lambda t: t.append_column("AREA_MM2", t["area_mm2"]),
    QUERY,
    "118",
    status=0,
)
tables(
    "a_column_with_escapes",
    "columns",
    lambda t: t.append_column("\x1b[2Jx", t["area_mm2"]),
    ("pareto", EXAMPLE, "--format", "csv"),
    status=0,
)
tables("no_metadata", "metadata", lambda t: t.replace_schema_metadata(None), PARETO, "dse")
tables("objectives_that_are_not", "metadata", lambda t: set_metadata(t, objectives=["speed"]), PARETO, "speed")
tables("objectives_that_are_a_number", "metadata", lambda t: set_metadata(t, objectives=3), PARETO, "objectives")
tables(
    "metadata_that_is_no_json", "metadata", lambda t: set_metadata(t, objectives=b"[area"), PARETO, "metadata", "JSON"
)
tables(
    "a_version_that_is_no_number", "metadata", lambda t: set_metadata(t, schema_version=b"one"), SHOW, "metadata", "one"
)
tables(
    "a_reference_point_that_is_cut",
    "metadata",
    lambda t: set_metadata(t, reference_point=b'{"array'),
    REPORT,
    "metadata",
    "JSON",
)
tables(
    "a_reference_point_of_text",
    "metadata",
    lambda t: set_metadata(t, reference_point={"array_area_ratio": "x"}),
    ("pareto", EXAMPLE, "--hypervolume"),
    "reference point",
)
tables("a_schema_of_the_coming_year", "metadata", lambda t: set_metadata(t, schema_version=99), PARETO, "99")
tables(
    "a_name_with_escapes",
    "metadata",
    lambda t: set_metadata(t, study="\x1b[2Jx"),
    ("query", "SELECT name FROM studies", EXAMPLE),
    r"\u001b[2Jx",
    status=0,
)
tables("the_front_of_the_trials", "mixtures", lambda t: t.slice(0, 3), PARETO, status=0, files=("pareto",))


@case("mixtures", 1, "results/example", quick=True)
def the_front_of_another_study(home: Home) -> Words:
    shutil.copy(home.study / "pareto.parquet", home.folder / EXAMPLE / "pareto.parquet")
    return PARETO


@case("mixtures", 1, "results/example")
def the_trials_of_another_study(home: Home) -> Words:
    shutil.copy(home.study / "trials.parquet", home.folder / EXAMPLE / "trials.parquet")
    return (*PARETO, "--hypervolume")


@case("mixtures", 1, "results/robust")
def the_front_of_another_in_a_joint_front(home: Home) -> Words:
    shutil.copy(home.folder / EXAMPLE / "pareto.parquet", home.study / "pareto.parquet")
    return ("pareto", EXAMPLE, "robust", "--anyway")


@case("mixtures", 1, "trials.parquet")
def a_table_of_comma_separated_values(home: Home) -> Words:
    path = home.folder / EXAMPLE / "trials.parquet"
    path.write_text(pd.read_parquet(path).to_csv(index=False), encoding="utf-8")
    return SHOW


@case("mixtures", 1, "trials.parquet")
def a_table_that_is_a_pointer_of_git_lfs(home: Home) -> Words:
    home.write(f"{EXAMPLE}/trials.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 59470\n")
    return SHOW


@case("mixtures", 1, "trials.parquet")
def a_table_with_flipped_bytes(home: Home) -> Words:
    path = home.folder / EXAMPLE / "trials.parquet"
    content = bytearray(path.read_bytes())
    for _ in range(300):
        content[home.chance.randrange(4, len(content) // 2)] ^= 0xFF
    path.write_bytes(content)
    return ("query", "SELECT * FROM trials", EXAMPLE)


# folders
@case("folders", 0, "trial")
def a_folder_with_a_line_break(home: Home) -> Words:
    shutil.copytree(home.folder / EXAMPLE, home.folder / "results" / "two\nlines")
    return ("pareto", "two\nlines", "--columns", "trial")


@case("folders", 0, r"\x1b[2Jred")
def a_folder_with_an_escape(home: Home) -> Words:
    shutil.copytree(home.folder / EXAMPLE, home.folder / "results" / "\x1b[2Jred")
    return ("query", "SELECT study FROM studies")


@case("folders", 1, "results/empty")
def an_empty_folder(home: Home) -> Words:
    (home.folder / "results" / "empty").mkdir()
    return ("pareto", "results/empty")


@case("folders", 0, "27")
def the_same_study_twice(home: Home) -> Words:
    del home
    return ("query", "SELECT count(*) AS n FROM pareto", EXAMPLE, f"{EXAMPLE}/", "example")


@case("folders", 1, "results/space.toml")
def a_file_as_the_results(home: Home) -> Words:
    home.write("results/space.toml", "x")
    return ("pareto", "example", "--results", "results/space.toml")


@case("folders", 0, "27")
def a_thousand_stray_files(home: Home) -> Words:
    for number in range(1000):
        home.write(f"results/example/.nfs{number:08}", "x")
        home.write(f"results/stray{number}/x", "x")
    return ("query", "SELECT count(*) AS n FROM pareto WHERE study = 'example'")


@case("folders", 0, check=has_all_trials, writes=("moved/*", "moved/.*"))
def a_study_that_moved(home: Home) -> Words:
    (home.folder / "moved").mkdir()
    home.study.rename(home.folder / "moved" / "robust")
    home.study = home.folder / "moved" / "robust"
    return (*RUN, "--results", "moved")


@case("folders", 1, "log.jsonl", writes=("results/robust/.lock", "results/robust/log.jsonl"))
def a_study_in_the_folder_of_another(home: Home) -> Words:
    shutil.rmtree(home.study)
    shutil.copytree(home.folder / EXAMPLE, home.study)
    return RUN


# files beside the tables
def beside(
    name: str,
    file: str,
    content: str | bytes | None,
    command: tuple[object, ...],
    *told: str,
    status: int = 1,
    quick: bool = False,
) -> None:
    def make(home: Home) -> Words:
        path = home.folder / EXAMPLE / file
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return command

    RESULTS.add(name, Case("beside", make, status, (*((file,) if status else ()), *told), ("*.html",), None, quick))


beside("no_provenance", "provenance.json", None, REPORT, status=0)
beside("an_empty_provenance", "provenance.json", "", REPORT, quick=True)
beside("a_provenance_that_is_a_list", "provenance.json", "[]", REPORT)
beside("a_provenance_of_text", "provenance.json", '{"sessions": "many"}', REPORT)
beside("a_provenance_that_nests", "provenance.json", "[" * 100_000, REPORT)
beside("a_provenance_of_bytes", "provenance.json", b"\xff\xfe{}", QUERY)
beside("sessions_that_are_numbers", "provenance.json", '{"sessions": [1, 2]}', QUERY)
beside("no_space_file", "space.toml", None, REPORT, status=0)
beside("a_space_file_of_another_kind", "space.toml", "schema = 1\n", SHOW, "are left out", "space.toml", status=0)
beside("a_space_file_of_bytes", "space.toml", b"\xff\0", REPORT, "are left out", "space.toml", status=0)
beside("a_validation_of_text", "validation.parquet", "PAR1", REPORT, status=0)
beside("sessions_that_are_a_table", "provenance.json", '{"sessions": {"0": {}}}', REPORT)
beside("a_session_that_is_a_list", "provenance.json", '{"sessions": [[]]}', REPORT)
beside("a_table_in_the_making", "trials.parquet", b"", REPORT)


# designs to start from
def starts(name: str, change: Callable[[Any], Any], *told: str, status: int = 1, quick: bool = False) -> None:
    def make(home: Home) -> Words:
        pq.write_table(change(pq.read_table(home.study / "pareto.parquet")), home.folder / "start.parquet")
        shutil.rmtree(home.study)
        return (*RUN, "--start", "start.parquet")

    RESULTS.add(name, Case("starts", make, status, told, OWN, None, quick))


BITS = "param.hardware.isaac.adc_bits"
starts("no_designs", lambda t: t.slice(0, 0), "start.parquet", "no designs")
starts("no_parameters", lambda t: t.select([name for name in t.schema.names if not name.startswith("param")]), "param")
starts(
    "bits_beyond_the_range",
    lambda t: set_column(t, BITS, pa.array([99] * len(t))),
    "row 0 of the designs to start from: hardware.isaac.adc_bits",
    "99",
    quick=True,
)
starts(
    "bits_beyond_the_range_in_a_later_row",
    lambda t: set_column(t.take([0, 0]), BITS, pa.array([8, 99])),
    "row 1 of the designs to start from: hardware.isaac.adc_bits",
    status=1,
)
starts("bits_of_text", lambda t: set_column(t, BITS, pa.array(["x"] * len(t))), "adc_bits")
starts("bits_that_are_fractions", lambda t: set_column(t, BITS, pa.array([8.5] * len(t))), "adc_bits", "8.5")
starts("a_generator_that_is_not", lambda t: set_column(t, "generator", pa.array(["gone"] * len(t))), "gone")
starts("a_hundred_of_one_design", lambda t: pa.concat_tables([t.slice(0, 1)] * 100), status=0)


@case("starts", 1, "robust.toml")
def a_start_that_is_no_table(home: Home) -> Words:
    shutil.rmtree(home.study)
    return (*RUN, "--start", "robust.toml")


@case("starts", 1, "start.parquet")
def a_start_that_is_a_folder(home: Home) -> Words:
    shutil.rmtree(home.study)
    (home.folder / "start.parquet").mkdir()
    return (*RUN, "--start", "start.parquet")


# files to write
def outs(
    name: str,
    target: str,
    *told: str,
    status: int = 1,
    prepare: Callable[[Home], object] = lambda _: None,
    quick: bool = False,
) -> None:
    def make(home: Home) -> Words:
        prepare(home)
        return ("pareto", EXAMPLE, "--columns", "trial", "--out", target, "--format", "csv")

    RESULTS.add(name, Case("outs", make, status, told, (target,) if status == 0 else (), None, quick))


outs("out_on_a_full_device", "/dev/full", "/dev/full", "No space left", quick=True)
outs("out_under_a_file", "robust.toml/x.csv", "robust.toml/x.csv")
outs("out_in_a_folder_that_is_not", "nowhere/x.csv", "nowhere/x.csv")
outs("out_over_a_folder", "results", "results", "folder")
outs("out_with_a_long_name", "x" * 300 + ".csv", "too long")
outs(
    "out_through_a_link_over_a_study",
    "link.csv",
    "study",
    prepare=lambda home: (home.folder / "link.csv").symlink_to("results/robust/trials.parquet"),
)
outs(
    "out_through_a_hard_link_of_a_log",
    "hard.csv",
    status=0,
    prepare=lambda home: os.link(home.study / "log.jsonl", home.folder / "hard.csv"),
)
outs("out_over_provenance", "results/example/provenance.json", "study")
outs("out_with_a_slash_at_the_end", "results/", "results")


@pytest.mark.parametrize("name", RESULTS.list_params())
def test_a_hostile_study_ends_as_it_should(name: str, stage: Path) -> None:
    RESULTS.judge(name, stage)


def test_the_campaign_is_wide() -> None:
    assert len(RESULTS.cases) >= 30
    assert len({case.kind for case in RESULTS.cases.values()}) >= 12
