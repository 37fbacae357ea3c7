"""Threads of numerical libraries on a machine that is shared. Settings reach a library only before it is loaded."""

import math
import os
import sys
from pathlib import Path

SPIN_COUNT = "1000"
"""Turns that a thread of OpenMP waits awake before it sleeps.

GNU's OpenMP spins for milliseconds by default, on cores that another process could use: beside one busy process per core a
training step then takes ten times as long. Threads that sleep at once lose about a tenth on an idle machine.
"""


def share_cores() -> None:
    """Make OpenMP wait politely, and use as many threads as cores are granted, unless the user set either.

    Nothing happens once torch is loaded.
    """
    if "torch" in sys.modules:
        return
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    if read_quota() is not None:  # a quota is the one limit that OpenMP does not read itself
        os.environ.setdefault("OMP_NUM_THREADS", str(count_cores()))


def list_cores() -> list[int]:
    """Return the cores that this process may use, in order: those of its affinity, and no more than its quota."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    return usable[: read_quota()]


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(list_cores())


def read_quota() -> int | None:
    """Return how many cores the control groups of Linux grant this process, rounded up; None without a limit."""
    limits = [_read_limit(folder) for folder in find_groups()]
    granted = [math.ceil(limit) for limit in limits if limit is not None]
    return max(1, min(granted)) if granted else None


def find_groups(text: str | None = None) -> list[Path]:
    """Return the folders of control groups that can limit this process's time on cores, each with those above it.

    Args:
        text: what the system says of the process's groups; by default this is read.
    """
    if text is None:
        try:
            text = Path("/proc/self/cgroup").read_text(encoding="utf-8")
        except OSError:  # only Linux has it
            text = ""
    folders: list[Path] = []
    for line in text.splitlines():  # such as "0::/user.slice" (version 2) or "4:cpu,cpuacct:/docker/1f" (version 1)
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = Path("/sys/fs/cgroup") / controllers if controllers else Path("/sys/fs/cgroup")
        own = root / path.lstrip("/")
        folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return folders


def _read_limit(folder: Path) -> float | None:
    """Return the cores that one control group grants; None if it says nothing."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period")
            )
        return float(quota) / float(period) if quota.strip() not in ("max", "-1") else None
    except (OSError, ValueError):
        return None
