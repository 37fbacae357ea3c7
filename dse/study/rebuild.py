"""Rebuild the design of a trial with the plugins that it was costed and scored with."""

import json
from collections.abc import Mapping
from typing import Any

from dse.errors import StudyError
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS
from dse.score.problem import WorkloadProblem
from dse.space.searchspace import SearchSpace
from dse.study.provenance import Provenance
from dse.study.task_values import point_in


def rebuild_design(
    problem: WorkloadProblem, space: SearchSpace, provenance: Provenance, record: Mapping[str, Any]
) -> DesignPoint:
    """Return the design of a row.

    Args:
        problem: problem of the study's space file.
        space: resolved search space of the study.
        provenance: versions of the plugins as they are now.
        record: row of the trial, by column.

    Raises:
        StudyError: the version or the parameters of a plugin have changed since the trial.
    """
    point = point_in(space, record)
    made_with = json.loads(record["versions"])
    for full_name in (f"{kind}.{point.plugin(kind)}" for kind in KINDS):
        if provenance.plugins.get(full_name) != made_with.get(full_name):
            raise StudyError(
                "a plugin is not the one that the trial was made with",
                where=full_name,
                expected=made_with.get(full_name, "none"),
                found=provenance.plugins.get(full_name, "the study's space file does not name it any more"),
                fix="install that version, or run the study again",
            )
    declared = {item.full_name for item in problem.parameters if item.plugin == point.plugin(item.kind)}
    if others := declared ^ set(point.values):
        raise StudyError(
            "the parameters of a plugin have changed since the trial",
            where=", ".join(sorted(others)),
            fix="run the study again",
        )
    return point
