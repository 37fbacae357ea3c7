"""Find the designs that no other design beats, and the volume of the objective space that a front covers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import StudyError
from dse.results.columns import EQUAL_DIGITS
from dse.results.objectives import Objective, is_maximised
from dse.results.status import Status

Points = NDArray[np.float64]


def mask_nondominated(points: Points, maximise: Sequence[bool], *, ties: bool = False) -> NDArray[np.bool_]:
    """Mask the rows (n, d) that no other row beats; see `dse.results.columns.FRONT_RULE` for rows that agree.

    Args:
        points: finite objective values, shape (n, d).
        maximise: whether to maximise each of the d objectives.
        ties: whether all rows that agree stay, not only the first of them.

    Raises:
        StudyError: a value is not finite.
    """
    import moocore

    points = _finite(points, len(maximise))
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    mask = moocore.is_nondominated(_round_digits(points), maximise=list(maximise), keep_weakly=ties)
    return np.asarray(mask, dtype=bool)


def hypervolume(points: Points, reference: Sequence[float], maximise: Sequence[bool] | None = None) -> float:
    """Return the volume that the rows (n, d) dominate up to the reference point; rows beyond the point add nothing.

    Args:
        points: finite objective values, shape (n, d).
        reference: worst value of each objective that still counts.
        maximise: whether to maximise each objective; by default all are minimised.

    Raises:
        StudyError: a value is not finite.
    """
    import moocore

    directions = list(maximise) if maximise is not None else [False] * len(reference)
    points = _finite(points, len(directions))
    # moocore takes points that do not dominate the reference as they are; clipping them away keeps its result defined.
    sign = np.where(directions, -1.0, 1.0)
    inside = points[np.all(points * sign < np.asarray(reference) * sign, axis=1)]
    if len(inside) == 0:
        return 0.0
    return float(moocore.hypervolume(inside, ref=list(reference), maximise=directions))


def front_mask(rows: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]) -> list[bool]:
    """Mask the rows that are on the front of the objectives.

    Only rows with status ``done`` and with every objective can be on the front. A study that was forced to continue
    with other objectives has rows that lack some.
    """
    values = [[row.get(item.column) for item in objectives] for row in rows]
    mask = np.array(
        [row["status"] == Status.DONE and None not in line for row, line in zip(rows, values, strict=True)], bool
    )
    points = np.array([line for line, done in zip(values, mask, strict=True) if done], dtype=np.float64)
    mask[mask] = mask_nondominated(points.reshape(-1, len(objectives)), [item.maximise for item in objectives])
    return [bool(on_front) for on_front in mask]


def study_hypervolume(
    rows: Iterable[Mapping[str, Any]], reference: Mapping[str, float], objectives: Sequence[Objective] = ()
) -> float | None:
    """Return the hypervolume of a study's done rows in the metrics of its reference point; None if a value is missing.

    The study's objectives say whether larger values of a metric are better, or else the metric itself.
    """
    done = [row for row in rows if row["status"] == Status.DONE]
    values = [[row.get(name) for name in reference] for row in done]
    if any(value is None or math.isnan(value) for line in values for value in line):
        return None
    points = np.array(values, dtype=np.float64).reshape(len(values), len(reference))
    return hypervolume(points, list(reference.values()), [is_maximised(name, objectives) for name in reference])


def hypervolume_history(
    rows: Iterable[Mapping[str, Any]], objectives: Sequence[Objective], reference: Mapping[str, float]
) -> list[tuple[int, float]] | None:
    """Return the hypervolume of the front after each done trial.

    Args:
        rows: rows of a study, in trial order.
        objectives: objectives of the front.
        reference: worst value by metric, from which the hypervolume is measured.

    Returns:
        Number of each trial and the hypervolume after it; None if a metric of the reference point was not measured.
    """
    chosen = [item.column for item in objectives]
    running = RunningFront([item.maximise for item in objectives])
    front: list[Mapping[str, Any]] = []
    history: list[tuple[int, float]] = []
    for row in rows:
        if row["status"] != Status.DONE or any(row.get(name) is None for name in chosen):
            continue
        if running.add([row[name] for name in chosen]):
            front.append(row)
            front = [item for item, on_front in zip(front, front_mask(front, objectives), strict=True) if on_front]
            volume = study_hypervolume(front, reference, objectives)
            if volume is None:
                return None
        else:
            volume = history[-1][1]
        history.append((int(row["trial"]), volume))
    return history


class RunningFront:
    """The front of the designs added so far, updated with each design.

    Args:
        maximise: whether to maximise each objective.
    """

    def __init__(self, maximise: Sequence[bool]) -> None:
        self._sign = np.where(list(maximise), -1.0, 1.0)
        self._front = np.zeros((0, len(self._sign)))

    def __len__(self) -> int:
        return len(self._front)

    def add(self, values: Sequence[float]) -> bool:
        """Add the objective values of a design; return whether it is on the front."""
        point = _round_digits(np.asarray(values, dtype=np.float64) * self._sign)
        front = self._front
        if np.any(np.all(front <= point, axis=1)):
            return False
        beaten = np.all(point <= front, axis=1) & np.any(point < front, axis=1)
        self._front = np.vstack([front[~beaten], point])
        return True

    def beats(self, values: Sequence[float]) -> bool:
        """Return whether a design of the front is no worse than these values in every objective."""
        point = _round_digits(np.asarray(values, dtype=np.float64) * self._sign)
        return bool(np.any(np.all(self._front <= point, axis=1)))


def _round_digits(points: Points) -> Points:
    """Round to the digits that count, so that sums of the same terms in another order are equal."""
    with np.errstate(divide="ignore"):
        digits = EQUAL_DIGITS - 1 - np.floor(np.log10(np.abs(points)))
    scale = 10.0 ** np.where(np.isfinite(digits), digits, 0)
    return np.asarray(np.round(points * scale) / scale)


def _finite(points: Points, width: int) -> Points:
    points = np.asarray(points, dtype=np.float64).reshape(-1, width)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise StudyError(
            "a design whose objectives are not finite has no place on a front",
            expected="finite objective values",
            found=f"row {bad[0]}: {points[bad[0]].tolist()}",
        )
    return points
