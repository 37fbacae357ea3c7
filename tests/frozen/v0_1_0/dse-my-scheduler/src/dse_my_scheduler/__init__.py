"""Scheduler ``my-scheduler``: each task once a cycle, sorted by rate or by length."""

from __future__ import annotations

from collections.abc import Iterable

import dse
import numpy as np


class MySchedulerOptions(dse.Options):
    """Options of ``my-scheduler``.

    Attributes:
        smallest_first: begin with the smallest rate or length instead of the largest.
    """

    smallest_first: bool = False


class MySchedulerScheduler:
    """Sorts the tasks by what the parameter ``by`` says."""

    def __init__(self, options: MySchedulerOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """What a search may choose."""
        return (
            dse.Choice(
                name="by",
                choices=("rate", "tokens"),
                default="rate",
                summary="what tasks are sorted by: share of requests, or mean tokens",
                scores=False,
            ),
        )

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do before the first design."""

    def order(
        self,
        components: dse.Components,
        workload: dse.Workload,
        params: dse.Params,
    ) -> dse.Schedule:
        """Sort the tasks (P, T); every task gets requests in proportion to its rate."""
        rates = np.array([task.rate for task in workload.tasks])
        tokens = np.array([task.tokens for task in workload.tasks])
        keys = np.where((params["by"] == "rate")[:, None], rates, tokens)
        if not self.options.smallest_first:
            keys = -keys
        return dse.in_turn(workload, np.argsort(keys, axis=1, kind="stable"), params)


@dse.hookimpl
def dse_schedulers() -> Iterable[dse.Scheduler]:
    """Yield the one scheduler."""
    yield dse.Scheduler(
        name="my-scheduler",
        summary="tasks sorted by rate or by length",
        build=MySchedulerScheduler,
        options=MySchedulerOptions,
    )
