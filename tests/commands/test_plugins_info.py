from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dse
from dse.errors import PluginLoadError, UnknownNameError

PLUGIN = """
import dse

print("noise")


class Mine:
    def __init__(self, options):
        pass

    def parameters(self, workload):
        {parameters}


@dse.hookimpl
def {hook}():
    yield dse.{record}(name="{name}", summary="mine", build=Mine, source="a paper", version="7")
"""


def written(folder: Path, parameters: str, name: str = "mine", hook: str = "dse_schedulers") -> Path:
    record = {"dse_schedulers": "Scheduler", "dse_generators": "Generator"}[hook]
    path = folder / f"{name}_{hook}.py"
    path.write_text(PLUGIN.format(parameters=parameters, name=name, hook=hook, record=record), encoding="utf-8")
    return path


def test_everything_of_a_built_in_plugin() -> None:
    found = dse.plugins_info("two-stage")
    assert (found.kind, found.version, found.status, found.source) == (
        "compressor",
        "1",
        "ok",
        "Kang et al., ICCAD 2021",
    )
    assert found.distribution.startswith("dse-reram ")
    assert [option.name for option in found.options] == ["per_channel", "layer_groups"]
    cosine = found.parameters[0]
    assert isinstance(cosine, dse.Float)
    assert (cosine.name, cosine.limits, cosine.scope) == ("cosine", (0.0, 1.0), ("task",))
    assert found.example == ("from_layer",)  # its limit is the number of layers


def test_everything_of_a_bare_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "return (dse.Int(name='level', low=1, high=len(workload.tasks), default=1),)")
    found = dse.plugins_info("mine", plugins=[path])
    assert (found.kind, found.version, found.source, found.distribution) == ("scheduler", "7", "a paper", str(path))
    assert found.options == ()
    assert found.parameters == (dse.Int(name="level", low=1, high=3, default=1),)
    assert found.example == ("level",)
    assert capsys.readouterr().out == ""  # what a plugin prints is no result


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("raise ValueError('not on this\\nencoder')", "ValueError: not on this encoder"),
        (
            "return ('level',)",
            "something that is not a parameter is declared as a parameter expected: dse.Float, dse.Int, dse.Choice or",
        ),
        ("return None", "TypeError: "),
    ],
)
def test_what_a_plugin_does_not_declare_is_said_and_hides_nothing_else(
    tmp_path: Path, parameters: str, reason: str
) -> None:
    found = dse.plugins_info("mine", plugins=[written(tmp_path, parameters)])
    assert found.parameters == ()
    assert reason in found.undeclared
    assert found.summary == "mine"


def test_a_plugin_for_some_workloads_only_declares_what_it_does_for_them(tmp_path: Path) -> None:
    level = "(dse.Int(name='level', low=1, high=3, default=1),)"
    for test in ("== 2", "> 2"):
        path = written(tmp_path, f"assert len(workload.tasks) {test}\n        return {level}")
        found = dse.plugins_info("mine", plugins=[path])
        assert [item.name for item in found.parameters] == ["level"]
        assert (found.example, found.undeclared) == ((), "")


def test_a_plugin_that_does_not_load_has_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import package_that_is_not_there\n", encoding="utf-8")
    found = dse.plugins_info(str(path), plugins=[path])
    assert found.status == "broken"
    assert found.reason == "ModuleNotFoundError: No module named 'package_that_is_not_there'"
    assert (found.options, found.parameters) == ((), ())


def test_a_plugin_that_is_switched_off_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DISABLE_PLUGINS", "isaac")
    assert dse.plugins_info("isaac").status == "disabled"


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no plugin called 'issac'[\s\S]*did you mean 'isaac'\?"):
        dse.plugins_info("issac")


def test_a_missing_name_tells_what_did_not_load(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("1/0\n", encoding="utf-8")
    with pytest.raises(PluginLoadError, match=r"broken\.py did not load: ZeroDivisionError"):
        dse.plugins_info("mine", plugins=[path])


def test_a_name_of_several_kinds_needs_the_kind(tmp_path: Path) -> None:
    files = [written(tmp_path, "return ()", hook=hook) for hook in ("dse_schedulers", "dse_generators")]
    with pytest.raises(UnknownNameError) as caught:
        dse.plugins_info("mine", plugins=files)
    message = str(caught.value)
    assert "2 plugins are called 'mine'" in message
    assert f"generator ({files[1]}): mine; scheduler ({files[0]}): mine" in message
    assert "name the kind of the plugin with --kind" in message
    assert dse.plugins_info("mine", "generator", plugins=files).distribution == str(files[1])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("schedular", r"no kind of plugin called 'schedular'[\s\S]*did you mean 'scheduler'\?"),
        ("scheduler", r"no scheduler called 'none'[\s\S]*found: a compressor of that name[\s\S]*--kind compressor"),
    ],
)
def test_a_kind_that_does_not_fit_is_named(kind: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        dse.plugins_info("none", kind)


def test_a_record_as_plain_values_names_the_type_of_each_parameter() -> None:
    record: dict[str, Any] = dse.plugins_info("searched").as_dict()
    assert [(item["name"], item["type"], item["example"]) for item in record["parameters"]] == [
        ("order", "Permutation", False),
        ("batch", "Float", True),
    ]
