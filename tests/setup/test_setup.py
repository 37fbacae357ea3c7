from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dse_setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup = load()


@pytest.mark.parametrize("version", [(3, 10, 12), (3, 9, 0), (2, 7, 18)])
def test_an_old_python_is_refused_with_what_was_found_and_what_to_do(version: tuple[int, ...]) -> None:
    with pytest.raises(setup.SetupProblemError) as caught:
        setup.check_python(version, "/usr/bin/python3")
    assert str(caught.value) == (
        "Python is too old\n  expected: 3.11 or newer\n"
        f"  found: {'.'.join(map(str, version))} (/usr/bin/python3)\n"
        "  do: name a newer one, e.g. make run PYTHON=python3.12"
    )


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (4, 0, 0)])
def test_a_new_enough_python_passes(version: tuple[int, ...]) -> None:
    setup.check_python(version, "python3")


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_gets_the_debian_hint(missing: str) -> None:
    with pytest.raises(setup.SetupProblemError) as caught:
        setup.check_venv(lambda name: None if name == missing else object(), (3, 12, 1))
    assert str(caught.value) == (
        f"this Python cannot make a virtual environment: no module {missing}\n"
        "  do: on Debian or Ubuntu, apt install python3.12-venv; elsewhere install a complete Python"
    )


def test_a_complete_python_passes() -> None:
    setup.check_venv(lambda _name: object(), (3, 12, 1))


def test_a_full_disk_is_refused_with_needed_and_found() -> None:
    with pytest.raises(setup.SetupProblemError) as caught:
        setup.check_disk(1.26, Path("/somewhere"), gpu_build=False)
    assert str(caught.value) == (
        "there is not enough room on the disk\n  where: /somewhere\n  expected: 4 GB free\n  found: 1.3 GB free\n"
        "  do: free more space, or move the checkout to another disk"
    )


def test_room_for_the_small_build_only_is_a_warning_that_names_the_way_out() -> None:
    warning = setup.check_disk(6.0, Path("/somewhere"), gpu_build=True)
    assert "6.0 GB are free" in warning
    assert "12 GB" in warning
    assert "TORCH_INDEX=https://download.pytorch.org/whl/cpu" in warning


@pytest.mark.parametrize(("free", "gpu"), [(6.0, False), (50.0, True)])
def test_enough_room_needs_no_words(free: float, gpu: bool) -> None:
    assert setup.check_disk(free, Path(), gpu_build=gpu) is None


def test_requirements_follow_included_groups() -> None:
    project = {"dependency-groups": {"a": ["one>=1"], "b": ["two", {"include-group": "a"}]}}
    assert setup.requirements(project, ["b"]) == ["two", "one>=1"]


class Machine:
    """A checkout whose commands are noted, not run; making the environment makes its Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[list[str]] = []
        self.status = 0
        (root / "pyproject.toml").write_text(
            '[project]\nname = "x"\n[dependency-groups]\ntest = ["pytest>=8"]\nlint = ["ruff"]\n', encoding="utf-8"
        )
        (root / "constraints.txt").write_text("torch==2.13.0\n", encoding="utf-8")
        self.environment = setup.Environment(root, self.run)

    def run(self, command: list[str]) -> int:
        self.commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[3]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return self.status

    def make(self, *groups: str, torch_index: str | None = None) -> list[list[str]]:
        """Run the set-up; return its commands."""
        self.commands = []
        setup.setup(self.environment, groups, torch_index)
        return self.commands


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 100e9}))
    return Machine(tmp_path)


def test_the_first_setup_makes_the_environment_and_installs_with_the_pins(machine: Machine) -> None:
    make, install = machine.make("test")
    assert make == [sys.executable, "-m", "venv", str(machine.root / ".venv")]
    assert install[:4] == [str(machine.root / ".venv/bin/python"), "-m", "pip", "install"]
    assert install[install.index("--constraint") + 1] == str(machine.root / "constraints.txt")
    assert install[install.index("--editable") + 1] == f"{machine.root}[dashboard,plots,query]"
    assert install[-1] == "pytest>=8"


def test_a_repeated_setup_runs_nothing(machine: Machine) -> None:
    machine.make("test")
    assert machine.make("test") == []
    assert machine.make() == []


def test_another_group_is_added_without_losing_the_first(machine: Machine) -> None:
    machine.make("test")
    (install,) = machine.make("lint")
    assert install[-2:] == ["ruff", "pytest>=8"]
    assert machine.make("test", "lint") == []


def test_changed_pins_install_again(machine: Machine) -> None:
    machine.make()
    (machine.root / "constraints.txt").write_text("torch==2.14.0\n", encoding="utf-8")
    assert [command[3] for command in machine.make()] == ["install"]


def test_an_environment_without_the_extras_gets_them(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "EXTRAS", "plots")
    machine.make("test")
    monkeypatch.undo()
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 100e9}))
    (install,) = machine.make()
    assert f"{machine.root}[dashboard,plots,query]" in install
    assert machine.make() == []


def test_the_extras_exist() -> None:
    declared = setup.read_project(ROOT)["project"]["optional-dependencies"]
    assert set(setup.EXTRAS.split(",")) <= set(declared)


def test_a_changed_linter_setting_does_not(machine: Machine) -> None:
    machine.make()
    with (machine.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.ruff]\nline-length = 99\n")
    assert machine.make() == []


def test_torch_comes_first_from_the_index_named_and_stays_from_there(machine: Machine) -> None:
    _, torch, rest = machine.make(torch_index="https://example.org/cpu")
    assert torch[-3:] == ["--index-url", "https://example.org/cpu", "torch"]
    assert "--no-deps" in torch
    assert "--editable" in rest
    assert machine.make() == []
    (machine.root / "constraints.txt").write_text("torch==2.14.0\n", encoding="utf-8")
    assert machine.make()[0][-1] == "torch"


def test_a_failed_install_says_so_and_is_not_taken_for_done(machine: Machine) -> None:
    machine.status = 1
    with pytest.raises(setup.SetupProblemError, match="could not be made"):
        machine.make()
    machine.status = 0
    assert machine.make()


def test_an_interrupted_setup_starts_afresh(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(command: list[str]) -> int:
        machine.run(command)
        if "pip" in command:
            (machine.root / ".venv" / "half-installed").touch()
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(machine.environment, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        machine.make()
    assert (machine.root / ".venv" / "half-installed").exists()
    monkeypatch.setattr(machine.environment, "run", machine.run)
    make, _ = machine.make()
    assert make[1:3] == ["-m", "venv"]
    assert not (machine.root / ".venv" / "half-installed").exists()
    assert machine.make() == []


def test_an_environment_whose_python_has_gone_is_made_again(machine: Machine) -> None:
    machine.make()
    machine.environment.python.unlink()
    assert machine.make()[0][1:3] == ["-m", "venv"]


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_stamp_installs_again(machine: Machine, text: str) -> None:
    machine.make()
    (machine.root / ".venv" / setup.STAMP).write_text(text, encoding="utf-8")
    assert machine.make()


def test_a_moved_checkout_gets_a_new_environment(machine: Machine, tmp_path: Path) -> None:
    machine.make("test")
    old, new = tmp_path / ".venv" / "old", tmp_path.with_name(tmp_path.name + "-moved")
    old.touch()
    tmp_path.rename(new)
    moved = setup.Environment(new, machine.run)
    machine.commands = []
    setup.setup(moved, [], None)
    make, install = machine.commands
    assert make[-1] == str(new / ".venv")
    assert install[-1] == "pytest>=8"
    assert not (new / ".venv" / "old").exists()


def test_a_command_writes_to_stderr_only(capfd: pytest.CaptureFixture[str]) -> None:
    assert setup.run([sys.executable, "-c", "print('noise')"]) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "noise" in captured.err


def test_the_script_needs_the_standard_library_only() -> None:
    code = (
        "import runpy, sys; runpy.run_path('scripts/setup.py', run_name='checked');"
        "print([name for name, module in sys.modules.items() if 'site-packages' in str(getattr(module, '__file__', ''))])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_pins_are_exact_and_cover_every_requirement() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    assert not [version for version in pins.values() if "+" in version]
    project = setup.read_project(ROOT)
    extras = [item for items in project["project"]["optional-dependencies"].values() for item in items]
    wanted = [
        *project["project"]["dependencies"],
        *extras,
        *setup.requirements(project, list(project["dependency-groups"])),
    ]
    names = {re.split(r"[<>=!~ \[;]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names <= set(pins)


@pytest.mark.parametrize("target", ["run", "test", "setup", "bench", "lint", "docs", "readme"])
def test_make_knows_every_target_named_in_the_documentation(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "scripts/setup.py" in done.stdout


def test_make_passes_choices_on() -> None:
    choices = ["ONLY=cost", "FULL=1", "TORCH_INDEX=https://example.org/cpu", "PYTHON=python3.12"]
    done = subprocess.run(["make", "-n", "bench", *choices], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python3.12 scripts/setup.py --torch-index https://example.org/cpu" in done.stdout
    assert "-m benchmarks --only cost --full" in done.stdout
