"""Progress on stderr: bars on a terminal, plain lines elsewhere, and nothing with ``--quiet``."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from dse.results.status import Status
from dse.study.observer import NullObserver, Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


class Silent(NullObserver):
    """Reporter that prints nothing; every reporter is a context manager around a whole run."""

    def activity(self, text: str, share: float | None) -> None:
        """Show what is being done and, if known, the share that is done (0 to 1)."""

    def on_start(self, progress: Progress) -> None:
        """Say how much there is to do."""
        size = "endless" if math.isinf(progress.space_size) else f"{progress.space_size:.4g}"
        earlier = f", {progress.restored} of them done earlier" if progress.restored else ""
        self.note(f"{progress.total} trials{earlier}; {size} different designs")

    def on_finish(self, progress: Progress, reason: str) -> None:
        """Say why the search ended."""
        self.note(f"{reason}: {progress.evaluated} of {progress.total} trials · {standing(progress)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the report."""


def reporter(*, quiet: bool) -> Silent:
    """Return a silent reporter if ``quiet``, else one with bars if stderr is a terminal, else one with plain lines."""
    if quiet:
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()


def standing(progress: Progress) -> str:
    """Describe the progress of a search in one line of text, without the number of trials."""
    best = ", ".join(f"{column} {value:.4g}" for column, value in progress.best.items())
    parts = [
        f"front {progress.front}",
        f"best {best}" if best else "",
        f"scores {progress.measured} measured, {progress.cached} cached",
        *(f"{count} {status.shown}" for status, count in progress.counts.items() if count and status.shown),
        f"{progress.refused} refused" if progress.refused else "",
    ]
    return " · ".join(part for part in parts if part)


class Lines(Silent):
    """Reporter that prints one line per event, for logs.

    An activity has a line at its start and at each quarter. A study has at most fifty lines of trials.

    Args:
        clock: function that returns the time in seconds, from any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._activity = ""
        self._quarter = 0
        self._shown = -1

    def activity(self, text: str, share: float | None) -> None:
        """Print an activity when it is new and after each quarter; an activity that begins at 100 % is a message."""
        quarter = 0 if share is None else int(share * 4)
        if text == self._activity and quarter <= self._quarter:
            return
        message = share == 1.0 and text != self._activity
        self._activity, self._quarter = text, quarter
        self.note(text if share is None or message else f"{text}: {share:.0%}")

    def trial(self, progress: Progress, row: Mapping[str, Any]) -> None:
        """Print every trial of a small study, every fiftieth part of a large one, and every failure."""
        if self._began is None:
            self._began = self._clock()
        if row.get("status") == Status.FAILED:
            self.note(f"trial {row.get('trial')} failed: {row.get('reason')}")
        every = max(1, progress.total // 50)
        if progress.evaluated == self._shown or (progress.evaluated % every and progress.evaluated != progress.total):
            return
        self._shown = progress.evaluated
        left = self._time_left(progress)
        self.note(f"trial {progress.evaluated} of {progress.total} · {standing(progress)}{left}")

    def on_ready(self) -> None:
        """Start the clock of the trials, which come next."""
        self._began = self._clock()

    def note(self, message: str) -> None:
        """Print a line."""
        sys.stderr.write(message + "\n")
        sys.stderr.flush()

    def _time_left(self, progress: Progress) -> str:
        mine = progress.evaluated - progress.restored
        if self._began is None or mine < 1 or progress.evaluated >= progress.total:
            return ""
        seconds = (self._clock() - self._began) / mine * (progress.total - progress.evaluated)
        return f" · about {duration(seconds)} left"


class Bars(Silent):
    """Reporter that shows two bars on a terminal: the upper bar is the activity, the lower bar counts the trials."""

    def __init__(self) -> None:
        from rich import progress as rich
        from rich.console import Console

        self._progress = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=24),
            rich.TextColumn("{task.fields[detail]}", markup=False),
            rich.TimeElapsedColumn(),
            rich.TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._activity: TaskID | None = None
        self._trials: TaskID | None = None
        self._text = ""

    def activity(self, text: str, share: float | None) -> None:
        """Move the upper bar; an activity that begins at 100 % is a message, which is printed above the bars."""
        if share == 1.0 and text != self._text:
            self.note(text)
            return
        if text != self._text:
            self.on_ready()
        if self._activity is None:
            self._activity, self._text = self._progress.add_task(text, total=None, detail=""), text
        if share is not None:
            self._progress.update(self._activity, total=1.0, completed=share, detail=f"{share:.0%}")
        if share == 1.0:
            self.on_ready()

    def on_ready(self) -> None:
        """Remove the bar of the activity, so that only the bar of the trials is left."""
        if self._activity is not None:
            self._progress.remove_task(self._activity)
            self._activity = None

    def trial(self, progress: Progress, row: Mapping[str, Any]) -> None:
        """Move the lower bar; a failure is printed above it."""
        if self._trials is None:
            self._trials = self._progress.add_task("trials", total=progress.total, detail="")
            # What earlier sessions did does not measure the speed of this session.
            self._progress.reset(self._trials, completed=progress.restored, total=progress.total)
        if row.get("status") == Status.FAILED:
            self.note(f"trial {row.get('trial')} failed: {row.get('reason')}")
        detail = f"{progress.evaluated} of {progress.total} · {standing(progress)}"
        self._progress.update(self._trials, completed=progress.evaluated, total=progress.total, detail=detail)

    def note(self, message: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the bars; their last state stays on the terminal."""
        self._progress.stop()


def duration(seconds: float) -> str:
    """Return a duration as text, in the unit that a person would use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
