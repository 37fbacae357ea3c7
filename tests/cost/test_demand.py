"""What plans ask for, and which plans are refused."""

from __future__ import annotations

import numpy as np
import pytest

import dse
from dse.cost.demand import demand
from tests.support.workloads import workload


def test_the_base_is_used_by_every_task_that_does_not_skip_the_layer() -> None:
    load = workload(2)

    wanted = demand(load, dse.Plan(np.array([[[0, 1], [2, dse.DROPPED]]])), generator="test")

    np.testing.assert_array_equal(wanted.used[0], [[True, True], [False, True], [True, False]])
    np.testing.assert_array_equal(wanted.direct[0], [True, False])


def test_a_matrix_is_as_large_as_the_union_of_what_its_users_keep() -> None:
    load = workload(2)
    heads = np.zeros((1, 2, 2, 4), bool)
    heads[0, 0, :, :2], heads[0, 1, :, 1:3] = True, True
    ffn = np.zeros((1, 2, 2, 64), bool)
    ffn[0, 0, :, :10], ffn[0, 1, :, 5:20] = True, True

    wanted = demand(load, dse.Plan(dse.separate_models(load, 1).owner, heads=heads, ffn=ffn), generator="test")

    head = load.encoder.head_size
    np.testing.assert_array_equal(wanted.columns[0, :, 0, 0], [3 * head, 2 * head, 2 * head])  # query
    np.testing.assert_array_equal(wanted.rows[0, :, 0, 3], [3 * head, 2 * head, 2 * head])  # attention output
    np.testing.assert_array_equal(wanted.columns[0, :, 0, 4], [20, 10, 15])  # ffn in
    np.testing.assert_array_equal(wanted.rows[0, :, 0, 5], [20, 10, 15])  # ffn out
    np.testing.assert_array_equal(wanted.rows[0, :, 0, 0], [32, 32, 32])


def test_who_uses_an_owner_and_whether_its_weights_were_measured_is_known() -> None:
    plan = dse.Plan(np.array([[[0, 1], [1, 3]]]), groups=1)
    wanted = demand(workload(2), plan, generator="test", joint=True)

    np.testing.assert_array_equal(wanted.users[0], [[True, False], [True, True], [False, False], [False, True]])
    assert not wanted.measured
    assert demand(workload(2), dse.separate_models(workload(2), 1), generator="test").measured


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (dse.Plan(np.zeros((1, 3, 2), int)), r"wrong shape[\s\S]*\(P, 2, 2\)[\s\S]*\(1, 3, 2\)"),
        (dse.Plan(np.full((1, 2, 2), 3)), r"owner that does not exist[\s\S]*0 \(base\) to 2"),
        (dse.Plan(np.ones((1, 2, 2), int), heads=np.ones((1, 2, 2, 9), bool)), "mask that does not fit"),
        (dse.Plan(np.ones((1, 2, 2), int), groups=1), r"has groups[\s\S]*joint = True[\s\S]*1 groups"),
    ],
)
def test_plans_that_do_not_fit_are_refused(plan: dse.Plan, message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=rf"generator 'x'[\s\S]*{message}"):
        demand(workload(2), plan, generator="x")
