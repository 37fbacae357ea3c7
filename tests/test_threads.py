"""Threads wait politely and are as many as the cores that are granted, unless the user says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dse import threads

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")


def settings(before: str = "pass", **user: str) -> list[str]:
    """What a new process has in its environment after `import dse`."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    code = f"import os, sys\n{before}\nimport dse\nprint(*(os.environ.get(name, '-') for name in {NAMES}))"
    done = subprocess.run([sys.executable, "-c", code], env=clean | user, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_waiting_threads_sleep_soon() -> None:
    assert settings()[:2] == ["-", threads.SPIN_COUNT]


def test_what_the_user_set_stays() -> None:
    assert settings(OMP_WAIT_POLICY="ACTIVE", OMP_NUM_THREADS="7") == ["ACTIVE", "-", "7"]
    assert settings(GOMP_SPINCOUNT="5", OMP_NUM_THREADS="1") == ["-", "5", "1"]


def test_nothing_changes_once_torch_is_loaded() -> None:
    assert settings(before="sys.modules['torch'] = sys") == ["-", "-", "-"]


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "10000 100000"}, 1),
        ({"cpu.max": "nonsense"}, None),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.cfs_quota_us": "300000\n", "cpu.cfs_period_us": "100000\n"}, 3),
    ],
)
def test_the_quota_of_a_control_group_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(threads, "find_groups", lambda: [tmp_path])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    assert threads.read_quota() == cores
    assert threads.count_cores() == (cores or 8)


def test_the_groups_above_a_process_count() -> None:
    text = "4:cpu,cpuacct:/docker/1f\n3:memory:/elsewhere\n0::/user.slice/job\n"
    groups = [folder.as_posix() for folder in threads.find_groups(text)]
    assert groups == [
        "/sys/fs/cgroup/cpu,cpuacct/docker/1f", "/sys/fs/cgroup/cpu,cpuacct/docker", "/sys/fs/cgroup/cpu,cpuacct",
        "/sys/fs/cgroup/user.slice/job", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup",
    ]  # fmt: skip
    assert threads.find_groups("") == []


def test_a_quota_sets_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "read_quota", lambda: 1)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    for name in NAMES:
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    threads.share_cores()
    assert os.environ["OMP_NUM_THREADS"] == "1"
