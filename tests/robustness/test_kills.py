"""A real study, killed fifty times at random instants: nothing finished is lost, doubled, unreadable or different."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

import pandas as pd
import pytest

from dse.cli.errors import INTERRUPTED
from dse.results.files import LOG, PARETO, TRIALS
from tests.support.tiny import WORDS, write_space

pytestmark = pytest.mark.slow

KILLS = {"start": 10, "prepare": 3, "work": 20, "stop": 7, "write": 7}
"""Kills by the part of a session they aim at: before it opens the log, from there on, after its first trial, after Ctrl-C,
and while it writes tables, which one as short as these does only when it is asked to stop."""
FIRST = ("prepare",) * 3
"""Come before the others, while the cache is empty and tasks have to be fine-tuned."""
BUDGET = 150
MOST_SESSIONS = 80
VOLATILE = {
    "duration_s": "a time",
    "evaluated_tasks": "a score that was measured and kept just before a kill comes from the cache afterwards",
}
PHASES = {"start-up", "preparation", "trial", "stopping", "writing results"}
CHANGES = (
    ('name = "tiny"', 'name = "tiny"\nplugin_files = ["slow.py"]'),
    ('"random"\ntrials = 4', f'"nsga2"\nsampler_options = {{ population_size = 8 }}\ntrials = {BUDGET}'),
    ('["two-stage", "none"]', '["slow"]'),
    ('plugins = ["isaac"]', 'plugins = ["isaac"]\n[hardware.isaac.parameters]\nadc_bits = {}\ncell_bits = {}'),
    ("epochs = 1", "epochs = 2, learning_rate = 2e-3, max_rows = 600"),
)
PLUGIN = """import time
import dse
from dse_plugins.compressors.two_stage import TwoStage, TwoStageOptions

class Slow(TwoStage):
    def footprint(self, *args, **named):
        time.sleep(0.05)  # the tiny model alone would be done between two kills
        return super().footprint(*args, **named)

@dse.hookimpl
def dse_compressors():
    yield dse.Compressor(name="slow", summary="two-stage, slowly", build=Slow, options=TwoStageOptions)
"""


class Pace(NamedTuple):
    """Seconds that an undisturbed study takes until its log is open, from there to its first trial, and for a trial."""

    start: float
    prepare: float
    trial: float


class Reader(threading.Thread):
    """Reads both tables again and again, as a notebook might, and keeps what went wrong."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.wrong: list[str] = []
        self.counts: dict[str, list[int]] = {TRIALS: [], PARETO: []}
        self.reads = 0
        self._folder = folder
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(0.005):
            # The front is written last: all of it stands in the table that is read after it.
            front, trials = self._read(PARETO), self._read(TRIALS)
            if front is None or trials is None:
                continue
            if not front["on_front"].all() or not set(front["trial"]) <= set(trials["trial"]):
                self.wrong.append(f"{PARETO} and {TRIALS} disagree: {list(front['trial'])}")
            if list(trials["trial"]) != list(range(len(trials))):
                self.wrong.append(f"{TRIALS} has gaps or repetitions: {list(trials['trial'])}")

    def _read(self, name: str) -> pd.DataFrame | None:
        counts = self.counts[name]
        try:
            with (self._folder / name).open("rb") as file:  # given a path, pandas opens the file more than once
                frame = pd.read_parquet(file)
        except Exception as error:
            if counts or not isinstance(error, FileNotFoundError):
                self.wrong.append(f"{name}: {error!r}")
            return None
        self.reads += 1
        if not counts or counts[-1] != len(frame):
            if counts and name == TRIALS and len(frame) < counts[-1]:  # a front may well shrink
                self.wrong.append(f"{name} shrank from {counts[-1]} to {len(frame)} rows")
            counts.append(len(frame))
        return frame


class Study:
    """One study in its own folder and with its own cache, run by the command line.

    Args:
        home: folder of the space file.
        name: of its results folder.
    """

    def __init__(self, home: Path, name: str) -> None:
        self.home = home
        self.name = name
        self.folder = home / name / "tiny"
        self.sessions: list[subprocess.Popen[str]] = []

    def begin(self) -> subprocess.Popen[str]:
        """Begin a session, a process group of its own; stderr ends when the last process of it does."""
        options = ["--results", self.name, "--cache", f"cache-{self.name}", "--device", "cpu", "--quiet"]
        process = subprocess.Popen(
            [sys.executable, "-m", "dse", "run", "tiny.toml", *options],
            cwd=self.home,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.sessions.append(process)
        return process

    def log(self) -> bytes:
        """All whole lines of the log."""
        path = self.folder / LOG
        data = path.read_bytes() if path.is_file() else b""
        return data[: data.rfind(b"\n") + 1]

    def frame(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / name, dtype_backend="numpy_nullable").drop(columns=list(VOLATILE))

    def finish(self) -> Pace:
        """Let a session run to the end of the study."""
        before, times = self.log(), [time.monotonic()]
        process = self.begin()
        for reached in (lambda: self.log() != before, lambda: bool(events(self.log(), "asked"))):
            until(process, reached)
            times.append(time.monotonic())
        _, words = process.communicate()
        assert process.returncode == 0, words
        assert self.log().startswith(before), "lines of the log were lost"
        start, prepare, trials = (end - begin for begin, end in pairwise([*times, time.monotonic()]))
        return Pace(start, prepare, trials / BUDGET)

    def kill(self, aim: str, chance: random.Random, pace: Pace, most: int) -> str | None:
        """Kill a session; return in which phase, or None if it had obeyed Ctrl-C before.

        Args:
            aim: part of the session's life, a key of `KILLS`.
            chance: draws the instant, and whether the whole process group is killed or its first process only.
            pace: of the study.
            most: evaluated trials at which the session is not left to go on for the time drawn.
        """
        before, spoilt = self.log(), self.temporary()
        whole = chance.random() < 0.5
        early, late = chance.random(), chance.random()
        process = self.begin()
        asked = False
        if aim == "start":
            until(process, None, early * pace.start)
        elif until(process, lambda: self.log() != before) and aim == "prepare":
            until(process, None, early * pace.prepare)
        elif until(process, lambda: evaluated(self.log()) > evaluated(before)):
            until(process, lambda: evaluated(self.log()) >= most, early * pace.trial * (5 if aim == "work" else 3))
            until(process, None, late * pace.trial)
            request = signal.SIGTERM if early < 0.5 else signal.SIGINT
            if asked := aim != "work" and send(process, request, whole=whole):
                seconds = pace.start if aim == "write" else late * pace.start / 4
                writing = until(process, lambda: aim == "write" and self.temporary() > spoilt, seconds)
                until(process, None, early / 100 if writing else 0.0)
        send(process, signal.SIGKILL, whole=whole)
        status, after = process.wait(), self.log()
        assert after.startswith(before), "lines of the log were lost"
        if status == INTERRUPTED and asked:
            return None
        assert status == -signal.SIGKILL, f"a session ended with {status}: {process.communicate()[1]}"
        assert evaluated(after) < BUDGET, "the study was over before it was killed"
        if asked:
            return "writing results" if self.temporary() > spoilt else "stopping"
        return phase(before, after)

    def temporary(self) -> set[str]:
        """Tables that are being written, or were when a session was killed."""
        return {path.name for path in self.folder.glob(".*parquet*")}


def until(process: subprocess.Popen[str], condition: Callable[[], bool] | None, seconds: float = 600.0) -> bool:
    """Wait for a condition, for so long at most and while the process lives; say whether it came true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition and condition():
            return True
        time.sleep(0.002)
    return False


def send(process: subprocess.Popen[str], number: int, *, whole: bool) -> bool:
    """Send a signal to a session's whole process group or to its first process; say whether that was still alive."""
    if process.poll() is not None:
        return False
    (os.killpg if whole else os.kill)(process.pid, number)
    return True


def events(log: bytes, name: str) -> list[bytes]:
    return [line for line in log.splitlines() if line.startswith(b'{"event":"%s"' % name.encode())]


def evaluated(log: bytes) -> int:
    """Trials that count towards the budget."""
    return sum(b'"status":"duplicate"' not in line for line in events(log, "done"))


def phase(before: bytes, after: bytes) -> str:
    """What a killed session was doing, from the log before and after it."""
    new = after.removeprefix(before).splitlines()
    if not new:
        return "start-up"
    last = json.loads(new[-1])["event"]
    if last in ("header", "resumed"):
        return "trial again" if before and json.loads(before.splitlines()[-1])["event"] == "asked" else "preparation"
    return "trial" if last == "asked" else "between trials"


def write_home(home: Path) -> None:
    """Write the space of a study whose trials take a while: more text, a slow plugin and a sampler with a memory."""
    space = write_space(home)
    text = space.read_text(encoding="utf-8")
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new)
    space.write_text(text, encoding="utf-8")
    (home / "slow.py").write_text(PLUGIN, encoding="utf-8")
    chance = random.Random(1)
    rows = list(dict.fromkeys(" ".join(chance.choices(WORDS, k=10)) for _ in range(3000)))
    verdicts = [f"{row}\t{int('good' in row)}" for row in rows]
    ratings = [f"{row}\t{row.count('good') - row.count('bad') + chance.random():.3f}" for row in rows]
    for name, lines in (("verdict", verdicts), ("rating", ratings)):
        (home / f"{name}.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n", encoding="utf-8")


def killed_often(study: Study, pace: Pace) -> Counter[str]:
    """Kill a study as `FIRST` and, in random order, `KILLS` say; return in which phases it was."""
    chance = random.Random(0)
    rest = [aim for aim, count in KILLS.items() for _ in range(count)]
    aims = [*FIRST, *chance.sample(rest, len(rest))]
    phases: Counter[str] = Counter()
    while phases.total() < len(aims):
        assert len(study.sessions) < MOST_SESSIONS, f"only {phases.total()} kills came in time: {phases}"
        done = phases.total()
        found = study.kill(aims[done], chance, pace, most=BUDGET * (done + 2) // (len(aims) + 4))
        if found:
            phases[found] += 1
    return phases


def test_fifty_kills_lose_double_and_spoil_nothing(tmp_path: Path) -> None:
    write_home(tmp_path)
    calm, killed = Study(tmp_path, "calm"), Study(tmp_path, "killed")
    pace = calm.finish()
    with Reader(killed.folder) as reader:
        phases = killed_often(killed, pace)
        killed.finish()
    said = "".join(session.communicate(timeout=60)[1] for session in killed.sessions[:-1])  # and orphans have ended
    sys.stdout.write(
        f"\n{phases.total()} kills in {len(killed.sessions)} sessions: {dict(phases)}, {pace}\n"
        f"{reader.reads} reads, rows {reader.counts}\nsaid by killed sessions:\n{said}"
    )
    assert phases.total() == len(FIRST) + sum(KILLS.values()) == 50
    assert set(phases) >= PHASES
    for name in ("asked", "done"):
        numbers = [json.loads(line)["trial"] for line in events(killed.log(), name)]
        assert numbers == list(range(len(numbers)))
    assert reader.wrong == []
    assert len(reader.counts[TRIALS]) > 1
    for name in (TRIALS, PARETO):
        pd.testing.assert_frame_equal(killed.frame(name), calm.frame(name), check_exact=True)
