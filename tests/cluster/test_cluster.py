"""A study on a real cluster of this machine finds what one process finds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.errors import SetupError

psutil = pytest.importorskip("psutil")
pytest.importorskip("distributed")

BY_MACHINE = ["duration_s", "evaluated_tasks", "versions"]


@pytest.fixture(scope="module")
def home(own_tuned: Path) -> Path:
    space = (own_tuned / "tiny.toml").read_text().replace("trials = 4", "trials = 3\nparallel = 3")
    (own_tuned / "together.toml").write_text(space)
    return own_tuned


def run(home: Path, name: str, **options: Any) -> Any:
    """Run a study without a cached score; return its rows."""
    shutil.rmtree(home / "cache" / "scores", ignore_errors=True)
    done = dse.run(home / "together.toml", results=home / name, cache=home / "cache", device="cpu", **options)
    return pd.read_parquet(done.trials)


def test_a_cluster_finds_what_one_process_finds(home: Path) -> None:
    told: list[str] = []
    alone = run(home, "alone")
    together = run(home, "together", cluster="local:2", activity=lambda text, _share: told.append(text))
    pd.testing.assert_frame_equal(alone.drop(columns=BY_MACHINE), together.drop(columns=BY_MACHINE))
    assert together["evaluated_tasks"].sum() >= alone["evaluated_tasks"].sum() > 0
    assert any("scores, " in text for text in told)
    assert not any("so this machine does" in text for text in told)
    assert not list((home / "cache").glob("shared-*"))


@pytest.mark.slow
def test_a_cluster_reports_what_one_process_reports(home: Path) -> None:
    run(home, "reported")
    shutil.copytree(home / "reported", home / "again")
    shutil.rmtree(home / "cache" / "scores")
    reported = dse.validate("tiny", results=home / "again", cache=home / "cache", device="cpu", cluster="local:1")
    shutil.rmtree(home / "cache" / "scores")
    again = dse.validate("tiny", results=home / "reported", cache=home / "cache", device="cpu")
    pd.testing.assert_frame_equal(reported.rows, again.rows)


def test_a_cluster_of_this_machine_listens_on_the_loopback_alone_and_leaves_nothing() -> None:
    from dse.cluster.connect import Connection
    from dse.cluster.target import Target

    connection = Connection(Target(workers=1))
    try:
        assert connection._local is not None
        own = psutil.Process(connection._local.pid)
        processes = [own, *own.children(recursive=True)]
        listening = [one for part in processes for one in part.net_connections() if one.status == psutil.CONN_LISTEN]
        assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
        assert str(connection.client.scheduler.address).startswith("tls://")
    finally:
        connection.close()
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not [part for part in alive if part.status() != psutil.STATUS_ZOMBIE]


def test_the_workers_of_this_machine_compute_alike() -> None:
    rows = dse.cluster_check("local:1")
    assert rows["refused"].isna().all()
    assert len(rows) == 1


def test_a_cluster_out_of_reach_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    from dse.cluster import connect

    monkeypatch.setattr(connect, "CONNECT_LIMIT_S", 1)
    with pytest.raises(SetupError, match=r"(?s)the cluster cannot be reached.*tcp://127.0.0.1:9"):
        dse.cluster_check("tcp://127.0.0.1:9")
    for name in list(os.environ):
        if name.startswith("DASK_DISTRIBUTED__COMM__TLS"):
            monkeypatch.delenv(name)
    with pytest.raises(SetupError, match=r"(?s)settings do not name the certificates.*TLS__CA_FILE"):
        dse.cluster_check("tls://10.255.255.1:8786")
