"""The table of what designs are compared with, computed from the finished designs at the end of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.files import write_whole
from dse.records.problem import WithComparisons
from dse.results.columns import BASELINE_COLUMNS
from dse.results.files import BASELINES
from dse.results.status import Status
from dse.results.writer import Rows
from dse.space.searchspace import SearchSpace
from dse.study.provenance import ACCOUNTING
from dse.study.task_values import point_in

if TYPE_CHECKING:
    import pyarrow as pa


def write_baselines(folder: Path, problem: WithComparisons, space: SearchSpace, rows: Rows) -> None:
    """Write ``baselines.parquet``: a row for each baseline of each trial that is done. Rows of earlier runs are kept.

    Args:
        folder: folder of the study.
        problem: source of costs, prepared.
        space: space of the designs.
        rows: rows of all trials.

    Raises:
        StudyError: the disk refuses the file.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from dse.results.schema import arrow_type

    schema = pa.schema([(column.name, arrow_type(column.type)) for column in BASELINE_COLUMNS])
    trials = rows.table()
    done = trials.filter(pc.equal(trials["status"], Status.DONE.value))
    before = _read_before(folder / BASELINES, schema)
    before = before.filter(pc.is_in(before["trial"], done["trial"].combine_chunks()))
    new = done.filter(pc.invert(pc.is_in(done["trial"], before["trial"].combine_chunks())))
    tables = [before]
    for batch in new.to_batches():
        designs: list[dict[str, Any]] = batch.to_pylist()
        points = [point_in(space, row) for row in designs]
        beside = problem.compare(points, [row["throughput_rps"] for row in designs])
        cells = [
            {"trial": row["trial"], "baseline": name, "accounting": ACCOUNTING, **costs}
            for row, baselines in zip(designs, beside, strict=True)
            for name, costs in baselines.items()
        ]
        tables.append(pa.Table.from_pylist(cells, schema=schema))
    write_whole(folder / BASELINES, partial(pq.write_table, pa.concat_tables(tables)))


def _read_before(file: Path, schema: pa.Schema) -> pa.Table:
    """Return the table of earlier runs, or one without rows where there is none that can be continued."""
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file).read(use_threads=False)
    except (OSError, ValueError):  # it is computed again
        return schema.empty_table()
    return table if table.schema.equals(schema) else schema.empty_table()
