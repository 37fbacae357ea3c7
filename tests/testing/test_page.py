"""The file docs/testing.md shows is a test file that passes, and fails where the plugin is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVED = "dse.in_turn(workload, steps, params)"


@pytest.mark.parametrize(
    ("served", "code"), [(SERVED, 0), ("dse.Schedule(steps, dse.requests_per_visit(workload, params.points))", 1)]
)
def test_the_snippet_is_all_an_author_writes(tmp_path: Path, served: str, code: int) -> None:
    plugins, page = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("plugins.md", "testing.md"))
    (plugin,) = re.findall(r"^```python file=by_rate.py\n(.*?)^```$", plugins, re.MULTILINE | re.DOTALL)
    (suite,) = re.findall(r"^```python file=test_by_rate.py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert SERVED in plugin
    (tmp_path / "by_rate.py").write_text(plugin.replace(SERVED, served), encoding="utf-8")
    (tmp_path / "test_by_rate.py").write_text(suite, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_by_rate.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == code, done.stdout
    assert code == 0 or "1 failed" in done.stdout


def test_the_suites_load_neither_torch_nor_pytest() -> None:
    code = (
        "import sys, dse.testing; print([name for name in ('torch', 'pytest', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
