"""Two-layer models with a vocabulary of forty words, and rows of such words: small enough to train in a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dse.models import loaded_workload as service
from dse.space.workload import TaskSpec, parse
from tests.support.once import Once
from tests.support.text import FAST, WORDS, rows
from tests.support.tiny import make_config, write_model


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    import torch

    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def config() -> Callable[..., Any]:
    """Make the configuration of a small BERT, with changes."""
    return partial(make_config, words=WORDS)


@pytest.fixture(scope="session")
def base(once: Once) -> Path:
    """Folder of a random BERT with its tokenizer, as a hub would hold it."""
    return once("base of forty words", partial(write_model, words=WORDS))


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of 160 rows with the columns text, label and value."""
    path: Path = tmp_path_factory.mktemp("data") / "rows.csv"
    rows(160).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def task() -> Callable[..., TaskSpec]:
    """Make a task, with changes."""

    def make(**changes: Any) -> TaskSpec:
        raw = {"name": "t", "kind": "classification", "metric": "accuracy", "data": {"path": "rows.csv"}}
        return TaskSpec.model_validate(raw | {"max_length": 16} | changes)

    return make


@pytest.fixture
def raw(table: Path) -> dict[str, Any]:
    """Table of one task."""
    data = {"path": str(table)}
    return {"kind": "classification", "metric": "accuracy", "max_length": 16, "data": data, "fine_tune": FAST}


@pytest.fixture
def load(base: Path, tmp_path: Path, raw: dict[str, Any]) -> Callable[..., service.LoadedWorkload]:
    """Load a workload of two tasks over the same rows, a class and a value, with changes to the first."""

    def make(folder: str = "cache", traffic: dict[str, Any] | None = None, **changes: Any) -> service.LoadedWorkload:
        value = {"path": raw["data"]["path"], "columns": {"label": "value"}}
        second = raw | {"name": "value", "kind": "regression", "metric": "pearson", "data": value, "rate": 3.0}
        tasks = [raw | {"name": "class"} | changes, second | {"max_length": 8}]
        spec = parse({"base": str(base), "tasks": tasks, "traffic": traffic or {}})
        return service.LoadedWorkload(spec, cache=tmp_path / folder, device="cpu")

    return make
