"""`dse query`: SQL over studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dse.results.studies import Studies


def query(sql: str, studies: Studies = (), *, results: Path | str = "results") -> pd.DataFrame:
    """Answer a query in SQL over one or many studies.

    Args:
        sql: DuckDB's SQL over the views ``trials``, ``pareto`` and ``studies``; `docs/results.md` describes them. Names
            with dots are quoted. If there are several statements, the last one answers.
        studies: names of studies, their folders, folders that hold studies, or parquet files; by default all of
            ``results``.
        results: folder that holds the studies.

    Returns:
        The rows and columns of the answer; whole numbers are nullable.

    Raises:
        QueryError: DuckDB refuses the SQL.
        SetupError: DuckDB is not installed.
        StudyError: there is no study, or a table is damaged.
    """
    from dse.results.query import ask
    from dse.results.read import nullable
    from dse.results.studies import find

    table = ask(find(studies, results), sql)
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable, use_threads=False, maps_as_pydicts="strict")
    return frame
