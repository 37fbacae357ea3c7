"""A breakdown divides the costs of any design, and its rows sum to the row of the design."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dse
from dse.errors import StudyError
from dse.results.read import read_table, read_trials, table_file

SPACE = """
schema = 1
name = "chips"

[workload]
encoder = { layers = 3, hidden = 128, heads = 2, ffn = 256, words = 1000, positions = 64 }
traffic = { mode = "MODE", requests_per_s = 1.0, batch = 4 }
tasks = [{ name = "spam", tokens = 10 }, { name = "intent", tokens = [8, 16], rate = 3.0 }, { name = "topic", tokens = 32 }]

[search]
trials = 8
objectives = ["area", "energy"]

[generator]
plugins = ["independent", "shared-prefix"]
[compressor]
plugins = ["ptq", "low-rank"]
[scheduler]
plugins = ["fixed"]
[hardware]
plugins = ["isaac", "neurosim", "puma"]

[generator.shared-prefix.parameters]
depth = {}
[compressor.ptq.parameters]
bits = {}
[hardware.isaac.parameters]
array_size = {}
encoding = {}
task_replicas = { low = 1, high = 2 }
[hardware.puma.parameters]
tiles = { choices = [0, 2] }
"""
SUMS = ("area_mm2", "energy_uj", "latency_us", "arrays", "tiles")


@contextmanager
def refusal(*words: str) -> Iterator[None]:
    """Expect an error about a study that has these words."""
    with pytest.raises(StudyError) as caught:
        yield
    assert all(word in str(caught.value) for word in words), caught.value


def sweep(folder: Path, mode: str, designs: int) -> Path:
    """Sweep the space in a folder; return the folder of the sweep."""
    space = folder / "space.toml"
    space.write_text(SPACE.replace("MODE", mode), encoding="utf-8")
    return dse.sweep(space, designs=designs, results=folder).folder


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sweep 48 designs of independent requests."""
    return sweep(tmp_path_factory.mktemp("swept"), "independent", 48)


@pytest.mark.parametrize("mode", ["independent", "shared"])
def test_the_rows_of_a_breakdown_sum_to_the_row_of_the_design(mode: str, swept: Path, tmp_path: Path) -> None:
    folder = swept if mode == "independent" else sweep(tmp_path, mode, 24)
    trials = read_trials(folder).set_index("trial")
    chosen = trials.groupby(["compressor", "hardware"]).head(1).index
    writes = trials.index[trials["writes"] > 0][:1]
    assert len(chosen) == 6
    assert len(writes)
    for trial in (*chosen, *writes):
        parts = dse.breakdown(folder, trial)
        for name in SUMS:
            assert parts[name].sum() == pytest.approx(trials[name][trial], rel=1e-9), (trial, name)
        weights = parts[parts["part"] == "weights"]
        used = (weights["utilisation"] * weights["arrays"]).sum() / weights["arrays"].sum()
        assert used == pytest.approx(trials["utilisation"][trial])
        energies = parts[~parts["part"].isin(["tasks side by side"])][["area_mm2", "energy_uj", "arrays"]]
        assert (energies.fillna(0.0) > -1e-9).all(axis=None)


def row(frame: pd.DataFrame, **where: Any) -> pd.Series:
    """Return the only row with these values."""
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_one_matrix_takes_what_arithmetic_says(swept: Path) -> None:
    trials = read_trials(swept)
    plain = trials[
        (trials["generator"] == "independent")
        & (trials["compressor"] == "ptq")
        & (trials["hardware"] == "puma")
        & (trials["param.hardware.puma.tiles"] == 0)
    ].iloc[0]
    bits, parts = int(plain["param.compressor.ptq.bits"]), dse.breakdown(swept, int(plain["trial"]))
    dense = row(parts, owner="intent", layer=1, matrix="intermediate.dense")
    slices = -(-(bits + 1) // 2)  # a cell of puma holds two bits of a code with an offset, in arrays of 128 x 128
    assert dense["arrays"] == 2 * slices
    assert dense["utilisation"] == pytest.approx(128 / 129)  # one column of each array is for flip encoding
    assert dense["tokens"] == pytest.approx(12 * 3 / 5)  # three of five requests, of 8 or 16 tokens
    assert dense["macs"] == pytest.approx(12 * 3 / 5 * 128 * 256)
    scales = dense["bits"] - 128 * 256 * (bits + 1)
    assert 0 < scales <= 256 * 32  # a scale per output or one for the matrix


def test_owners_layers_matrices_and_components_are_sums_of_the_same_rows(swept: Path) -> None:
    parts = dse.breakdown(swept, 5)
    for by in ("owner", "layer", "matrix", "component"):
        table = dse.breakdown(swept, 5, by=by)
        assert table.columns[0] == by
        for name in ("area_mm2", "energy_uj"):
            assert table[name].sum() == pytest.approx(parts[name].sum())
    layers = dse.breakdown(swept, 5, by="layer").set_index("layer")
    assert [name for name in layers.index if name.isdigit()] == ["0", "1", "2"]
    assert layers["tokens"][["0", "1", "2"]].to_list() == pytest.approx([(10 + 12 * 3 + 32) / 5] * 3)


def test_a_layer_that_all_tasks_share_belongs_to_the_base(swept: Path) -> None:
    trials = read_trials(swept)
    depths = trials["param.generator.shared-prefix.depth"]
    shares = trials[[depth is not None and np.min(depth) >= 1 for depth in depths]]
    parts = dse.breakdown(swept, int(shares.iloc[0]["trial"]))
    first = parts[(parts["part"] == "weights") & (parts["layer"] == 0)]
    assert set(first["owner"]) == {"base"}
    assert first["tokens"].to_numpy() == pytest.approx((10 + 12 * 3 + 32) / 5)


def copy_study(swept: Path, folder: Path, space: str = "", **changed: Any) -> Path:
    """Write the sweep's table into a folder of its own, with some cells changed and something before its space file."""
    folder.mkdir()
    table = read_table(table_file(swept, "trials.parquet"))[0]
    for name, value in changed.items():
        column = pa.array([value] * len(table), table.schema.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    pq.write_table(table, folder / "trials.parquet")
    text = (swept / "space.toml").read_text(encoding="utf-8")
    (folder / "space.toml").write_text(space + text, encoding="utf-8")
    return folder


def test_a_trial_without_costs_and_a_design_that_costs_something_else_are_refused(swept: Path, tmp_path: Path) -> None:
    empty = copy_study(swept, tmp_path / "empty", area_mm2=None)
    with refusal("trial 3 has no costs", "expected: a trial that was costed"):
        dse.breakdown(empty, 3)
    other = copy_study(swept, tmp_path / "other", energy_uj=1.5)
    with refusal("costing the design again gives another energy_uj", "where: trial 3", "expected: 1.5"):
        dse.breakdown(other, 3)
    (other / "space.toml").unlink()
    with refusal("space file is missing"):
        dse.breakdown(other, 3, by="layer")


def test_plugin_files_of_a_study_run_only_if_they_are_trusted(swept: Path, tmp_path: Path) -> None:
    written = tmp_path / "ran"
    folder = copy_study(swept, tmp_path / "stranger", 'plugin_files = ["evil.py"]\n')
    (folder / "evil.py").write_text(f"open({str(written)!r}, 'w').close()\n", encoding="utf-8")
    with refusal("names plugin files", "--trust"):
        dse.breakdown(folder, 3, by="layer")
    assert not written.exists()
    assert dse.breakdown(folder, 3, by="component")["area_mm2"].sum() > 0
