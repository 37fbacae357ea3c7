"""Tables of schema version 2, with the second edition of the accounting, as a study of two tiny tasks wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import dse
from dse.errors import StudyError
from dse.results.read import read_provenance, read_table, read_trials

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "schema_2"


def test_dse_reads_all_of_it() -> None:
    metadata = read_table(FOLDER / "trials.parquet")[1]
    assert (metadata["schema_version"], metadata["study"]) == (2, "tiny")
    assert len(read_trials(FOLDER)) == 12
    assert set(read_trials(FOLDER)["accounting"]) == {2}
    assert float(dse.hypervolume(FOLDER)["hypervolume"][0]) > 0
    assert "4 magnitude bits" in read_provenance(FOLDER)["sessions"][0]["digests"]["baseline.best"]


def test_ratios_have_three_yardsticks() -> None:
    """The hardware is fixed and the reference's, and four bits and a sign take half of the arrays of eight bits."""
    trials = read_trials(FOLDER)
    for name in ("area", "array_area", "energy", "latency"):
        np.testing.assert_allclose(trials[f"{name}_ratio"], trials[f"{name}_ratio_reference"])
    np.testing.assert_allclose(trials["array_area_ratio_best"], 2 * trials["array_area_ratio"])


def test_older_names_are_all_there() -> None:
    """Columns are added, and never renamed."""
    before, now = (
        {field.name for field in pq.read_schema(FOLDER.parent / folder / "trials.parquet")}
        for folder in ("schema_1", "schema_2")
    )
    open_ended = ("score.", "param.", "area.", "energy.")
    assert {name for name in before - now if not name.startswith(open_ended)} == set()


def test_editions_are_not_joined() -> None:
    with pytest.raises(StudyError, match="cannot be compared"):
        dse.pareto(FOLDER, FOLDER.parent / "schema_1", anyway=True)
