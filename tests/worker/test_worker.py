"""A worker that dies, hangs or babbles costs one trial, and the study goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.errors import PluginContractError, TimeLimitError, WorkerError
from dse.space.file import load
from dse.space.searchspace import default_point
from dse.study.load import Request
from dse.worker.client import RemoteProblem

PLUGIN = """import os, pathlib, signal, sys, time
import numpy as np
import dse
from dse_plugins.compressors.none import Uncompressed

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)

class Own(BaseException):
    pass

def _exit_once(mark):
    if not mark.exists():
        mark.touch()
        os._exit(7)

class Moody(Uncompressed):
    def parameters(self, workload):
        {parameters}
        return (dse.Int(name="mood", low=0, high={high}, default={high}, scores=False, summary="what goes wrong"),)

    def footprint(self, workload, demand, geometry, params):
        if np.isin(params["mood"], {at}).any():
            {footprint}
        return super().footprint(workload, demand, geometry, params)

@dse.hookimpl
def dse_compressors():
    yield dse.Compressor(name="moody", summary="x", build=Moody)
"""
HANG = "time.sleep(1e6)"


@pytest.fixture(scope="module")
def home(own_tuned: Path) -> Path:
    return own_tuned


def space(
    home: Path,
    *,
    footprint: str = "pass",
    parameters: str = "pass",
    limit_s: float = 900.0,
    high: int = 5,
    at: str = "[3]",
) -> Path:
    """A space of six designs, or `high` + 1, of which those `at` some moods go wrong."""
    text = PLUGIN.format(footprint=footprint, parameters=parameters, high=high, at=at)
    (home / "moody.py").write_text(text, encoding="utf-8")
    text = (home / "tiny.toml").read_text(encoding="utf-8")
    for old, new in (
        ('name = "tiny"\n', 'name = "moods"\nplugin_files = ["moody.py"]\n'),
        ('["two-stage", "none"]', '["moody"]'),
        ('["independent", "shared-prefix"]', '["independent"]'),
        ('["fixed", "searched"]', '["fixed"]'),
        ("trials = 4", f'trials = {high + 1}\nobjectives = ["area"]\nmax_failed_share = 1.0\ntime_limit_s = {limit_s}'),
        ('"random"', '"brute-force"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = home / "moods.toml"
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(home: Path, results: Path, **how: Any) -> pd.DataFrame:
    done = dse.run(space(home, **how), results=results, cache=home / "cache", device="cpu")
    return pd.read_parquet(done.trials)


def problem_of(home: Path, **how: Any) -> RemoteProblem:
    return RemoteProblem(Request(load(space(home, **how)), "cpu", home / "cache"))


def test_what_takes_a_worker_down_or_wants_to_leave_the_program_fails_its_own_trial_alone(
    home: Path, tmp_path: Path
) -> None:
    once = tmp_path / "once"
    faults = [
        ("os.kill(os.getpid(), signal.SIGKILL)", "WorkerError", ["memory ran out", "ended by SIGKILL"]),
        ("os._exit(7)", "WorkerError", ["died in compressor 'moody', footprint(), by itself", "ended with status 7"]),
        ("raise MemoryError('no room')", "PluginContractError", ["moody", "MemoryError: no room"]),
        ("raise Odd(1, 2)", "PluginContractError", ["Odd: 1"]),
        ("sys.exit(3)", "PluginContractError", ["'moody' raised in footprint()", "SystemExit: 3"]),
        ("raise KeyboardInterrupt", "PluginContractError", ["'moody' raised in footprint()", "KeyboardInterrupt"]),
        ("raise Own('x')", "PluginContractError", ["'moody' raised in footprint()", "Own: x"]),
    ]
    # A worker that dies at one request and not when the request is made again costs nothing.
    lines = [*(fault for fault, *_ in faults), f"_exit_once(pathlib.Path({str(once)!r}))"]
    text = "\n            ".join(f"if (params['mood'] == {mood}).any(): {line}" for mood, line in enumerate(lines))
    rows = rows_of(home, tmp_path, footprint=text, high=len(lines), at="[0, 1, 2, 3, 4, 5, 6, 7]")
    rows = rows.sort_values("param.compressor.moody.mood")
    assert once.exists()
    assert list(rows["param.compressor.moody.mood"]) == list(range(len(lines) + 1))
    assert list(rows["status"]) == ["failed"] * len(faults) + ["done", "done"]
    for (_, error, words), (_, row) in zip(faults, rows.iterrows(), strict=False):
        assert row["error_type"] == error
        for word in words:
            assert word in row["error_message"]


def test_an_idle_worker_that_dies_is_replaced_and_a_request_to_stop_is_not_for_it(home: Path) -> None:
    with problem_of(home) as problem:
        problem.prepare(scores=False)
        points = [default_point(problem.space)]
        before = problem.cost(points)
        worker = worker_of(os.getpid())
        os.kill(worker, signal.SIGTERM)
        os.kill(worker, signal.SIGINT)
        assert problem.cost(points) == before
        assert worker_of(os.getpid()) == worker
        os.kill(worker, signal.SIGKILL)
        while _lives(worker):
            time.sleep(0.01)
        assert problem.cost(points) == before
        assert worker_of(os.getpid()) != worker


def test_a_method_that_never_returns_is_a_failed_trial(home: Path, tmp_path: Path) -> None:
    rows = rows_of(home, tmp_path, footprint=HANG, limit_s=25.0)
    failed = rows[rows["status"] == "failed"]
    assert list(failed["param.compressor.moody.mood"]) == [3]
    assert len(rows) == 6
    assert "search.time_limit_s" in failed.iloc[0]["error_message"]
    assert "within 25 s" in failed.iloc[0]["error_message"]


def test_a_plugin_that_hangs_before_the_first_trial_ends_the_command(home: Path) -> None:
    with pytest.raises(TimeLimitError, match=r"was silent for too long in compressor 'moody', parameters\(\), and was"):
        problem_of(home, parameters=HANG, limit_s=25.0)
    path = space(home)
    (home / "moody.py").write_text("import os; os._exit(2)", encoding="utf-8")
    request = Request(load(path), "cpu", home / "cache")
    with pytest.raises(WorkerError, match=r"died in the import of file .*moody\.py, by itself"):
        RemoteProblem(request)


def test_errors_keep_their_class_and_bring_their_traceback(home: Path, tmp_path: Path) -> None:
    with pytest.raises(PluginContractError, match="moody") as caught:
        problem_of(home, parameters="raise ValueError('no mood today')")
    assert "no mood today" in str(caught.value)
    assert any("moody.py" in note for note in caught.value.__notes__)
    rows = rows_of(home, tmp_path, footprint="raise ValueError('no mood today')")
    assert "moody.py" in rows[rows["status"] == "failed"].iloc[0]["error_traceback"]


def test_what_a_plugin_prints_goes_to_stderr(home: Path, tmp_path: Path) -> None:
    path = space(home, parameters="print('babble', flush=True)")
    done = dse_command("check", path, "--format", "json", cwd=tmp_path, cache=home / "cache")
    assert json.loads(done.stdout)["layers"] == 2
    assert "babble" in done.stderr


def test_the_main_process_loads_no_torch(home: Path, tmp_path: Path) -> None:
    code = (
        "import sys, dse; dse.run(sys.argv[1], results=sys.argv[2], cache=sys.argv[3], device='cpu', trials=1); "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    command = [sys.executable, "-c", code, space(home), tmp_path, home / "cache"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_a_worker_ends_with_the_process_that_started_it(home: Path, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    busy = f"pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); {HANG}"
    command = [sys.executable, "-m", "dse", "run", space(home, footprint=busy), "--results", tmp_path, "--quiet"]
    environment = {**os.environ, "DSE_CACHE": str(home / "cache")}
    main = subprocess.Popen([*map(str, command)], env=environment, cwd=tmp_path)
    while not mark.exists() or not mark.read_text():
        assert main.poll() is None
        time.sleep(0.05)
    main.kill()
    main.wait()
    worker = int(mark.read_text())
    while _lives(worker):
        time.sleep(0.05)
    # The lock went with the process that held it. The plugin's file has changed, so the study must be forced to go on.
    rows = pd.read_parquet(dse.run(space(home), results=tmp_path, cache=home / "cache", force=True).trials)
    assert len(rows) == 6
    assert set(rows["status"]) == {"done"}


def dse_command(*words: object, cwd: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dse", *map(str, words), "--device", "cpu"]
    environment = {**os.environ, "DSE_CACHE": str(cache)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)


def worker_of(pid: int) -> int:
    """The one child of a process that serves a problem."""
    children = [int(item) for path in Path(f"/proc/{pid}/task").glob("*/children") for item in path.read_text().split()]
    (worker,) = (child for child in children if b"dse.worker.serve" in Path(f"/proc/{child}/cmdline").read_bytes())
    return worker


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")
