"""Rows of designs as Arrow tables, made from arrays of costs: the same rows as a study writes, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dse.cost.metrics import CostTable
from dse.records.plugin import KINDS
from dse.results.columns import Column
from dse.results.points import PREFIX
from dse.results.rows import TOLERANCE
from dse.results.schema import arrow_type
from dse.results.status import Status
from dse.space.constraints import constraints_of
from dse.space.file import SpaceFile
from dse.study.stages import Evaluator, make_row, reject
from dse.sweeps.designs import Block

if TYPE_CHECKING:
    from dse.score.problem import WorkloadProblem

SOURCE = "sweep"


class BlockEvaluator:
    """Costs blocks of designs, and judges them as a study does.

    Args:
        problem: source of costs.
        space: space file with objectives and limits on costs.
        columns: columns of the sweep.
        shared: cells that all rows share.

    Attributes:
        chunk: number of designs to cost at once.
    """

    def __init__(
        self, problem: WorkloadProblem, space: SpaceFile, columns: Sequence[Column], shared: Mapping[str, Any]
    ) -> None:
        self.chunk = problem.costing.chunk
        self._problem, self._evaluator, self._shared = problem, Evaluator(problem, space), dict(shared)
        self.schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
        self._asked = {item.column for item in space.objectives} | {item.metric for item in constraints_of(space)}
        for item in space.objectives:
            self._asked |= set(item.expression.columns if item.expression else ())
        self._limits = constraints_of(space)
        self._objectives = space.objectives

    def cost(self, block: Block) -> pa.Table:
        """Return the rows of a block; where one design raises, the others are costed all the same."""
        try:
            table = self._problem.costing.cost_columns(block.combination, block.params)
            if self._is_sound(table):
                return self._build(block, table)
        except Exception:
            if len(block.numbers) > 1:
                halves = block.cut((len(block.numbers) + 1) // 2)
                return pa.concat_tables([self.cost(half) for half in halves])
        rows = []
        for place, number in enumerate(block.numbers.tolist()):
            asked = {"trial": number, "source": SOURCE, "seed": None}
            point = block.point(place)
            rows.append(make_row(asked, point, self._evaluator.evaluate(point), 0.0) | self._shared)
        return pa.Table.from_pylist([row | {"duration_s": None} for row in rows], schema=self.schema)

    def _is_sound(self, table: CostTable) -> bool:
        """Return whether all numbers are finite, and components sum to their totals; else each row says what is wrong."""
        costs = table.costed.costs
        present = [values for name, values in table.metrics.items() if not table.may_be_empty(name)]
        sums = ((costs.area_mm2, costs.area), (costs.energy_uj, costs.energy))
        return all(np.isfinite(values).all() for values in (*present, costs.area, costs.energy)) and all(
            (np.abs(parts.sum(axis=1) - whole) <= TOLERANCE * np.maximum(np.abs(whole), TOLERANCE)).all()
            for whole, parts in sums
        )

    def _build(self, block: Block, table: CostTable) -> pa.Table:
        count, costs = len(block.numbers), table.costed.costs
        arrays: dict[str, NDArray[Any]] = {"trial": block.numbers}
        arrays |= {PREFIX + name: values for name, values in block.values.items()}
        arrays |= {name: np.where(np.isfinite(values), values, np.nan) for name, values in table.metrics.items()}
        arrays |= {f"area.{name}": costs.area[:, place] for place, name in enumerate(costs.names)}
        arrays |= {f"energy.{name}": costs.energy[:, place] for place, name in enumerate(costs.names)}
        tasks = np.array(self._problem.costing.workload.task_names)
        arrays |= {"order": tasks[costs.order], "visit_us": costs.visit_us, "switch_us": costs.switch_us}
        texts: dict[str, Any] = {**dict(zip(KINDS, block.combination, strict=True)), "source": SOURCE, "stage": "cost"}
        cells: dict[str, list[Any]] = {
            "status": [Status.DONE.value] * count, "violation": [0.0] * count, "reason": [None] * count,
            **{item.column: [None] * count for item in self._objectives if item.expression},
        }  # fmt: skip
        for place in np.flatnonzero(self._mask_odd(arrays, table)).tolist():
            for name, value in self._judge(arrays, table, place).items():
                cells[name][place] = value
        return pa.Table.from_arrays(
            [self._to_arrow(field, count, arrays, cells, texts | self._shared) for field in self.schema],
            schema=self.schema,
        )

    def _mask_odd(self, arrays: Mapping[str, NDArray[Any]], table: CostTable) -> NDArray[np.bool_]:
        """Mask the designs that may break a limit, or whose objectives must be computed."""
        odd = np.array([bool(reasons) for reasons in table.costed.reasons])
        if any(item.expression for item in self._objectives):
            odd[:] = True
        for item in self._limits:
            values = arrays.get(item.metric)
            if values is not None:
                odd |= values > item.bound if item.is_upper else values < item.bound
        for objective in self._objectives:
            values = arrays.get(objective.column)
            odd |= True if values is None else ~np.isfinite(values)
        return odd

    def _judge(self, arrays: Mapping[str, NDArray[Any]], table: CostTable, place: int) -> dict[str, Any]:
        """Return the expressions of a design, and why it is infeasible, as a study does."""
        values = {name: arrays[name][place].item() for name in self._asked if name in arrays}
        cells = {name: None if value != value else value for name, value in values.items()}  # noqa: PLR0124  # not a number
        violations, violation = table.costed.reasons[place], float(table.costed.violation[place])
        excesses, reasons = self._evaluator.judge(cells, violations, violation)
        made = {item.column: cells.get(item.column) for item in self._objectives if item.expression}
        return made | (reject(excesses, reasons) if reasons else {})

    def _to_arrow(
        self,
        field: Any,
        count: int,
        arrays: Mapping[str, NDArray[Any]],
        cells: Mapping[str, list[Any]],
        texts: Mapping[str, Any],
    ) -> Any:
        if field.name in cells:
            return pa.array(cells[field.name], field.type)
        if field.name in texts:
            return pa.repeat(pa.scalar(texts[field.name], field.type), count)
        if field.name in arrays:
            return _nest(arrays[field.name], field.type)
        return pa.nulls(count, field.type)


def _nest(values: NDArray[Any], kind: Any) -> Any:
    """Return an array of scalars, or of lists, (P, ...)."""
    if values.ndim == 1:
        if values.dtype.kind == "U":
            return pa.array(values.tolist(), kind)
        return pa.array(values, from_pandas=True).cast(kind)
    inner = _nest(values.reshape(-1, *values.shape[2:]), kind.value_type)
    offsets = np.arange(0, len(inner) + 1, values.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), inner, type=kind)
