"""Reads what a page holds, and makes studies to draw."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from dse.study.provenance import Provenance
from dse.study.run import run
from tests.support.fakes import FakeProblem, fake_space

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "example"


class Page(HTMLParser):
    """What a page loads, says and shows.

    Args:
        text: the page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.size = len(text.encode())
        self.loaded: list[tuple[str, str]] = []
        self.code: list[str] = []
        self.data: dict[str, dict[str, Any]] = {}
        self.words: dict[str, str] = {}
        self._section = ""
        self._script: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loaded += [
            (tag, str(value)) for name, value in attrs if name in ("src", "href", "srcset", "data", "action")
        ]
        if tag == "section":
            self._section = str(values["id"])
        if tag == "script":
            self._script = values.get("class") or "code"

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script == "code":
            self.code.append(data)
        elif self._script is not None:
            self.data[self._section] = json.loads(data)
        else:
            self.words[self._section] = self.words.get(self._section, "") + data


def study(folder: Path, limit: float = 200.0, **search: Any) -> Path:
    """Run a study of the fast problem."""
    provenance = Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "abc"})
    run(FakeProblem(limit=limit), fake_space(**search), folder=folder, provenance=provenance)
    return folder
