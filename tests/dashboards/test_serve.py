"""The dashboard is served: real requests over HTTP."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from dse.commands.dashboard import dashboard
from dse.dashboards.serve import server
from dse.errors import SetupError
from tests.dashboards.test_live import EXAMPLE, go, rows

TRIES = 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go(tmp_path_factory.mktemp("results") / "fake", 5)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Of a running server."""
    with server(folder, "127.0.0.1", 0) as opened:
        thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{opened.server_port}"
        opened.shutdown()
        thread.join()


def get(address: str) -> Any:
    with urlopen(address) as answer:
        return json.load(answer)


def test_the_served_study_is_the_logs_and_follows_it(folder: Path, address: str) -> None:
    (study,) = get(f"{address}/api/studies")["study_summaries"]
    assert (study["study_name"], study["directions"]) == ("fake", ["minimize", "minimize", "maximize"])
    place = f"{address}/api/studies/{study['study_id']}"
    detail = get(place)
    assert detail["objective_names"] == ["area_mm2", "energy_uj", "score_mean"]
    assert len(detail["trials"]) == 5
    go(folder, 8)
    for _ in range(TRIES):  # optuna-dashboard keeps trials for two seconds
        if len(detail["trials"]) == 8:
            break
        time.sleep(0.1)
        detail = get(place)
    for trial, row in zip(detail["trials"], rows(folder), strict=True):
        values = [row["area_mm2"], row["energy_uj"], row.get("score_mean")]
        assert trial.get("values") == (values if row["status"] == "done" else None)
        assert trial["state"] == {"done": "Complete", "infeasible": "Pruned"}[row["status"]]
        assert any(limit > 0 for limit in trial["constraints"]) == (row["status"] == "infeasible")
        assert {item["key"]: item["value"] for item in trial["user_attrs"]}["generator"] == row["generator"]
    assert {item["name"] for item in detail["union_search_space"]} >= {"generator", "hardware.isaac.adc_bits"}


def test_the_page_itself_is_served(address: str) -> None:
    with urlopen(f"{address}/dashboard") as answer:
        assert b"<html" in answer.read().lower()


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/api/studies/0"), ("POST", "/api/studies"), ("PUT", "/api/x")]
)
def test_nothing_can_be_changed(address: str, method: str, path: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(address + path, data=b"{}", method=method))
    assert caught.value.code == 403
    assert "nothing can be changed here" in json.load(caught.value)["reason"]
    assert len(get(f"{address}/api/studies")["study_summaries"]) == 1


def test_a_log_that_breaks_leaves_what_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dse.dashboards.live import Live
    from dse.dashboards.serve import application

    folder = go(tmp_path / "x", 3)
    said: list[str] = []
    answer = application(Live(folder), said.append)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write("no JSON\n")
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/studies",
        "wsgi.errors": sys.stderr,
        "SERVER_NAME": "x",
        "SERVER_PORT": "1",
        "wsgi.url_scheme": "http",
    }
    body = b"".join(answer(environ, lambda code, *_rest: status.append(code)))
    assert status[0].startswith("200")
    assert json.loads(body)["study_summaries"][0]["study_name"] == "fake"
    assert "of the log is damaged" in said[0]
    b"".join(answer(environ, lambda code, *_rest: status.append(code)))
    assert len(said) == 1  # once is enough
    assert not capsys.readouterr().out


def test_a_port_that_is_taken_is_said(folder: Path, address: str) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(SetupError, match="the dashboard cannot listen on this address") as caught:
        dashboard(folder, port=port)
    assert f"where: 127.0.0.1:{port}" in str(caught.value)
    assert "Address already in use" in str(caught.value)
    assert "--port" in str(caught.value)


def test_without_the_extra_it_is_said_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(SetupError, match="optuna-dashboard, which is not installed") as caught:
        dashboard(folder, port=0)
    assert "do: pip install 'dse-reram[dashboard]'" in str(caught.value)
    assert "extra `dashboard`" in str(caught.value)


def test_the_command_serves_until_it_is_interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wsgiref.simple_server import WSGIServer

    def interrupted(_server: WSGIServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(WSGIServer, "serve_forever", interrupted)
    result = CliRunner().invoke(app, ["dashboard", str(folder), "--port", "0"])
    assert result.exit_code == 0
    assert result.stderr.startswith(f"serving {folder} at http://127.0.0.1:")


@pytest.mark.parametrize(
    ("study", "said"), [(EXAMPLE, "there is no log to show"), ("nowhere", "there is no study here")]
)
def test_a_study_that_cannot_be_shown_is_status_1(study: object, said: str) -> None:
    result = CliRunner().invoke(app, ["dashboard", str(study), "--port", "0"])
    assert result.exit_code == 1
    assert said in result.stderr
