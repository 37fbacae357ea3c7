"""Space files as editors, scripts and other programs leave them: each works, or is refused with the place of its fault."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.campaign import Campaign, Case, Home, Outcome, Words

SPACES = Campaign()
case = SPACES.case
CHECK = ("check", "robust.toml", "--in-process", "-q", "--device", "cpu")
BOX = "[generator.shared-prefix.parameters]\n"
SEARCH = "trials = 4"


def edit(name: str, kind: str, old: str, new: str, *told: str, status: int = 1, quick: bool = False) -> None:
    """Add a case that replaces text of the space file, or appends to it where ``old`` is empty."""

    def make(home: Home) -> Words:
        home.change(old, new)
        return CHECK

    SPACES.add(name, Case(kind, make, status, told, quick=quick))


# what an editor leaves
@case("editor", 0, "verdict, rating")
def windows_line_ends(home: Home) -> Words:
    home.space.write_bytes(home.space.read_bytes().replace(b"\n", b"\r\n"))
    return CHECK


@case("editor", 1, "robust.toml", "not TOML")
def old_macintosh_line_ends(home: Home) -> Words:
    home.space.write_bytes(home.space.read_bytes().replace(b"\n", b"\r"))
    return CHECK


edit("typographic_quotes", "editor", 'name = "robust"', "name = “robust”", "not TOML", "line 2", quick=True)
edit("a_space_that_does_not_break", "editor", "trials = 4", "\u00a0trials = 4", "not TOML", "line 26")


@case("editor", 1, "robust.toml", "not TOML")
def swap_file_of_vim(home: Home) -> Words:
    home.space.write_bytes(b"b0VIM 9.0\0\0\0\0" + home.chance.randbytes(4096))
    return CHECK


# what a merge or a crash leaves
edit(
    "conflict_of_a_merge", "merge", "trials = 4", "<<<<<<< HEAD\ntrials = 4\n=======\ntrials = 8\n>>>>>>> theirs",
    "not TOML", "line 26", quick=True,
)  # fmt: skip


@case("merge", 1, "robust.toml", "not TOML", "line")
def two_files_joined_with_a_mark_between(home: Home) -> Words:
    home.space.write_bytes(home.space.read_bytes() + b"\xef\xbb\xbf" + home.space.read_bytes())
    return CHECK


@case("crash", 1, "robust.toml", "not TOML")
def zeros_at_the_end(home: Home) -> Words:
    home.space.write_bytes(home.space.read_bytes() + b"\0" * 512)
    return CHECK


@case("crash", 1, "robust.toml")
def cut_at_a_random_byte(home: Home) -> Words:
    text = home.space.read_bytes()
    home.space.write_bytes(text[: home.chance.randrange(50, 400)])
    return CHECK


# another language
@case("language", 1, "robust.toml", "not TOML", "line 1")
def json_instead(home: Home) -> Words:
    home.space.write_text(json.dumps({"schema": 1, "name": "robust"}, indent=1), encoding="utf-8")
    return CHECK


@case("language", 1, "robust.toml", "not TOML", "line 1")
def yaml_instead(home: Home) -> Words:
    home.space.write_text("schema: 1\nname: robust\nworkload:\n  base: model\n", encoding="utf-8")
    return CHECK


# values of another type
edit("true_as_a_number", "type", SEARCH, "trials = true", "search.trials", "true", "line 26")
edit("a_date_as_a_name", "type", 'name = "robust"', "name = 2024-01-01", "name", "2024", "line 2")
edit("a_whole_float_as_a_count", "type", SEARCH, "trials = 4.0", "search.trials", "4.0")
edit("a_number_as_a_switch", "type", SEARCH, "trials = 4\nscreen = 1", "search.screen", "1")
edit("numbers_in_other_notations", "type", SEARCH, "trials = 1_0\nseed = 0x1F", "trials      10", status=0)
edit("nan_of_time", "type", SEARCH, "trials = 4\ntime_limit_s = nan", "search.time_limit_s", "nan")

edit("false_as_a_name", "type", 'name = "robust"', "name = false", "name", "found: false")
edit("false_as_a_seed", "type", SEARCH, "trials = 4\nseed = false", "search.seed", "found: false")

# shape of the tables
edit("search_as_a_list", "tables", "[search]", "[[search]]", "robust.toml: search", "line")
edit("a_kind_as_a_list", "tables", "[generator]", "[[generator]]", "robust.toml: generator, line 29")
edit(
    "a_reference_as_a_list", "tables", "[scheduler]", "[[reference_hardware]]\nplugin = 'isaac'\n[scheduler]",
    "robust.toml: reference_hardware, line 35",
)  # fmt: skip
edit("tasks_as_one_table", "tables", "[[workload.tasks]]", "[workload.tasks.one]", "robust.toml")
edit("a_task_that_is_a_number", "tables", "[[workload.tasks]]", "[[workload.tusks]]", "robust.toml", "tusks")
edit("a_kind_as_text", "tables", '[scheduler]\nplugins = ["fixed"]', 'scheduler = "fixed"', "scheduler")


@case("tables", 1, "workload", "generator", "compressor", "scheduler", "hardware", "name")
def schema_alone(home: Home) -> Words:
    home.space.write_text("schema = 1\n", encoding="utf-8")
    return CHECK


@case("tables", 1, "robust.toml", "deep")
def a_key_of_many_parts(home: Home) -> Words:
    home.change("", f"[hardware.isaac.options]\n{'a.' * 4000}b = 1\n")
    return CHECK


# names
edit(
    "control_characters_in_a_name",
    "names",
    '"robust"',
    r'"\u001b[31mred\u0007"',
    "name",
    r"\x1b[31mred\x07",
    quick=True,
)
edit("a_task_with_control_characters", "names", '"verdict"', r'"ver\u001b[2Jdict"', "workload.tasks.0", r"\x1b[2J")
edit("a_task_without_a_name", "names", 'name = "verdict"', 'name = ""', "workload.tasks.0", "name")


@case("names", 0, "trial", writes=("results/own/*", "results/own/.*"))
def a_task_that_is_a_path(home: Home) -> Words:
    """Names of tasks are in no path, so any is good."""
    home.change('"robust"', '"own"')
    home.change('name = "verdict"', 'name = "../verdict"')
    return ("run", *CHECK[1:])


edit("a_task_of_spaces", "names", 'name = "verdict"', 'name = "  "', "workload.tasks.0", "name")
edit("a_task_of_two_lines", "names", 'name = "rating"', r'name = "ra\nting"', "workload.tasks.1", "name")
edit("a_task_in_another_script", "names", 'name = "verdict"', 'name = "判決 é"', "判決 é, rating", status=0)


@case("names", 1, "File name too long", "name")
def a_study_with_a_long_name(home: Home) -> Words:
    home.change('"robust"', f'"{"x" * 300}"')
    return ("run", *CHECK[1:])


# paths
edit("data_nowhere", "paths", '"verdict.tsv"', '""', "workload.tasks.0")
edit("data_with_a_zero_byte", "paths", '"verdict.tsv"', r'"verdict\u0000.tsv"', "workload.tasks.0", r"verdict\x00.tsv")
edit("data_of_a_user_who_is_not", "paths", '"verdict.tsv"', '"~nobody-here/verdict.tsv"', "~nobody-here", "tasks.0")
edit("data_of_a_variable_that_is_not", "paths", '"verdict.tsv"', '"$NOT_SET/verdict.tsv"', "$NOT_SET", "tasks.0")
edit("base_with_a_zero_byte", "paths", 'base = "model"', r'base = "mo\u0000del"', "workload.base", r"mo\x00del")
edit("the_space_file_as_data", "paths", '"verdict.tsv"', '"robust.toml"', "robust.toml", "tasks.0")


@case("paths", 1, "loop.tsv", "tasks.0")
def data_in_a_loop_of_links(home: Home) -> Words:
    (home.folder / "loop.tsv").symlink_to("loop.tsv")
    home.change('"verdict.tsv"', '"loop.tsv"')
    return CHECK


@case("paths", 1, "loop.toml")
def a_space_file_in_a_loop_of_links(home: Home) -> Words:
    (home.folder / "loop.toml").symlink_to("loop.toml")
    return ("check", "loop.toml", *CHECK[2:])


@case("paths", 1, "Robust.toml", "robust.toml")
def another_case_of_letters(home: Home) -> Words:
    del home
    return ("check", "Robust.toml", *CHECK[2:])


@case("paths", 1, "/dev/zero", "not a regular file", quick=True)
def a_plugin_file_that_never_ends(home: Home) -> Words:
    (home.folder / "zero.py").symlink_to("/dev/zero")
    home.change("plugin_files = []", 'plugin_files = ["zero.py"]')
    home.change('["shared-prefix"]', '["stranger"]')
    return CHECK


edit(
    "a_plugin_file_with_a_zero_byte",
    "paths",
    "plugin_files = []",
    r'plugin_files = ["a\u0000.py"]',
    "plugin_files",
    r"a\x00.py",
)

edit(
    "data_to_train_with_a_zero_byte",
    "paths",
    '"verdict.tsv"',
    r'"verdict.tsv", train = "a\u0000"',
    "tasks.0.data.train",
)
edit(
    "an_option_with_a_zero_byte",
    "paths",
    SEARCH,
    'trials = 4\nsampler_options = { a = ["\\u0000"] }',
    "sampler_options.a.0",
)


@case("paths", 1, "pipe.py", "not a regular file")
def a_plugin_file_that_is_a_fifo(home: Home) -> Words:
    os.mkfifo(home.folder / "pipe.py")
    home.change("plugin_files = []", 'plugin_files = ["pipe.py"]')
    home.change('["shared-prefix"]', '["stranger"]')
    return CHECK


@case("paths", 1, "/dev/null", "not a regular file")
def a_plugin_file_that_holds_nothing(home: Home) -> Words:
    home.change("plugin_files = []", 'plugin_files = ["/dev/null"]')
    home.change('["shared-prefix"]', '["stranger"]')
    return CHECK


# numbers
edit(
    "fewer_than_no_first_designs",
    "options",
    '"random"',
    '"graybox"\nsampler_options = { initial = -1 }',
    "sampler_options",
    "initial",
)
edit("no_batch", "options", '"random"', '"graybox"\nsampler_options = { batch = 0 }', "sampler_options", "batch")
edit(
    "half_a_design",
    "options",
    '"random"',
    '"graybox"\nsampler_options = { initial = 2.5 }',
    "sampler_options",
    "initial",
    "2.5",
)
edit(
    "a_pool_beyond_memory",
    "options",
    '"random"',
    '"graybox"\nsampler_options = { pool = 1000000000000 }',
    "sampler_options",
    "pool",
)
edit("no_step", "ranges", "adc_bits = {}", "adc_bits = { low = 4, high = 8, step = 0 }", "adc_bits", "step")
edit("a_step_back", "ranges", "adc_bits = {}", "adc_bits = { low = 4, high = 8, step = -1 }", "adc_bits", "step")
edit("a_choice_twice", "ranges", "adc_bits = {}", "adc_bits = { choices = [8, 8] }", "designs     12", status=0)
edit("choices_of_two_types", "ranges", "adc_bits = {}", 'adc_bits = { choices = [8, "9"] }', "adc_bits", "9")
edit("half_a_bit", "ranges", "adc_bits = {}", "adc_bits = { low = 4.5, high = 8 }", "adc_bits", "4.5")
edit("a_value_and_a_range", "ranges", "adc_bits = {}", "adc_bits = { value = 8, low = 4 }", "adc_bits", "value", "low")
edit(
    "a_logarithm_for_a_choice",
    "ranges",
    "cell_bits = {}",
    "cell_bits = { choices = [1, 2], log = true }",
    "cell_bits",
    "log",
)
edit("a_range_of_one_value", "ranges", "adc_bits = {}", "adc_bits = { low = 8, high = 8 }", "adc_bits", status=0)
edit(
    "a_negative_layer",
    "ranges",
    "[hardware.isaac.parameters]",
    BOX + 'depth = { layers = { "-1" = 0 } }\n[hardware.isaac.parameters]',
    "depth",
)
edit(
    "a_task_with_an_empty_range",
    "ranges",
    "[hardware.isaac.parameters]",
    BOX + "depth = { low = 0, high = 2, tasks = { verdict = { low = 2, high = 1 } } }\n[hardware.isaac.parameters]",
    "depth",
    "verdict",
)
edit(
    "no_batch_of_requests",
    "traffic",
    'base = "model"',
    'base = "model"\ntraffic = { mode = "shared", batch = 0 }',
    "workload.traffic.batch",
    "0",
)
edit(
    "infinite_requests",
    "traffic",
    'base = "model"',
    'base = "model"\ntraffic = { mode = "shared", requests_per_s = inf }',
    "workload.traffic.requests_per_s",
    "inf",
)
edit(
    "a_misspelt_kind_of_traffic",
    "traffic",
    'base = "model"',
    'base = "model"\ntraffic = { mode = "share" }',
    "workload.traffic.mode",
    "share",
    "shared",
)
edit(
    "rows_beyond_any_table",
    "rows",
    "max_length = 16",
    "max_length = 16\nsplit_rows = 1000000000000000000000",
    "workload.tasks.0.split_rows",
)
edit("half_an_epoch", "rows", "epochs = 1", "epochs = 0.5", "fine_tune.epochs", "0.5")
edit(
    "a_limit_of_a_column_of_text",
    "limits",
    SEARCH,
    "trials = 4\nconstraints = { status = { max = 3 } }",
    "constraints.status",
)
edit(
    "a_limit_of_no_component",
    "limits",
    SEARCH,
    'trials = 4\nconstraints = { "area." = { max = 3 } }',
    "constraints",
    "area.",
)
edit(
    "a_limit_without_a_bound",
    "limits",
    SEARCH,
    "trials = 4\nconstraints = { latency_us = {} }",
    "constraints.latency_us",
    "min",
)
edit(
    "a_limit_that_is_a_number",
    "limits",
    SEARCH,
    "trials = 4\nconstraints = { latency_us = 3 }",
    "constraints.latency_us",
    "3",
)
edit("no_tasks", "tasks", 'base = "model"', 'base = "model"\ntasks = []', "robust.toml")
edit("a_length_of_no_token", "tasks", "max_length = 16", "max_length = 0", "workload.tasks.0.max_length", "0")
edit(
    "a_class_of_two_numbers",
    "tasks",
    '"verdict.tsv" }',
    '"verdict.tsv", labels = { "0" = 0, "0.0" = 1, "1" = 1 } }',
    "workload.tasks.0",
    "labels",
)
edit(
    "columns_that_are_one",
    "tasks",
    '"verdict.tsv" }',
    '"verdict.tsv", columns = { text = "text", label = "text" } }',
    "tasks.0",
    "text",
)
edit(
    "columns_of_numbers",
    "tasks",
    '"verdict.tsv" }',
    '"verdict.tsv", columns = { text = 0, label = 1 } }',
    "tasks.0.data.columns.text",
    "0",
)
edit("an_encoding_that_is_not", "tasks", '"verdict.tsv" }', '"verdict.tsv", encoding = "utf-9" }', "tasks.0", "utf-9")
edit(
    "a_pattern_without_groups",
    "tasks",
    '"verdict.tsv" }',
    '"verdict.tsv", format = "lines", pattern = "(" }',
    "tasks.0",
    "pattern",
)


edit(
    "a_text_that_is_its_own_pair", "tasks", '"verdict.tsv" }', '"verdict.tsv", columns = { text = "text", text_b = "text", label = "label" } }',
    "tasks.0.data", "one column twice",
)  # fmt: skip
edit(
    "a_label_that_is_a_pair", "tasks", '"rating.tsv" }', '"rating.tsv", columns = { text = "text", text_b = "label", label = "label" } }',
    "tasks.1.data", "one column twice",
)  # fmt: skip
edit("rows_to_train_beyond_any_table", "rows", "epochs = 1", f"epochs = 1, max_rows = {10**20}", "fine_tune.max_rows")
edit("a_low_beyond_any_table", "ranges", "adc_bits = {}", f"adc_bits = {{ low = {-(10**20)} }}", "adc_bits.low")
edit("many_first_designs", "options", '"random"', f'"graybox"\nsampler_options = {{ initial = {10**12} }}', "initial")
edit("a_large_batch", "options", '"random"', f'"graybox"\nsampler_options = {{ batch = {10**9} }}', "batch")


# size and reuse
@case("size", 0, "verdict, rating")
def megabytes_of_comments(home: Home) -> Words:
    home.change("", f"# {'x' * 120}\n" * 40_000)
    return CHECK


@case("size", 1, "gone0.py")
def many_plugin_files(home: Home) -> Words:
    home.change("plugin_files = []", f"plugin_files = {[f'gone{number}.py' for number in range(3000)]}")
    home.change('["shared-prefix"]', '["stranger"]')
    return CHECK


def has_same_designs(home: Home, outcome: Outcome) -> None:
    assert "verdict, rating" in outcome.stdout
    assert Path(home.study / "space.toml").exists()


@case("reuse", 0, "designs", check=has_same_designs, quick=True)
def the_file_that_a_study_wrote(home: Home) -> Words:
    del home
    return ("check", "results/robust/space.toml", *CHECK[2:])


@case("reuse", 0, "verdict, rating")
def a_link_to_the_file_from_beside(home: Home) -> Words:
    (home.folder / "link.toml").symlink_to("robust.toml")
    return ("check", "link.toml", *CHECK[2:])


@pytest.mark.parametrize("name", SPACES.list_params())
def test_a_hostile_space_file_ends_as_it_should(name: str, stage: Path) -> None:
    SPACES.judge(name, stage)


def test_the_campaign_is_wide() -> None:
    assert len(SPACES.cases) >= 30
    assert len({case.kind for case in SPACES.cases.values()}) >= 12
