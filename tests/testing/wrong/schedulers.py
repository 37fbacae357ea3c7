"""Schedulers with one fault each."""

from __future__ import annotations

from itertools import count

import numpy as np
from dse_plugins.schedulers.fixed import Fixed, FixedOptions
from dse_plugins.schedulers.searched import Searched

import dse

CALLS = count()


class DropsATask(Fixed):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        whole = super().order(components, workload, params)
        return dse.Schedule(whole.task[:, 1:], whole.batch[:, 1:])


class IgnoresRates(Fixed):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        whole = super().order(components, workload, params)
        tilt = 1 + np.arange(whole.batch.shape[1]) ** 2
        return dse.Schedule(whole.task, whole.batch * tilt)


class NamesNoTask(Fixed):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        whole = super().order(components, workload, params)
        return dse.Schedule(whole.task + 1, whole.batch)


class ChangesItsMind(Fixed):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        whole = super().order(components, workload, params)
        turn = next(CALLS) % 2
        return dse.Schedule(np.roll(whole.task, turn, axis=1), np.roll(whole.batch, turn, axis=1))


class FirstPointForAll(Searched):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        first = np.repeat(params["order"][:1], params.points, axis=0)
        return super().order(components, workload, dse.Params(params.points, {"order": first}))


class DeadOrder(Searched):
    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        del components
        return dse.listed_order(workload, params.points)


class DefaultOutside(Fixed):
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        del workload
        return (dse.Int(name="start", low=0, high=1, default=5, scores=False),)

    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        whole = super().order(components, workload, dse.Params(params.points))
        flip = (params["start"] == 1)[:, None]
        return dse.Schedule(
            np.where(flip, whole.task[:, ::-1], whole.task), np.where(flip, whole.batch[:, ::-1], whole.batch)
        )


class LooseOptions(FixedOptions):
    level: int = "high"  # type: ignore[assignment]


def record(build: type, options: type[dse.Options] = FixedOptions, name: str = "wrong") -> dse.Scheduler:
    return dse.Scheduler(name=name, summary="wrong on purpose", build=build, options=options)


CASES = (
    (record(DropsATask), "test_every_task_is_served_by_its_rate"),
    (record(IgnoresRates), "test_every_task_is_served_by_its_rate"),
    (record(NamesNoTask), "test_schedule_has_its_shape"),
    (record(ChangesItsMind), "test_is_deterministic"),
    (record(FirstPointForAll, dse.Options), "test_batch_equals_single"),
    (record(DeadOrder, dse.Options), "test_every_parameter_changes_something"),
    (record(DefaultOutside), "test_parameters_are_well_declared"),
    (record(Fixed, LooseOptions), "test_options_round_trip"),
    (record(Fixed, name="two words"), "test_record_is_valid"),
)
