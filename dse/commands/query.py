"""`dse query`: SQL over studies."""

import warnings
from pathlib import Path

import pandas as pd

from dse.errors import QueryError
from dse.records.callbacks import MessageCallback
from dse.results.query import ask
from dse.results.read import nullable
from dse.results.studies import Studies, find


def query(
    sql: str,
    studies: Studies = (),
    *,
    results: Path | str = "results",
    time_limit_s: float = 60.0,
    say: MessageCallback = warnings.warn,
) -> pd.DataFrame:
    """Answer a query in SQL over one or many studies.

    Args:
        sql: DuckDB's SQL over the views ``trials``, ``pareto``, ``studies``, ``validation`` and ``baselines``; `docs/results.md` describes
            them. Names with dots are quoted. If there are several statements, the last one answers.
        studies: names of studies, their folders, folders that hold studies, or parquet files; by default all of
            ``results``.
        results: folder that holds the studies.
        time_limit_s: time after which the query is ended, s.
        say: callback for a line that says that the studies are of several editions of the accounting.

    Returns:
        The rows and columns of the answer; whole numbers are nullable.

    Raises:
        QueryError: DuckDB refuses the SQL, the SQL reaches for files or settings, the time is over, or a data frame cannot
            hold the answer.
        SetupError: DuckDB is not installed.
        StudyError: there is no study, or a table is damaged.
    """
    table = ask(find(studies, results), sql, limit_s=time_limit_s, say=say)
    try:
        frame: pd.DataFrame = table.to_pandas(types_mapper=nullable, use_threads=False, maps_as_pydicts="strict")
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:  # errors of Arrow derive from these
        reason, fix = str(error).splitlines()[0], "cast the column, for example with ::VARCHAR"
        raise QueryError("a table cannot hold the answer", where="the query", found=reason, fix=fix) from error
    return frame
