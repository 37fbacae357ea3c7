"""Bootstrap scores of outcomes, drawn once for each outcome; `dse.score.metrics` makes intervals of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dse.cache import Recent
from dse.score.context import Outcome

if TYPE_CHECKING:
    from dse.models.loaded_workload import LoadedWorkload


class Resamples:
    """Draws bootstrap scores of tasks.

    Args:
        loaded: tasks with their labels and groups of rows.
    """

    def __init__(self, loaded: LoadedWorkload) -> None:
        self._loaded = loaded
        self._known: dict[int, tuple[Outcome, NDArray[Any]]] = Recent()

    def draw(self, name: str, rows: str, outcome: Outcome) -> NDArray[Any]:
        """Return the scores of an outcome of a task, by its name, on resamples of its rows, shape (draws,)."""
        from dse.models.inference import task_metrics as metrics

        if id(outcome) not in self._known:
            task = self._loaded.tasks[name]
            labels, groups = task.evaluator.labels(rows), task.evaluator.groups(rows)
            drawn = metrics.bootstrap(task.spec.metric, labels, outcome.predictions, groups)
            self._known[id(outcome)] = outcome, drawn  # the outcome stays, so that no other object gets its id
        return self._known[id(outcome)][1]
