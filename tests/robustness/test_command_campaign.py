"""Words, streams, environments and signals that a shell, a CI or a batch system gives: the command works or says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.support.campaign import Campaign, Case, Home, Outcome, Words

COMMANDS = Campaign()
case = COMMANDS.case
EXAMPLE = "results/example"
PARETO = ("pareto", EXAMPLE)
SHELL = f"$DSE pareto {EXAMPLE} --columns trial,area_mm2 --limit 2"
RUN = "$DSE run robust.toml --trials 6 -q --device cpu"
OWN = ("results/robust/*", "results/robust/.*")


def words(
    name: str,
    kind: str,
    line: tuple[object, ...],
    *told: str,
    status: int = 2,
    writes: tuple[str, ...] = (),
    quick: bool = False,
) -> None:
    """Add a case of words of a command."""

    def make(home: Home) -> Words:
        del home
        return line

    COMMANDS.add(name, Case(kind, make, status, told, writes, None, quick))


def shell(
    name: str,
    kind: str,
    line: str,
    *told: str,
    status: int = 0,
    writes: tuple[str, ...] = (),
    check: Callable[[Home, Outcome], None] | None = None,
    quick: bool = False,
) -> None:
    """Add a case of a line of the shell."""

    def make(home: Home) -> Words:
        del home
        return line

    COMMANDS.add(name, Case(kind, make, status, told, writes, check, quick))


# numbers
words("no_limit", "numbers", (*PARETO, "--limit", "0"), "--limit")
words("a_negative_limit", "numbers", (*PARETO, "--limit", "-1"), "--limit")
words("a_limit_in_scientific_notation", "numbers", (*PARETO, "--limit", "1e3"), "--limit")
words("a_limit_beyond_64_bits", "numbers", (*PARETO, "--limit", 10**30), "117", status=0, quick=True)
words("a_drop_of_nan", "numbers", (*PARETO, "--max-drop", "nan"), "--max-drop", "nan", quick=True)
words("an_area_of_nan", "numbers", (*PARETO, "--max-area", "nan"), "--max-area", "nan")
words("an_endless_drop", "numbers", (*PARETO, "--max-drop", "inf"), "--max-drop", "inf")
words("trials_of_a_fraction", "numbers", ("run", "robust.toml", "--trials", "2.5"), "--trials")
words("trials_beyond_64_bits", "numbers", ("run", "robust.toml", "--trials", 10**30), "--trials")
words("a_time_of_nan_for_a_query", "numbers", ("query", "SELECT 1", EXAMPLE, "--time-limit", "nan"), "--time-limit")
words(
    "a_time_beyond_threads_for_a_query",
    "numbers",
    ("query", "SELECT 41 + 1 AS n", EXAMPLE, "--time-limit", "1e300"),
    "42",
    status=0,
    quick=True,
)
words("no_time_for_a_query", "numbers", ("query", "SELECT 1", EXAMPLE, "--time-limit", "0"), "--time-limit")
words("no_time_for_plugins", "numbers", ("plugins", "list", "--time-limit", "0"), "--time-limit", "above 0")
words("no_time_for_a_check", "numbers", ("plugins", "check", "fixed", "--time-limit", "-0.0"), "--time-limit")
words("negative_time_for_plugins", "numbers", ("plugins", "list", "--time-limit", "-1"), "--time-limit")
words("time_of_nan_for_plugins", "numbers", ("plugins", "info", "isaac", "--time-limit", "nan"), "--time-limit")
words("endless_time_for_plugins", "numbers", ("plugins", "info", "isaac", "--time-limit", "inf"), "adc_bits", status=0)
words("a_target_of_nan", "numbers", ("validate", "robust", "--target-drop", "nan"), "--target-drop", "nan")
words("a_negative_trial", "numbers", ("show", EXAMPLE, "--", "-1"), "TRIAL", "0")
words("a_trial_in_hexadecimal", "numbers", ("show", EXAMPLE, "0x10"), "TRIAL", "integer")
words("an_army_of_workers", "numbers", ("run", "robust.toml", "--workers", 10**6), "--workers")
words("a_port_beyond_ports", "numbers", ("dashboard", EXAMPLE, "--port", "65536"), "--port", "65535")
words("rows_below_one", "numbers", ("redundancy", "robust.toml", "--rows", "0"), "--rows")

# lists of columns
words("no_columns", "columns", (*PARETO, "--columns", ""), "--columns")
words("columns_of_spaces", "columns", (*PARETO, "--columns", " , "), "--columns")
words("columns_of_commas", "columns", (*PARETO, "--columns", ",,"), "--columns")
words("a_column_twice", "columns", (*PARETO, "--columns", "trial,trial", "--format", "csv"), "trial", status=0)
words(
    "columns_with_spaces",
    "columns",
    (*PARETO, "--columns", " trial , area_mm2 ", "--format", "csv"),
    "trial,area_mm2",
    status=0,
)
words("a_column_in_capitals", "columns", (*PARETO, "--columns", "Trial"), "Trial", "trial", status=1)
words("a_column_of_escapes", "columns", (*PARETO, "--columns", "\x1b[2J"), r"\x1b[2J", status=1)
words("sorted_by_a_list", "columns", (*PARETO, "--sort", "order"), "order", status=1)
words("sorted_by_nothing", "columns", (*PARETO, "--sort", ""), "--sort")
words("sorted_by_a_space", "columns", (*PARETO, "--sort", " "), "--sort")
words("a_megabyte_of_columns", "columns", (*PARETO, "--columns", "x," * 50_000), "no column called 'x'", status=1)
words("a_column_of_a_megabyte", "columns", (*PARETO, "--columns", "x" * 100_000), "no column called 'xxx", status=1)

# names
words("a_misspelt_command", "names", ("chek", "robust.toml"), "chek", "check")
words("a_misspelt_option", "names", (*PARETO, "--colums", "trial"), "--colums", "--columns")
words("a_format_in_capitals", "names", (*PARETO, "--format", "JSON"), "--format", "json")
words("an_empty_study", "names", ("pareto", ""), "study", status=1, quick=True)
words("a_study_of_spaces", "names", ("pareto", "  "), "study", status=1)
words("a_study_that_is_a_dash", "names", ("pareto", "-"), "-", status=1)
words("a_study_of_escapes", "names", ("pareto", "\x1b[2J"), r"\x1b[2J", status=1)
words("a_study_with_a_zero_byte", "names", ("pareto", "a\0b"), r"a\x00b", status=1)
words("an_empty_space_file", "names", ("check", ""), "space file", status=1)
words("empty_results", "names", (*PARETO, "--results", ""), "117", status=0)
words("a_figure_that_is_not", "names", ("plot", EXAMPLE, "--figure", "front", "--out", "x.html"), "--figure", "fronts")
words("a_picture_of_no_kind", "names", ("plot", EXAMPLE, "--out", "x.gif"), "x.gif", ".svg", status=1)
words("a_device_that_is_not", "names", ("check", "robust.toml", "--device", "cuda:1"), "--device", "cuda")
words(
    "a_host_that_is_not",
    "names",
    ("dashboard", "robust", "--host", "no.such.host.invalid", "--port", "0"),
    "no.such.host.invalid",
    status=1,
)
words(
    "a_plugin_of_another_kind",
    "names",
    ("plugins", "info", "isaac", "--kind", "scheduler"),
    "isaac",
    "scheduler",
    status=1,
)
words(
    "results_in_a_file",
    "paths",
    ("run", "robust.toml", "--results", "robust.toml", "--device", "cpu", "--in-process", "-q"),
    "robust.toml",
    status=1,
)
words(
    "results_in_a_device",
    "paths",
    ("run", "robust.toml", "--results", "/dev/null", "--device", "cpu", "--in-process", "-q"),
    "/dev/null",
    status=1,
)
words(
    "results_in_proc",
    "paths",
    ("run", "robust.toml", "--results", "/proc/x", "--device", "cpu", "--in-process", "-q"),
    "/proc/x",
    status=1,
)
words(
    "results_with_a_zero_byte",
    "paths",
    ("run", "robust.toml", "--results", "a\0b", "--device", "cpu", "--in-process", "-q"),
    "--results",
    "null byte",
)
words(
    "a_cache_with_a_zero_byte",
    "paths",
    ("check", "robust.toml", "--cache", "a\0b", "--device", "cpu", "--in-process", "-q"),
    "--cache",
    "null byte",
)
words(
    "data_in_a_file",
    "paths",
    ("check", "robust.toml", "--data", "robust.toml", "--device", "cpu", "--in-process", "-q"),
    "--data",
    "robust.toml",
    status=1,
)
words("an_out_that_is_a_dash", "paths", (*PARETO, "--out", "-"), "--out", "'-'")
words("an_out_that_is_a_dash_with_a_format", "paths", (*PARETO, "--format", "csv", "--out", "-"), "--out", "'-'")

# streams
shell("a_full_output", "streams", f"{SHELL} > /dev/full", "No space left", status=1, quick=True)
shell("a_full_output_of_a_run", "streams", f"{RUN} > /dev/full", "No space left", status=1, writes=OWN)
shell("a_full_error_stream", "streams", "$DSE pareto nothing 2> /dev/full; test $? -eq 1")
shell("an_output_opened_for_reading", "streams", f"{SHELL} 1< robust.toml", "Bad file descriptor", status=1)
shell("every_stream_closed", "streams", f"{SHELL} <&- >&- 2>&-")
shell(
    "a_reader_that_left",
    "streams",
    f"unset PYTHONUNBUFFERED; $DSE query 'SELECT range FROM range(300000)' {EXAMPLE} --format csv | head -n 1; test ${{PIPESTATUS[0]}} -eq 1",
    "range",
)
shell(
    "an_output_that_never_waits",
    "streams",
    f"""python3 -c 'import fcntl, os, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
run = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
time.sleep(4)
text = os.fdopen(reader).read()
print(run.wait(), len(text.splitlines()))' $DSE query 'SELECT range FROM range(300000)' {EXAMPLE} --format csv""",
    "0 300001",
)
shell("an_input_that_is_full", "streams", f"yes | {SHELL}", "117")


# environments
def find_kind(variables: str) -> str:
    if "COLUMNS" in variables:
        return "widths"
    return "locales" if any(part in variables for part in ("LC_", "TZ", "ENCODING")) else "environments"


for name, variables, line, told, status in (
    ("no_variables", "-i", SHELL, ("117",), 0),
    ("no_home", "-u HOME", SHELL, ("117",), 0),
    ("an_empty_home", "HOME=", "$DSE check robust.toml -q --device cpu --in-process", ("verdict, rating",), 0),
    ("a_home_that_is_not", "HOME=/nowhere/x", "$DSE check robust.toml -q --device cpu", ("verdict, rating",), 0),
    ("no_user", "-u HOME -u USER -u LOGNAME -u DSE_CACHE", "$DSE check robust.toml -q --device cpu --cache kept", ("verdict, rating",), 0),
    ("an_empty_cache", "DSE_CACHE=", "$DSE check robust.toml -q --device cpu --in-process", ("verdict, rating",), 0),
    ("a_cache_that_is_a_file", "DSE_CACHE=robust.toml", "$DSE run robust.toml --trials 5 -q --device cpu --in-process", ("robust.toml",), 1),
    ("temporary_files_nowhere", "TMPDIR=/nowhere", SHELL, ("117",), 0),
    ("warnings_are_errors", "PYTHONWARNINGS=error", SHELL, ("117",), 0),
    ("warnings_are_errors_in_a_check", "PYTHONWARNINGS=error", "$DSE check robust.toml -q --device cpu", ("verdict, rating",), 0),
    ("without_docstrings", "PYTHONOPTIMIZE=2", SHELL, ("117",), 0),
    ("without_docstrings_in_a_check", "PYTHONOPTIMIZE=2", "$DSE check robust.toml -q --device cpu", ("docstring",), 1),  # transformers reads its own
    ("without_docstrings_in_help", "PYTHONOPTIMIZE=2", "$DSE pareto --help", ("--columns",), 0),
    ("threads_that_are_no_number", "OMP_NUM_THREADS=many", "$DSE check robust.toml -q --device cpu", ("verdict, rating",), 0),
    ("no_threads", "OMP_NUM_THREADS=0", "$DSE check robust.toml -q --device cpu", ("verdict, rating",), 0),
    ("no_columns_of_the_terminal", "COLUMNS=0", SHELL, ("117",), 0),
    ("negative_columns_of_the_terminal", "COLUMNS=-5", "$DSE pareto --help", ("--columns",), 0),
    ("columns_that_are_text", "COLUMNS=wide", "$DSE chek", ("chek",), 2),
    ("endless_columns", "COLUMNS=1000000000", "$DSE pareto --help", ("--columns",), 0),
    ("endless_columns_of_a_table", "COLUMNS=99999999999999999999", SHELL, ("117",), 0),
    ("endless_columns_of_an_error", "COLUMNS=1000000000", "$DSE chek", ("chek",), 2),
    ("a_terminal_that_is_not", "TERM=nonsense", SHELL, ("117",), 0),
    ("colours_that_are_forced", "FORCE_COLOR=1", "$DSE pareto nothing", ("nothing",), 1),
    ("output_in_code_page_437", "PYTHONIOENCODING=cp437", SHELL, ("117",), 0),
    ("output_with_strict_errors", "PYTHONIOENCODING=ascii:strict", SHELL, ("117",), 0),
    ("a_locale_that_is_not", "LC_ALL=xx_YY.UTF-9", SHELL, ("117",), 0),
    ("a_time_zone_that_is_not", "TZ=Nowhere/Land", SHELL, ("117",), 0),
    ("the_only_hardware_disabled", "DSE_DISABLE_PLUGINS=isaac", "$DSE check robust.toml -q --device cpu --in-process", ("isaac", "DSE_DISABLE_PLUGINS"), 1),
    ("a_disabled_plugin_that_is_not", "DSE_DISABLE_PLUGINS=isac", "$DSE plugins list", ("isac",), 0),
    ("a_data_folder_that_is_a_file", "DSE_DATA=robust.toml", "$DSE check robust.toml -q --device cpu --in-process", ("robust.toml",), 1),
    ("a_completion_that_is_not", "_DSE_COMPLETE=source_nothing", SHELL, ("117",), 0),
    ("a_hub_that_is_not", "HF_ENDPOINT=nonsense", "$DSE check robust.toml -q --device cpu", ("verdict, rating",), 0),
):  # fmt: skip
    shell(
        name,
        find_kind(variables),
        f"env {variables if variables != '-i' else '-i PYTHONPATH=$PYTHONPATH'} {line}",
        *told,
        status=status,
        writes=("kept*",),
        quick=name == "an_empty_home",
    )


# limits of the system
shell("few_files", "limits", f"ulimit -n 16; {SHELL}", "117")
shell("no_file_may_grow", "limits", f"ulimit -f 0; {RUN}", "No usable temporary directory", status=1)
shell("little_memory", "limits", f"ulimit -v 1500000; {SHELL}", "117")
shell(  # the worker or the command itself reaches the limit first
    "no_processor_time",
    "limits",
    f"ulimit -St 1; {RUN}; S=$?; [ $S = 1 ] || [ $S = 152 ] && echo ended",
    "ended",
    writes=OWN,
)
shell("a_mask_of_no_rights", "limits", f"umask 0777; {RUN} --in-process", writes=OWN)
shell("a_small_stack", "limits", f"ulimit -s 512; {SHELL}", "117")

# signals
LONG = (
    'set -m; sed \'s/"none"/"two-stage"/; s/"robust"/"own"/\' robust.toml > own.toml; '
    "$DSE run own.toml --trials 100000 -q --device cpu {} & P=$!; "
    "for i in $(seq 900); do [ $(cat results/own/log.jsonl 2>/dev/null | wc -l) -gt 30 ] && break; sleep 0.1; done; {} "
)
END = "wait $P; exit $?"
LONG_FILES = ("own.toml", "results/own/*", "results/own/.*")


def has_whole_tables(home: Home, outcome: Outcome) -> None:
    """The table holds every trial of the log."""
    del outcome
    log = home.folder / "results" / "own" / "log.jsonl"
    done = {event["trial"] for event in map(json.loads, log.read_bytes().splitlines()) if event["event"] == "done"}
    rows = pd.read_parquet(log.with_name("trials.parquet"))
    assert len(done) > 10
    assert done <= set(rows["trial"])


shell(
    "interrupted_twice",
    "signals",
    LONG.format("", "kill -INT $P; kill -INT $P;") + END,
    "continue",
    status=130,
    writes=LONG_FILES,
    check=has_whole_tables,
)
shell(
    "the_terminal_closes",
    "signals",
    LONG.format("", "kill -HUP $P;") + END,
    status=130,
    writes=LONG_FILES,
    check=has_whole_tables,
)
shell(
    "terminated_then_interrupted",
    "signals",
    LONG.format("--in-process", "kill -TERM $P; kill -INT $P;") + END,
    "continue",
    status=130,
    writes=LONG_FILES,
    check=has_whole_tables,
)
shell(
    "stopped_and_continued",
    "signals",
    LONG.format("", "kill -STOP $P; sleep 1; kill -CONT $P; kill -TERM $P;") + "wait -f $P; exit $?",
    "continue",
    status=130,
    writes=LONG_FILES,
    check=has_whole_tables,
)
shell("started_with_interrupts_ignored", "signals", f"trap '' INT; {RUN}", writes=OWN)
shell(
    "started_with_hangup_ignored",
    "signals",
    "trap '' HUP; " + LONG.format("--in-process", "kill -HUP $P; sleep 1; kill -TERM $P;") + END,
    "continue",
    status=130,
    writes=LONG_FILES,
    check=has_whole_tables,
)
shell("a_child_that_is_reaped_by_others", "signals", f"trap '' CHLD; {RUN}", writes=OWN, check=None)

# folders to work in
shell(
    "a_folder_named_as_an_option",
    "folders",
    f"mkdir -- -q; cp -r results -- -q; cd -- -q; $DSE pareto {EXAMPLE} --limit 1",
    "117",
    writes=("-q/*",),
)
shell(
    "a_folder_with_a_line_break",
    "folders",
    "mkdir $'a\\nb'; cp -r results $'a\\nb'; cd $'a\\nb'; $DSE pareto example --limit 1",
    "117",
    writes=("a*",),
)
shell(
    "a_module_of_python_in_the_folder",
    "folders",
    f"echo 'raise SystemExit(7)' > json.py; cp json.py numpy.py; $(dirname $(echo $DSE | cut -d' ' -f1))/dse pareto {EXAMPLE} --limit 1",
    "117",
    writes=("*.py",),
)
shell(
    "two_runs_at_once",
    "folders",
    LONG.format("", "$DSE run own.toml -q --device cpu; S=$?; kill -TERM $P;") + "wait $P; exit $S",
    "another run",
    status=1,
    writes=LONG_FILES,
    check=has_whole_tables,
)

# words that are no values
words("an_option_without_its_value", "grammar", (*PARETO, "--limit"), "--limit")
words("options_behind_the_end", "grammar", (*PARETO, "--", "--limit", "1"), "--limit", status=1)
words("an_option_shortened", "grammar", (*PARETO, "--lim", "1"), "--lim")
words(
    "one_option_twice",
    "grammar",
    (*PARETO, "--limit", "5", "--limit", "1", "--columns", "trial", "--format", "csv"),
    "trial\n117\n",
    status=0,
)
words("too_many_studies", "grammar", ("show", EXAMPLE, "1", "2"), "2")
words("no_words", "grammar", (), "Usage")
words("a_switch_with_a_value", "grammar", ("run", "robust.toml", "--quiet=no"), "--quiet")
words("a_group_without_a_command", "grammar", ("plugins",), "list")


@pytest.mark.parametrize("name", COMMANDS.list_params())
def test_a_hostile_command_ends_as_it_should(name: str, stage: Path) -> None:
    COMMANDS.judge(name, stage)


def test_the_campaign_is_wide() -> None:
    assert len(COMMANDS.cases) >= 30
    assert len({case.kind for case in COMMANDS.cases.values()}) >= 12
