"""Reading what a worker sends runs no code of a plugin."""

from __future__ import annotations

import copyreg
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dse.errors import SpaceError
from dse.records.parameters import Int
from dse.worker.wire import read


class Calls:
    """Reads as a call of a function, as a hostile object may."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


class Own:
    """A plugin's own kind of value."""


@pytest.fixture(autouse=True)
def _pickle_as_a_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask, which other tests load, changes how errors are pickled in its process; a worker never loads it."""
    for kind, function in list(copyreg.dispatch_table.items()):
        if function.__module__.startswith("tblib"):
            monkeypatch.delitem(copyreg.dispatch_table, kind)


def test_values_of_dse_and_numpy_arrive() -> None:
    level = Int(name="level", low=0, high=1, default=0)
    values, parameter, path = read(pickle.dumps((np.arange(3.0), level, Path("a"))))
    assert values.tolist() == [0.0, 1.0, 2.0]
    assert (parameter, path) == (level, Path("a"))
    error = read(pickle.dumps(SpaceError("no", where="here", found=3)))
    assert (type(error), error.where, error.found) == (SpaceError, "here", 3)


@pytest.mark.parametrize("value", [Own(), Calls(print, "x"), Calls(sys.exit, 3), Calls(eval, "1/0")])
def test_a_plugins_own_value_is_refused_and_not_run(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    content = pickle.dumps([value])
    with pytest.raises(pickle.UnpicklingError, match="is not a type of dse"):
        read(content)
    assert capsys.readouterr().out == ""
