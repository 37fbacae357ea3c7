"""What a person types often must answer at once: it may not load what only a study needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "optuna", "pandas", "pyarrow", "sklearn", "scipy", "moocore", "duckdb", "plotly")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["query", "--help"],
        ["export", "--help"],
        ["dashboard", "--help"],
        ["plugins", "list"],
        ["plugins", "list", "--json"],
        ["plugins", "info", "isaac"],
        ["plugins", "info", "two-stage", "--format", "json"],
    ],
)
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    code = (
        "import sys\nfrom dse.cli import main\nsys.argv = ['dse', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"sys.stderr.write('loaded: ' + ' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr == "loaded: "


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, dse; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = "from dse.cli import main; main()"
    command = [sys.executable, "-c", code, "plugins", "list", "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""


def test_no_module_takes_the_place_of_a_public_name() -> None:
    import dse

    modules = {path.stem for path in (ROOT / "dse").iterdir()}
    assert not modules & set(dse.__all__)
