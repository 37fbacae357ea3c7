"""The real command line on a tiny model: what a user reads when something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from tests.support.once import Once
from tests.support.pages import EXAMPLE
from tests.support.tiny import write_data, write_model

SPACE = """schema = 1
name = "robust"
plugin_files = []

[workload]
base = "model"

[[workload.tasks]]
name = "verdict"
kind = "classification"
metric = "accuracy"
max_length = 16
data = { path = "verdict.tsv" }
fine_tune = { epochs = 1 }

[[workload.tasks]]
name = "rating"
kind = "regression"
metric = "pearson"
max_length = 16
data = { path = "rating.tsv" }
fine_tune = { epochs = 1 }

[search]
sampler = "random"
trials = 4
objectives = ["area", "energy"]

[generator]
plugins = ["shared-prefix"]

[compressor]
plugins = ["two-stage"]

[scheduler]
plugins = ["fixed"]

[hardware]
plugins = ["isaac"]
"""
"""Neither objective needs a score, so that a run fine-tunes nothing."""

Run = Callable[..., Any]


class Home:
    """A folder with a tiny model, its data and a space file.

    Args:
        folder: empty but for what `write_model` and `write_data` make.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.space = folder / "robust.toml"
        self.study = folder / "results" / "robust"
        self.space.write_text(SPACE, encoding="utf-8")

    def change(self, old: str, new: str) -> Path:
        """Replace text of the space file, or append to it where ``old`` is empty."""
        text = self.space.read_text(encoding="utf-8")
        assert old in text
        self.space.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
        return self.space

    def plugin(self, code: str, name: str = "stranger.py") -> Path:
        """Write a plugin file."""
        path = self.folder / name
        path.write_text(code, encoding="utf-8")
        return path


def told(result: Any, *words: str, status: int = 1) -> str:
    """Check that a command failed with a message for a person that holds these words; return it."""
    text: str = result.stderr
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert "unexpected error" not in text, text
    assert "error: " in text
    shown = text.replace(str(Path.cwd()), "")  # its numbers would count as those looked for
    for word in words:
        assert word in shown, f"{word!r} is not said in:\n{text}"
    return text


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("robust")
    write_model(folder / "model")
    write_data(folder)
    return folder


@pytest.fixture
def home(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    folder = tmp_path / "home"
    shutil.copytree(originals, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DSE_CACHE", str(originals / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Home(folder)


@pytest.fixture
def dse() -> Run:
    def run(*words: object) -> Any:
        more = ("--device", "cpu", "--in-process") if words[0] in {"run", "check", "validate"} else ()
        return CliRunner().invoke(app, [str(word) for word in (*words, *more)], prog_name="dse")

    return run


@pytest.fixture(scope="session")
def campaign(once: Once) -> Path:
    """A folder `home` with a model, its data, a space file, a study of four trials and the example; and a cache."""
    return once("campaign", _make_campaign)


@pytest.fixture(scope="session")
def exported(once: Once, campaign: Path) -> Path:
    """The same, with a scored study and its export."""
    return once("exported", lambda folder: _add_export(shutil.copytree(campaign, folder, dirs_exist_ok=True)))


def _make_campaign(folder: Path) -> None:
    import dse

    home = folder / "home"
    home.mkdir()
    write_model(home / "model")
    write_data(home)
    shutil.copytree(EXAMPLE, home / "results" / "example")
    parameters = "[hardware.isaac.parameters]\nadc_bits = {}\ncell_bits = {}\n"
    space = home / "robust.toml"
    space.write_text(SPACE.replace('["two-stage"]', '["none"]') + parameters, encoding="utf-8")
    dse.run(space, results=home / "results", cache=folder / "cache", device="cpu", in_process=True)


def _add_export(folder: Path) -> None:
    import dse

    home, cache = folder / "home", folder / "cache"
    space = home / "scored.toml"
    text = SPACE.replace('"robust"', '"scored"').replace('"energy"]', '"energy", "accuracy"]')
    space.write_text(text.replace("trials = 4", "trials = 1"), encoding="utf-8")
    dse.run(space, results=home / "results", cache=cache, device="cpu", in_process=True)
    dse.export("scored", 0, home / "chip", results=home / "results", rows=True, cache=cache, device="cpu")


@pytest.fixture
def stage(campaign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the campaign's folder, which is the working folder."""
    return _set_stage(campaign, tmp_path, monkeypatch)


@pytest.fixture
def export_stage(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, of the folder with an export."""
    return _set_stage(exported, tmp_path, monkeypatch)


def _set_stage(made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSE_CACHE", str(made / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    home = Path(shutil.copytree(made / "home", folder / "home", symlinks=True))
    for space in home.glob("results/*/space.toml"):  # it names the model and the data by their whole paths
        space.write_text(space.read_text(encoding="utf-8").replace(f"{made / 'home'}/", f"{home}/"), encoding="utf-8")
    monkeypatch.chdir(home)
    return home
