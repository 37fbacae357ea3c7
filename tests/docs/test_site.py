"""The site: outputs and pictures are what the commands make, links have titles, every public name has its place."""

from __future__ import annotations

import inspect
import json
import re
import runpy
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import dse
from benchmarks.browser import executable

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "scripts" / "outputs.py"))
SHOWING = [
    page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if "```text " in page.read_text()
]


@pytest.fixture(scope="module")
def hooks() -> dict[str, Any]:
    pytest.importorskip("mkdocs", reason="the group `docs` is not installed")
    return runpy.run_path(str(ROOT / "scripts" / "docs_hooks.py"))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "results" / "example", tmp_path / "results" / "example")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", sorted({*SHOWING, *TOOL["TUTORIALS"]}), ids=lambda page: page.name)
def test_pages_show_what_their_commands_print(page: Path) -> None:
    """Where they do not: `python scripts/outputs.py` puts it right."""
    text = page.read_text(encoding="utf-8")
    assert TOOL["update"](text, TOOL["run"], insert=page in TOOL["TUTORIALS"]) == text


def test_missing_outputs_are_inserted_after_their_commands() -> None:
    page = "# A\n\n```console\ndse one\ndse two\ndse plot x --out energy.html\ndse none\n```\n\nWords.\n"
    prints = {"dse one": "1\n", "dse two": "".join(f"{line}\n" for line in range(50)), "dse none": ""}
    updated = TOOL["update"](page, prints.__getitem__, insert=True)
    assert TOOL["FENCE"].findall(updated)[:2] == [("console", "", "dse one\n"), ("text", " dse one", "1\n")]
    assert "13\n... and 36 more lines\n```\n\n```console\ndse plot x --out energy.html\n```\n\n![" in updated
    assert updated.endswith("(pictures/energy.svg)\n\n```console\ndse none\n```\n\nWords.\n")
    assert TOOL["update"](updated, prints.__getitem__, insert=True) == updated
    assert TOOL["update"](page, prints.__getitem__, insert=False) == page


@pytest.mark.usefixtures("workplace")
def test_pictures_show_the_example_as_it_is() -> None:
    """Where they do not: `python scripts/outputs.py --draw` draws them again."""
    assert json.loads(TOOL["DIGESTS"].read_text(encoding="utf-8")) == TOOL["digests"]()
    assert {file.name for file in TOOL["PICTURES"].iterdir()} >= set(TOOL["DRAWN"])


def marks(svg: str) -> tuple[int, list[str]]:
    """Return how many points a picture has, and its words."""
    return len(re.findall(r'<path class="point\b', svg)), re.findall(r">([^<>]+)</text>", svg)


def test_the_front_has_every_design() -> None:
    import pandas as pd

    points, words = marks((TOOL["PICTURES"] / "front.svg").read_text(encoding="utf-8"))
    trials = pd.read_parquet(ROOT / "results" / "example" / "trials.parquet")
    assert points == int(trials["accuracy_drop"].notna().sum()) + len(["baseline"]) + 3
    assert {"chip area, mm²", "points lost", "ICCAD 2021, acc", "ICCAD 2021, opt", "ICCAD 2021, agg"} <= set(words)


@pytest.mark.browser
@pytest.mark.skipif(executable() is None, reason="no Chromium here (Debian: apt install chromium)")
def test_the_front_is_what_the_command_draws(workplace: Path) -> None:
    drawn = dse.plot("results/example", workplace / "front.svg", figure=TOOL["DRAWN"]["front.svg"])
    assert marks(drawn.read_text(encoding="utf-8")) == marks(
        (TOOL["PICTURES"] / "front.svg").read_text(encoding="utf-8")
    )


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
