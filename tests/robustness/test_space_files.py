"""Space files with a mistake in them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.robustness.conftest import Home, told

BOX = "[generator.shared-prefix.parameters]\n"
CHIP = "[hardware.isaac.parameters]\n"
STAGE = "[compressor.two-stage.parameters]\n"
MISTAKES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "unknown top key": ("plugin_files", "plugin_fils", ("plugin_fils", "'plugin_files'")),
    "unknown search key": ("trials = 4", "trails = 4", ("search.trails", "'trials'")),
    "unknown task key": ("max_length = 16", "max_lenght = 16", ("tasks.0", "max_lenght", "'max_length'")),
    "unknown data key": ('{ path = "verdict.tsv" }', '{ pth = "verdict.tsv" }', ("data.pth", "'path'")),
    "unknown plugin": ('["two-stage"]', '["two-stag"]', ("compressor.plugins.0", "two-stag", "'two-stage'")),
    "unknown parameter": ("", CHIP + "adc_bit = 8\n", ("adc_bit", "'adc_bits'")),
    "unknown option": ("", "[compressor.two-stage.options]\nper_chanel = true\n", ("per_chanel", "per_channel")),
    "unknown sampler": ('"random"', '"nsga4"', ("nsga4", "nsga")),
    "unknown objective": ('"area", "energy"', '"aera"', ("search.objectives.0", "aera", "'area'")),
    "unknown metric": ("", "[search.constraints]\nlatency = { max = 3 }\n", ("constraints.latency", "latency_us")),
    "unknown score": ("", '[search.constraints]\n"score.verdit" = { min = 0.5 }\n', ("score.verdit", "verdict")),
    "unknown component": ("", '[search.constraints]\n"area.adcs" = { max = 5.0 }\n', ("area.adcs", "area.adc")),
    "no task of that name": ("", BOX + "depth = { tasks = { verdit = 0 } }\n", ("verdit", "'verdict'")),
    "set per layer where it is not": ("", BOX + "depth = { layers = { 7 = 0 } }\n", ("depth", "not set per layer")),
    "table of a plugin not searched": ("", "[compressor.none.options]\n", ("compressor.none", "two-stage")),
    "schema of the future": ("schema = 1", "schema = 2", ("schema", "2")),
    "number as text": ("trials = 4", 'trials = "4"', ("search.trials", "'4'")),
    "text as number": ('sampler = "random"', "sampler = 3", ("search.sampler", "3")),
    "table as text": ("", 'reference_hardware = "isaac"\n', ("isaac",)),
    "plugins no list": ('plugins = ["two-stage"]', 'plugins = "two-stage"', ("compressor.plugins", "two-stage")),
    "workload no table": ("[workload]\n", "", ("workload",)),
    "no plugin": ('plugins = ["fixed"]', "plugins = []", ("scheduler.plugins",)),
    "budget 0": ("trials = 4", "trials = 0", ("search.trials", "0")),
    "negative seed": ("trials = 4", "trials = 4\nseed = -1", ("search.seed", "-1")),
    "name of another folder": ('name = "robust"', 'name = "../robust"', ("name", "../robust")),
    "empty range": ("", CHIP + "adc_bits = { low = 9, high = 4 }\n", ("adc_bits", "9", "4")),
    "range out of the plugin's": ("", CHIP + "adc_bits = { low = 4, high = 99 }\n", ("adc_bits", "99")),
    "value out of range": ("", CHIP + "adc_bits = 99\n", ("adc_bits", "99")),
    "value of another type": ("", CHIP + 'adc_bits = "many"\n', ("adc_bits", "many")),
    "value that is nan": ("", STAGE + "cosine = nan\n", ("cosine", "nan")),
    "choice out of range": ("", CHIP + "cell_bits = { choices = [1, 64] }\n", ("cell_bits", "64")),
    "no choices": ("", CHIP + "cell_bits = { choices = [] }\n", ("cell_bits",)),
    "unknown key of a range": ("", CHIP + "adc_bits = { lo = 4 }\n", ("adc_bits", "lo", "low")),
    "reference out of range": ("", "[reference_hardware.parameters]\nadc_bits = 99\n", ("reference_hardware", "99")),
    "reference unknown": ("", '[reference_hardware]\nplugin = "isac"\n', ("reference_hardware.plugin", "'isaac'")),
    "reference parameter": ("", "[reference_hardware.parameters]\nadc_bit = 8\n", ("adc_bit", "adc_bits")),
    "reference option": ("", "[reference_hardware.options]\nwrong = 8\n", ("reference_hardware", "wrong")),
    "two metrics at odds": ('metric = "pearson"', 'metric = "f1"', ("tasks.1", "f1", "regression")),
    "task twice": ('name = "rating"', 'name = "verdict"', ("tasks", "twice")),
    "no such base": ('base = "model"', 'base = "no/model"', ("no/model",)),
    "no such packaged task": ('data = { path = "verdict.tsv" }\n', "", ("verdict", "workload.tasks", "[data]")),
    "sampler option": ("trials = 4", "trials = 4\nsampler_options = { sed = 3 }", ("sampler_options", "sed")),
    "sampler option of another type": (
        "trials = 4",
        'trials = 4\nsampler_options = { seed = "x" }',
        ("sampler_options", "seed"),
    ),
    "order that drops a task": (
        "",
        '[scheduler.fixed.options]\norder = ["verdict"]\n',
        ("order", "verdict"),
    ),
    "constraint that nothing keeps": (
        "",
        "[search.constraints]\nlatency_us = { min = 3, max = 2 }\n",
        ("constraints.latency_us", "min"),
    ),
    "constraint that is nan": ("", "[search.constraints]\nlatency_us = { max = nan }\n", ("latency_us", "nan")),
    "share above 1": ("trials = 4", "trials = 4\nmax_failed_share = 2.0", ("max_failed_share", "2.0")),
    "reference point of no metric": (
        "trials = 4",
        "trials = 4\nreference_point = { area_ration = 1.0 }",
        ("reference_point", "area_ratio"),
    ),
    "no rate": ("max_length = 16", "max_length = 16\nrate = 0", ("tasks.0.rate", "0")),
    "endless rate": ("max_length = 16", "max_length = 16\nrate = inf", ("tasks.0.rate", "inf")),
    "longer than the base reads": ("max_length = 16", "max_length = 512", ("512", "32")),
    "key twice": ("trials = 4", "trials = 4\ntrials = 5", ("not TOML", "line")),
    "no TOML": ("schema = 1", "schema: 1", ("not TOML", "line 1")),
    "cut short": ("[hardware]", "[hardware", ("not TOML",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_space_file_is_named_with_its_place(home: Home, dse: Any, mistake: str) -> None:
    old, new, words = MISTAKES[mistake]
    path = home.change(old, new)
    told(dse("check", path), "where: ", *words)
    told(dse("run", path), *words)
    assert not (home.study / "log.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'name = "\xff\xfe"\n', ("robust.toml", "TOML")),
        (b"\x00\x01", ("robust.toml", "TOML")),
        (b"", ("robust.toml", "missing")),
        ("schema = 1".encode("utf-16"), ("robust.toml", "TOML")),
        (b"\xef\xbb\xbfschema = 1\n", ("robust.toml",)),
    ],
    ids=["not UTF-8", "bytes", "empty", "UTF-16", "with a mark of byte order"],
)
def test_a_file_that_is_no_space_file_is_named(home: Home, dse: Any, content: bytes, words: tuple[str, ...]) -> None:
    home.space.write_bytes(content)
    told(dse("check", home.space), "where: ", *words)


def test_a_folder_a_missing_file_and_an_unreadable_one_are_named(home: Home, dse: Any) -> None:
    for path, words in ((home.folder, ("directory",)), (home.folder / "robst.toml", ("not exist", "robust.toml"))):
        result = dse("check", path)
        assert result.exit_code in {1, 2}
        assert "Traceback" not in result.output
        assert "unexpected error" not in result.stderr
        for word in words:
            assert word in result.stderr.lower()


MANY = (
    ("trials = 4", 'trails = 4\nseed = "x"\nsampler_options = { sed = 3, sede = 4 }'),
    ('path = "verdict.tsv"', 'path = "verdit.tsv"'),
    ('path = "rating.tsv"', 'path = "rating.tsv", columns = { text = "tekst", label = "lable" }'),
    ("fine_tune = { epochs = 1 }", "fine_tune = { epoch = 1 }"),
    ('objectives = ["area", "energy"]', 'objectives = ["aera"]\nconstraints = { "score.verdit" = { min = 0.5 } }'),
    ('["shared-prefix"]', '["shared-prefix", "shared-prefx"]'),
    ("[scheduler]", "[compressor.two-stage.options]\nper_chanel = true\nlayer_group = 3\n[scheduler]"),
)
TOLD = (
    "expected: one of: batch, epochs, learning_rate",
    "data file does not exist\n   where: verdit.tsv, robust.toml: workload.tasks.0, line 8",
    "no column for text\n   where: rating.tsv, robust.toml: workload.tasks.1, line 16",
    "no column for label",
    "search.trails, line 26",
    "search.seed, line 27",
    "'random' called 'sed'",
    "'random' called 'sede'",
    "search.objectives.0, line 29",
    "metric called 'score.verdit'",
    "generator called 'shared-prefx'",
    "option 'per_chanel'",
    "option 'layer_group'",
    "hardware 'isaac' called 'adc_bit'",
    "parameter 'cell_bits' cannot take this value",
    "hardware parameter called 'adc'",
)


def test_all_problems_are_told_at_once_in_the_order_of_the_file(home: Home, dse: Any) -> None:
    for old, new in MANY:
        home.change(old, new)
    home.change("", CHIP + "adc_bit = 8\ncell_bits = 99\n[reference_hardware.parameters]\nadc = 4\n")

    for command in ("check", "run"):
        text = told(dse(command, home.space.name), f"there are {len(TOLD)} problems", *TOLD)
    lines = [int(part.split("\n")[0]) for part in text.split(", line ")[1:]]

    assert lines == sorted(lines)
    assert text.count("\n   where: ") == len(TOLD)


def test_a_problem_that_follows_from_another_is_not_told(home: Home, dse: Any) -> None:
    home.change('base = "model"', 'base = "no/model"')
    home.change('["two-stage"]', '["two-stag"]')
    home.change("", STAGE.replace("stage", "stag") + "cosin = 3\n")

    text = told(dse("check", home.space), "error: there is no compressor called 'two-stag'")

    assert "cosin" not in text
    assert "no/model" not in text  # the hub is asked once the file itself has no problem


def test_the_table_of_a_misspelt_plugin_is_not_told_beside_it(home: Home, dse: Any) -> None:
    home.change('["two-stage"]', '["two-stag"]')
    home.change("", STAGE + "cosine = 0.5\n")

    text = dse("check", home.space).stderr

    assert "there is no compressor called 'two-stag'" in text
    assert "in this study" not in text


def test_a_task_without_a_key_hides_no_other_problem(home: Home, dse: Any) -> None:
    home.change('name = "rating"\n', "")
    home.change("trials = 4", "trials = 0")
    home.change('["two-stage"]', '["two-stag"]')

    told(dse("check", home.space), "there are 3 problems", "'name' is missing", "at least 1", "'two-stage'")


def test_problems_are_told_before_anything_is_downloaded(home: Home, dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local files are looked at; a base, a checkpoint and data of the hub are not asked for."""

    def never(*_: object, **__: object) -> Any:
        raise AssertionError("something is downloaded")

    monkeypatch.setattr("huggingface_hub.snapshot_download", never)
    home.change('base = "model"', 'base = "org/base"')
    home.change('path = "verdict.tsv" }', 'hub = "org/rows", path = "x.tsv" }\ncheckpoint = "org/tuned"')
    home.change('path = "rating.tsv"', 'path = "ratin.tsv"')
    home.change("", STAGE + "cosin = 3\n")

    for command in ("check", "run"):
        text = told(dse(command, home.space), "there are 2 problems", "ratin.tsv", "called 'cosin'")
        assert "org/" not in text


def test_a_kind_and_a_metric_that_nobody_gives_are_printed(home: Home, dse: Any) -> None:
    home.change('kind = "classification"\nmetric = "accuracy"\n', "")
    home.change('kind = "regression"\nmetric = "pearson"\n', "")

    printed = dse("check", home.space).stdout

    for words in ("classification by accuracy", "regression by spearman"):
        assert f"{words}, since the space file does not say" in printed


Prepare = Callable[[Home], object]


def edit_json(home: Home, name: str, **entries: object) -> None:
    path = home.folder / "model" / name
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")


KINDS: dict[str, tuple[Prepare, tuple[str, ...], str]] = {
    "a plugin file that is missing": (lambda _: None, ("--plugin", "nope.py"), "plugin file does not exist"),
    "a cache that is a file": (lambda _: None, ("--cache", "rating.tsv"), "cache folder cannot be written"),
    "an activation that nobody knows": (
        lambda home: edit_json(home, "config.json", hidden_act="nope"), (), "hidden_act",
    ),
    "a number of layers as text": (
        lambda home: edit_json(home, "config.json", num_hidden_layers="2"), (), "num_hidden_layers",
    ),
    "a base without a name": (lambda home: home.change('base = "model"', 'base = ""'), (), "name a folder"),
    "a name of the hub that cannot be": (
        lambda home: home.change('base = "model"', 'base = "a/b/c"'), (), "neither OWNER/NAME nor a folder",
    ),
    "a device as data": (lambda home: home.change('"verdict.tsv"', '"/dev/zero"'), (), "a device or a pipe"),
    "an encoding with a null character": (
        lambda home: home.change('path = "verdict.tsv"', 'path = "verdict.tsv", encoding = "utf\\u00008"'),
        (), "this text has a zero byte",
    ),
    "a seed without end": (lambda home: home.change("trials = 4", f"seed = {10**400}"), (), "a whole number of 64 bits"),
    "a number of 5,000 digits": (lambda home: home.change("trials = 4", f"trials = {'9' * 5000}"), (), "4300 digits"),
    "a constraint the wrong way round": (
        lambda home: home.change("trials = 4", "constraints = { area_mm2 = { min = 3, max = 2 } }"),
        (), "not usable: nothing lies between",
    ),
    "a plugin named twice": (
        lambda home: home.change('["two-stage"]', '["two-stage", "two-stage"]'), (), "not usable: a plugin is named twice",
    ),
    "a pattern that is none": (
        lambda home: home.change('path = "verdict.tsv"', 'path = "verdict.tsv", format = "lines", pattern = "("'),
        (), "is not a regular expression",
    ),
}  # fmt: skip
"""A kind of bad input, what makes it, options, and words of the message."""


def test_no_kind_of_bad_input_is_an_unexpected_error(
    originals: Path, tmp_path: Path, dse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unexpected = []
    for number, (kind, (prepare, options, words)) in enumerate(KINDS.items()):
        shutil.copytree(originals, folder := tmp_path / str(number), ignore=shutil.ignore_patterns("cache"))
        monkeypatch.chdir(folder)
        prepare(Home(folder))
        result = dse("check", "robust.toml", *options)
        if result.exit_code != 1 or "unexpected error" in result.stderr or "Traceback" in result.output:
            unexpected.append((kind, result.output, result.stderr))
            continue
        told(result, words, "where: ")
    assert not unexpected


def test_options_that_exclude_each_other_or_are_no_numbers_are_refused(home: Home, dse: Any) -> None:
    told(dse("run", home.space, "--workers", "2"), "--workers and --in-process exclude each other")
    for words in (("profile", home.space, "--max-drop", "nan"), ("pareto", "x", "--max-area", "inf")):
        result = dse(*words)
        assert result.exit_code == 2
        assert "is not a finite number" in result.stderr
    told(dse("show", home.folder, 10**30), "there is no study here")
    told(dse("run", home.space, "--results", "r\udcff"), "its name has bytes that are not UTF-8", "--results")


def test_a_working_folder_that_was_deleted_is_said(tmp_path: Path, dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    result = dse("plugins", "list")
    monkeypatch.chdir(tmp_path)
    told(result, "the working folder was deleted", "change to a folder that exists")
