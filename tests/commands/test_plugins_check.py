from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import dse
from dse.commands.plugins_check import CheckResult
from dse.errors import PluginContractError, PluginLoadError, UnknownNameError
from dse.testing import SUITES

SCHEDULER = """
import numpy as np

import dse


class MineOptions(dse.Options):
    backwards: bool = False


class Mine:
    def __init__(self, options):
        self.step = -1 if options.backwards else 1

    def parameters(self, workload):
        return ()

    def prepare(self, context):
        print("noise")

    def order(self, components, workload, params):
        {order}


@dse.hookimpl
def dse_schedulers():
    yield dse.Scheduler(name="mine", summary="mine", build=Mine, options=MineOptions)
"""
GOOD = """listed = dse.listed_order(workload, params.points)
        return dse.Schedule(listed.task[:, :: self.step], listed.batch[:, :: self.step])"""
WRONG = """
import dse
from tests.testing.wrong.{module} import {build}, record


@dse.hookimpl
def {hook}():
    yield record({build})
"""


def written(folder: Path, order: str = GOOD, name: str = "mine.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCHEDULER.format(order=order), encoding="utf-8")
    return path


def without_skips(results: list[CheckResult]) -> list[CheckResult]:
    """Results of checks that had something to test."""
    return [result for result in results if not result.reason.startswith("nothing to test: ")]


def outcomes(results: list[CheckResult]) -> dict[str, str]:
    return {result.check: result.outcome for result in results}


def failed(results: list[CheckResult]) -> CheckResult:
    (found,) = [result for result in results if result.outcome == "failed"]
    return found


@pytest.mark.parametrize(
    ("kind", "name"),
    [("generator", "independent"), ("compressor", "none"), ("scheduler", "fixed"), ("hardware", "isaac")],
)
def test_every_check_of_its_kind_runs_once_on_an_installed_plugin(kind: str, name: str) -> None:
    results = dse.plugins_check(name)
    suite = SUITES[kind]  # type: ignore[index]
    names = {check.removeprefix("test_").replace("_", " ") for check in dir(suite) if check.startswith("test_")}
    assert sorted(result.check for result in results) == sorted(names)
    assert set(outcomes(without_skips(results)).values()) == {"passed"}
    assert {(result.kind, result.plugin) for result in results} == {(kind, name)}
    assert all(result.meaning.endswith(".") and "\n" not in result.meaning for result in results)


@pytest.mark.parametrize(
    ("kind", "module", "build", "check", "reason"),
    [
        ("generators", "generators", "NoSuchOwner", "plan fits the workload", "owner"),
        ("compressors", "compressors", "ChargesHalf", "stored terms are what the footprint charged", "columns"),
        ("schedulers", "schedulers", "DropsATask", "every task is served by its rate", "task"),
        ("hardware_models", "hardware", "NegativeEnergy", "costs are finite and not negative", "energy_uj"),
    ],
)
def test_a_wrong_plugin_fails_its_check_and_what_needs_it_is_skipped(
    tmp_path: Path, kind: str, module: str, build: str, check: str, reason: str
) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(WRONG.format(module=module, build=build, hook=f"dse_{kind}"), encoding="utf-8")
    results = dse.plugins_check(path)
    assert failed(results).check == check
    assert reason in failed(results).reason
    assert "\n" not in failed(results).reason
    skipped = [result.reason for result in without_skips(results) if result.outcome == "skipped"]
    assert set(skipped) == {f"{check} fails"}
    place = [result.check for result in without_skips(results)].index(check)
    assert "skipped" not in [result.outcome for result in without_skips(results)[:place]]


def test_a_bare_file_is_checked_and_what_it_prints_is_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(outcomes(without_skips(dse.plugins_check(written(tmp_path)))).values()) == {"passed"}
    assert capsys.readouterr().out == ""


def test_what_a_plugin_raises_is_told_with_its_line(tmp_path: Path) -> None:
    results = dse.plugins_check(written(tmp_path, "return np.zeros(3) @ np.zeros(4)"))
    line = SCHEDULER.splitlines().index("        {order}") + 1
    assert failed(results).check == "is deterministic"
    assert re.fullmatch(rf"ValueError: .* \(mine\.py:{line}\)", failed(results).reason)


def test_an_assertion_without_a_word_has_its_line(tmp_path: Path) -> None:
    results = dse.plugins_check(written(tmp_path, "assert workload is None"))
    assert re.fullmatch(r"AssertionError \(mine\.py:\d+\)", failed(results).reason)


def test_a_plugin_that_ends_the_process_fails_a_check(tmp_path: Path) -> None:
    results = dse.plugins_check(written(tmp_path, "raise SystemExit(3)"))
    assert re.fullmatch(r"SystemExit: 3 \(mine\.py:\d+\)", failed(results).reason)


def test_a_build_that_is_neither_class_nor_function(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8").replace("build=Mine", "build=functools.partial(Mine)")
    path.write_text(f"import functools\n{text}", encoding="utf-8")
    result = failed(dse.plugins_check(path))
    assert result.check == "record is valid"
    assert result.reason.startswith(
        "build must be a class or a function, so that its file is known, found functools.partial"
    )


def test_of_a_long_message_the_first_and_last_line_are_told(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(
        f"import sys\nif 'dse.commands.plugins_check' not in sys.modules:\n    1 / 0\n{path.read_text()}", "utf-8"
    )
    assert failed(dse.plugins_check(path)).reason == (
        "the module does not import by itself: ... ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("\nimport package_that_is_not_there\n", r"ModuleNotFoundError: No module named '.*' \(mine\.py:2\)"),
        ("def broken(:\n", r"SyntaxError: .*"),
        (
            "def dse_schedulers():\n    return []\n",
            r"function dse_schedulers is not marked as a hook; where: .*; do: put @dse.*",
        ),
    ],
)
def test_a_file_that_does_not_load_is_one_failure(tmp_path: Path, code: str, reason: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(code, encoding="utf-8")
    (result,) = dse.plugins_check(path)
    assert (result.check, result.outcome, result.plugin) == ("loads", "failed", str(path))
    assert re.fullmatch(reason, result.reason)


def test_options_reach_the_plugins_that_have_them(tmp_path: Path) -> None:
    path = written(tmp_path, "assert self.step == -1, 'not backwards'\n        " + GOOD)
    assert failed(dse.plugins_check(path)).reason == "not backwards"
    assert set(outcomes(without_skips(dse.plugins_check(path, options={"backwards": True}))).values()) == {"passed"}


def test_an_option_that_no_plugin_has_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no option called 'backward'[\s\S]*did you mean 'backwards'\?"):
        dse.plugins_check(written(tmp_path), options={"backward": True})


def test_a_value_that_an_option_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginContractError, match=r"option 'backwards' of scheduler 'mine' is not usable"):
        dse.plugins_check(written(tmp_path), options={"backwards": "yes"})


PROJECT = """
[project]
name = "mine"

[project.entry-points.dse]
mine = "package_under_check.mine"
"""


def package(folder: Path, project: str = PROJECT, source: str = "src") -> Path:
    written(folder / source / "package_under_check")
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    return folder


@pytest.mark.parametrize("source", ["src", "."])
def test_a_package_folder_need_not_be_installed(tmp_path: Path, source: str) -> None:
    before = list(sys.path)
    folder = package(tmp_path, source=source)
    assert set(outcomes(without_skips(dse.plugins_check(folder))).values()) == {"passed"}
    assert sys.path == before
    assert "package_under_check" not in sys.modules


def test_a_package_that_was_edited_is_read_again(tmp_path: Path) -> None:
    folder = package(tmp_path)
    dse.plugins_check(folder)
    written(folder / "src" / "package_under_check", "raise KeyError('edited')")
    assert failed(dse.plugins_check(folder)).reason.startswith("KeyError: 'edited' (mine.py:")


def test_an_entry_point_that_leads_nowhere_fails_alone(tmp_path: Path) -> None:
    results = dse.plugins_check(package(tmp_path, PROJECT + 'other = "package_under_check.other"\n'))
    assert (failed(results).plugin, failed(results).check) == ("other", "loads")
    assert failed(results).reason == "ModuleNotFoundError: No module named 'package_under_check.other'"
    assert len(results) > 5


@pytest.mark.parametrize(
    ("project", "message"),
    [
        (
            "[project]\n",
            r"announces no plugin[\s\S]*pyproject\.toml[\s\S]*\[project\.entry-points\.dse\][\s\S]*found: none",
        ),
        ("[project.entry-points]\ndse = 3\n", r"announces no plugin"),
        ("[project.entry-points.dse]\nmine = 3\n", r"announces no plugin[\s\S]*found: {'mine': 3}"),
        ("[project\n", r"the file is not TOML: "),
    ],
)
def test_a_project_that_announces_no_plugin(tmp_path: Path, project: str, message: str) -> None:
    with pytest.raises(PluginLoadError, match=message):
        dse.plugins_check(package(tmp_path, project))


def test_what_is_no_plugin_is_told(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("", encoding="utf-8")
    (empty,) = dse.plugins_check(path)
    assert re.match(r"nothing here registers a plugin; where: .*empty\.py'?; expected: a hook such as", empty.reason)
    with pytest.raises(PluginLoadError, match=r"there is no plugin here[\s\S]*a folder with pyproject\.toml"):
        dse.plugins_check(tmp_path)
    (missing,) = dse.plugins_check(tmp_path / "missing.py")
    assert missing.reason.startswith("the plugin file does not exist")
    with pytest.raises(UnknownNameError, match=r"no plugin called 'issac'[\s\S]*did you mean 'isaac'\?"):
        dse.plugins_check("issac")


DEADLY = """
import os

import dse
from dse import plugin


class Exits(plugin.Base):
    def order(self, components, workload, params):
        os._exit(7)


class Loops(plugin.Base):
    def order(self, components, workload, params):
        while True:
            pass


@dse.hookimpl
def dse_schedulers():
    yield dse.Scheduler(name="exits", summary="exits", build=lambda options: Exits())
    yield dse.Scheduler(name="loops", summary="loops", build=lambda options: Loops())
"""


def test_a_check_that_ends_the_process_or_never_ends_fails_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "deadly.py"
    path.write_text(DEADLY, encoding="utf-8")
    results = dse.plugins_check(path, time_limit_s=15)
    reasons = {result.plugin: result.reason for result in results if result.outcome == "failed"}
    assert reasons == {
        "exits": "the plugin's process ended with status 7",
        "loops": "the plugin's process was silent for 15 s",
    }
    names = sorted(
        check.removeprefix("test_").replace("_", " ") for check in dir(SUITES["scheduler"]) if "test_" in check
    )
    for plugin in reasons:
        mine = [result for result in results if result.plugin == plugin]
        assert sorted(result.check for result in mine) == names
        assert [result.check for result in mine if result.outcome == "failed"] == ["is deterministic"]
        assert "passed" in [result.outcome for result in mine]


def test_a_file_that_ends_the_process_at_import_is_one_failure(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import os; os._exit(3)", encoding="utf-8")
    (result,) = dse.plugins_check(path)
    assert (result.check, result.outcome) == ("loads", "failed")
    assert result.reason == "the plugin's process ended with status 3"
