"""An exported design that the documentation's code can load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dse
from tests.support.tiny import write_space


@pytest.fixture(scope="session")
def chip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A design with random weights, exported: four layers of a tiny model, and a task of the quickstart's name."""
    home = tmp_path_factory.mktemp("chip")
    space = write_space(home, layers=4)
    text = space.read_text(encoding="utf-8").replace('name = "verdict"', 'name = "trec6"')
    space.write_text(text.replace(', "shared-prefix"', "").replace(', "none"', ""), encoding="utf-8")
    options: dict[str, Any] = {"results": home, "cache": home / "cache", "device": "cpu"}
    done = dse.run(space, trials=1, in_process=True, **options)
    return dse.export(done.folder, 0, home / "exported", rows=True, **options).folder
