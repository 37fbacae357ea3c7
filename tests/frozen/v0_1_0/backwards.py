import types

import dse


def order(components, workload, params):
    return dse.in_turn(workload, dse.listed_order(workload, params.points).task[:, ::-1], params)


@dse.hookimpl
def dse_schedulers():
    plugin = types.SimpleNamespace(parameters=lambda workload: (), prepare=lambda context: None, order=order)
    yield dse.Scheduler(name="backwards", summary="listed order, reversed", build=lambda options: plugin)
