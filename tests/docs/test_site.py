"""The site: links have titles, every public name has its place."""

from __future__ import annotations

import inspect
import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hooks() -> dict[str, Any]:
    pytest.importorskip("mkdocs", reason="the group `docs` is not installed")
    return runpy.run_path(str(ROOT / "scripts" / "docs_hooks.py"))


def test_every_public_name_stands_on_one_page(hooks: dict[str, Any]) -> None:
    pages = dict(hooks["reference"]())
    shown = Counter(re.findall(r"^::: [\w.]+\.(\w+)$", "\n".join(pages.values()), re.MULTILINE))
    import dse.testing

    assert set(shown) >= {*dse.__all__, *dse.testing.__all__} - {"__version__"}
    assert set(shown.values()) == {1}
    listed = re.findall(r"(reference/\w+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(pages) <= set(listed)


def test_every_argument_of_a_public_function_is_documented(hooks: dict[str, Any]) -> None:
    missing = []
    for module, values in hooks["public_names"]().items():
        for name, value in values.items():
            if inspect.isfunction(value):
                words = inspect.getdoc(value) or ""
                wanted = [item for item in inspect.signature(value).parameters if not item.startswith("_")]
                missing += [
                    f"{module}.{name}: {item}"
                    for item in wanted
                    if not re.search(rf"^    \*?{item}: ", words, re.MULTILINE)
                ]
    assert missing == []


@pytest.mark.parametrize(
    ("fence", "title"),
    [
        ("```text dse show a 1", '```text title="dse show a 1"'),
        ("```text recorded dse run a", '```text title="dse run a  (recorded)"'),
        ('```text dse query "A"', '```text title="dse query &quot;A&quot;"'),
        ("```python file=a.py", '```python title="a.py"'),
        ("```python signatures", "```python"),
        ("```console", "```console"),
    ],
)
def test_blocks_have_titles(hooks: dict[str, Any], fence: str, title: str) -> None:
    assert hooks["FENCE"].sub(hooks["head"], fence) == title
