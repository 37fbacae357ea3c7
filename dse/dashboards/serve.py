"""Serve a study with optuna-dashboard, read-only."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dse.dashboards.live import Live
from dse.errors import DseError, SetupError, missing_package
from dse.records.callbacks import MessageCallback

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Print no line per request, so that errors stay visible in the terminal."""


def application(live: Live, say: MessageCallback) -> Application:
    """Wrap optuna-dashboard so that every request sees the current log, and no request changes anything.

    Args:
        live: study to show.
        say: callback for the error of a log that cannot be read; the dashboard then shows the trials read before.

    Raises:
        SetupError: optuna-dashboard is not installed.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise missing_package("the dashboard", "optuna-dashboard", "dashboard") from error
    inner: Application = wsgi(live.storage)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("403 Forbidden", [("Content-Type", "application/json")])
            return [b'{"reason": "The dashboard shows the log of the study: nothing can be changed here."}']
        try:
            live.refresh()
        except DseError as error:
            say(f"error: {error}")
        return inner(environ, start)

    return answer


def server(folder: Path, host: str, port: int) -> WSGIServer:
    """Open a server of a study's dashboard; its method `serve_forever` serves the requests.

    Args:
        folder: folder of the study.
        host: name or address to listen on.
        port: port to listen on; 0 takes a free port.

    Raises:
        SetupError: optuna-dashboard is not installed, or the server cannot listen on this address.
        StudyError: there is no study with a log, or its log is damaged.
    """
    app = application(Live(folder), lambda text: sys.stderr.write(text + "\n"))
    try:
        return make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
    except (OSError, OverflowError) as error:
        raise SetupError(
            "the dashboard cannot listen on this address",
            where=f"{host}:{port}",
            found=getattr(error, "strerror", None) or error,
            fix="name another port with --port (0 takes a free one), or another address of this machine with --host",
        ) from error
