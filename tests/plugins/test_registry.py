"""Discovery: good plugins work, broken ones are listed with their reason and take nothing else down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dse
from dse.plugins.call import check_names
from dse.plugins.contract import ADAPTER_PROTOCOLS, PROTOCOLS
from dse.plugins.hooks import HOOKS
from dse.records.plugin import RECORD_TYPES

BUILT_IN = {
    "generator": {"independent", "mgen", "mtl-shared", "shared-prefix"},
    "compressor": {
        "none",
        "bitdelta",
        "dare",
        "graded",
        "lora",
        "low-rank",
        "mixed-precision",
        "piggyback",
        "ptq",
        "ternary",
        "tile-drop",
        "two-stage",
        "xma2",
    },
    "scheduler": {"fixed", "greedy", "optimal", "searched"},
    "hardware": {"isaac", "neurosim", "puma"},
}


def source(**hooks: Any) -> Any:
    return lambda: SimpleNamespace(**hooks)


def scheduler(name: str = "mine", **fields: Any) -> dse.Scheduler:
    return dse.Scheduler(name=name, summary="", build=lambda options: options, **fields)


@dse.hookimpl
def dse_schedulers() -> Iterable[dse.Scheduler]:
    yield scheduler()


def yields(*records: Any) -> Any:
    @dse.hookimpl
    def hook() -> Iterable[Any]:
        return list(records)

    return hook


def broken_import() -> object:
    raise ModuleNotFoundError("No module named 'absent'")


def test_the_built_in_plugins_come_through_their_entry_points() -> None:
    registry = dse.Registry().discover()

    assert {kind: set(registry.records(kind)) for kind in BUILT_IN} == BUILT_IN  # type: ignore[arg-type]
    assert registry.broken == []
    assert registry.provider("hardware", "isaac").distribution.startswith("dse-reram ")


def test_discovery_loads_nothing_heavy() -> None:
    code = (
        "import sys, dse; dse.Registry().discover();"
        "heavy = {'torch', 'transformers', 'optuna', 'pandas', 'pyarrow', 'sklearn', 'scipy'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_good_source_is_registered_and_built() -> None:
    registry = dse.Registry().add("good", source(dse_schedulers=dse_schedulers), distribution="good 1.0")

    assert registry.build("scheduler", "mine") == dse.Options()
    assert registry.provider("scheduler", "mine").distribution == "good 1.0"


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (broken_import, "ModuleNotFoundError: No module named 'absent'"),
        (source(dse_schedulers=yields("no record")), "hook dse_schedulers yielded a value that is not a record"),
        (source(dse_schedulers=yields(scheduler(api=99))), "made for another version of the plugin contract"),
        (source(dse_schedulers=yields(scheduler(), scheduler())), "scheduler 'mine' is yielded twice"),
        (source(dse_compressors=yields(scheduler())), "hook dse_compressors yielded a value that is not a record"),
        (source(dse_scheduler=yields(scheduler())), "there is no hook called 'dse_scheduler'"),
        (source(dse_schedulers=lambda: [scheduler()]), "function dse_schedulers is not marked as a hook"),
        (
            source(dse_schedulers=yields(scheduler(options={}))),
            "the options of scheduler 'mine' are not a class of options",
        ),
        (source(dse_schedulers=yields(scheduler("taken"))), "scheduler 'taken' exists already"),
    ],
)
def test_a_broken_source_is_listed_and_stops_nothing_else(load: Any, reason: str) -> None:
    registry = dse.Registry().add("first", source(dse_schedulers=yields(scheduler("taken"))))
    registry.add("broken", load, distribution="broken 0.1").add("good", source(dse_schedulers=dse_schedulers))

    assert [provider.source for provider in registry.broken] == ["broken"]
    assert reason in registry.broken[0].reason
    assert set(registry.records("scheduler")) == {"taken", "mine"}


def test_nothing_of_a_half_broken_source_is_registered() -> None:
    registry = dse.Registry().add("half", source(dse_schedulers=yields(scheduler("one"), scheduler("two", api=3))))

    assert registry.records("scheduler") == {}


def test_messages_say_what_was_expected_and_found() -> None:
    registry = dse.Registry()
    registry.add("a", source(dse_schedulers=yields(scheduler(api=3))))
    registry.add("b", source(dse_schedulers=yields(3)))
    registry.add("c", source(dse_shedulers=yields(scheduler())))
    texts = [str(provider.error) for provider in registry.broken]

    assert "expected: api 1 to 2\n  found: api 3" in texts[0]
    assert "expected: dse.Scheduler\n  found: int" in texts[1]
    assert "did you mean 'dse_schedulers'?" in texts[2]


def test_an_unknown_name_names_the_nearest_and_what_did_not_load() -> None:
    registry = dse.Registry().add("good", source(dse_schedulers=dse_schedulers))
    with pytest.raises(dse.UnknownNameError, match=r"no scheduler called 'mime'[\s\S]*did you mean 'mine'"):
        registry.get("scheduler", "mime", where="space.toml")
    registry.add("theirs", broken_import)
    with pytest.raises(dse.PluginLoadError, match="theirs did not load: ModuleNotFoundError"):
        registry.get("scheduler", "other")


def test_options_are_validated_by_their_own_type() -> None:
    registry = dse.Registry().discover()
    with pytest.raises(dse.PluginContractError, match=r"option 'static' of hardware 'isaac'[\s\S]*static_share"):
        registry.build("hardware", "isaac", {"static": True}, where="space.toml")
    with pytest.raises(dse.PluginContractError, match=r"option 'static_share' of hardware 'isaac'[\s\S]*found: 3"):
        registry.build("hardware", "isaac", {"static_share": 3.0})


def test_a_plugin_that_cannot_be_built_is_named() -> None:
    def build(_: dse.Options) -> None:
        raise RuntimeError("no device")

    record = dse.Scheduler(name="mine", summary="", build=build)
    registry = dse.Registry().add("mine", source(dse_schedulers=yields(record)))
    with pytest.raises(dse.PluginContractError, match="scheduler 'mine' could not be built: RuntimeError: no device"):
        registry.build("scheduler", "mine")


def test_entry_points_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DISABLE_PLUGINS", "isaac, searched")
    registry = dse.Registry().discover(disable=["none"])

    assert registry.disabled == ["isaac", "none", "searched"]
    assert set(registry.records("hardware")) == {"neurosim", "puma"}
    with pytest.raises(dse.PluginLoadError, match="isaac is disabled"):
        registry.get("hardware", "isaac")


def test_a_bare_file_is_a_plugin(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import dse\n\n@dse.hookimpl\ndef dse_schedulers():\n"
        "    yield dse.Scheduler(name='mine', summary='', build=lambda options: 'built')\n"
    )
    registry = dse.Registry().add_file(file).add_file(tmp_path / "absent.py")

    assert registry.build("scheduler", "mine") == "built"
    assert "the plugin file does not exist" in registry.broken[0].reason


def test_a_fingerprint_follows_the_code_of_a_plugin(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    text = (
        "import dse\n\ndef build(options):\n    return {value}\n\n@dse.hookimpl\ndef dse_schedulers():\n"
        "    yield dse.Scheduler(name='mine', summary='', build=build)\n"
    )
    prints = []
    for value in (1, 1, 2):
        file.write_text(text.format(value=value))
        prints.append(dse.Registry().add_file(file).fingerprint("scheduler", "mine"))

    assert prints[0] == prints[1] != prints[2]
    assert dse.Registry().discover().fingerprint("hardware", "isaac").startswith("hardware.isaac 1 (dse-reram ")


def test_options_take_what_a_space_file_can_hold() -> None:
    plugin = dse.Registry().discover().build("scheduler", "fixed", {"order": ["b", "a"]})

    assert plugin.options.order == ["b", "a"]


class Whole:
    """A plugin with every optional member of its kind, and with helpers of other names."""

    joint = True
    options = True

    def learnt(self) -> None: ...
    def learn(self) -> None: ...
    def levels(self) -> None: ...
    def level(self) -> None: ...
    def alternatives(self) -> None: ...
    def nonideality(self) -> None: ...
    def store(self) -> None: ...
    def get_terms(self) -> None: ...
    def plan(self) -> None: ...
    def plans(self) -> None: ...
    def order(self) -> None: ...
    def least(self) -> None: ...
    def parts(self) -> None: ...
    def terms(self) -> None: ...
    def budget(self) -> None: ...


def built(kind: Any, **members: Any) -> Any:
    """Build a plugin that has these members."""
    record = RECORD_TYPES[kind](name="mine", summary="", build=lambda _: SimpleNamespace(**members))
    hook = next(hook for hook, of in HOOKS.items() if of == kind)
    return dse.Registry().add("mine", source(**{hook: yields(record)})).build(kind, "mine", where="space.toml")


def method() -> None:
    """Stand for a method of a plugin."""


@pytest.mark.parametrize("kind", BUILT_IN)
def test_members_of_the_contract_and_helpers_of_other_names_pass(kind: str) -> None:
    check_names("it", Whole(), PROTOCOLS[kind])  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "name", "value", "near"),
    [
        ("generator", "jointly", True, "joint"),
        ("generator", "weigths", method, "weights"),
        ("compressor", "learns", method, "learnt"),
        ("compressor", "learn", method, "learnt"),
        ("hardware", "alternative", method, "alternatives"),
        ("hardware", "nonidealities", method, "nonideality"),
        ("hardware", "non_ideality", method, "nonideality"),
        ("hardware", "level", method, "levels"),
        ("scheduler", "orders", method, "order"),
    ],
)
def test_a_misspelt_member_names_the_nearest(kind: str, name: str, value: object, near: str) -> None:
    with pytest.raises(dse.PluginContractError, match=rf"^{kind} 'mine' has '{name}'[\s\S]*did you mean '{near}'"):
        built(kind, **{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("generator", "point", 3),  # not of the type of `joint`
        ("generator", "join", method),
        ("hardware", "level", 3),  # no method
        ("hardware", "_alternative", method),  # not public
        ("hardware", "options", method),
        ("compressor", "least", method),
    ],
)
def test_what_is_only_a_little_alike_is_no_misspelling(kind: str, name: str, value: object) -> None:
    assert getattr(built(kind, **{name: value}), name) == value


def test_a_misspelt_member_of_an_adapter_names_the_nearest() -> None:
    check_names("an adapter", SimpleNamespace(rate=0.1, parameters=method, begin=method), ADAPTER_PROTOCOLS)
    with pytest.raises(dse.PluginContractError, match="did you mean 'begin'"):
        check_names("an adapter", SimpleNamespace(begins=method), ADAPTER_PROTOCOLS)
    with pytest.raises(dse.PluginContractError, match="did you mean 'rates'"):
        check_names("an adapter", SimpleNamespace(rate={"": 2.0}), ADAPTER_PROTOCOLS)


def test_an_option_that_does_not_exist_names_the_nearest() -> None:
    registry = dse.Registry().discover()
    with pytest.raises(dse.PluginContractError, match=r"'static_shar'[\s\S]*did you mean 'static_share'\?"):
        registry.build("hardware", "isaac", {"static_shar": 0.1})
