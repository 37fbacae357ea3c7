"""`dse dashboard`: a study in optuna-dashboard."""

from pathlib import Path

from dse.records.callbacks import MessageCallback, ignore_message
from dse.results.studies import study_folder


def dashboard(
    study: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    results: Path | str = "results",
    serving: MessageCallback = ignore_message,
) -> None:
    """Serve a study with optuna-dashboard until interrupted; the page follows the log while the study runs.

    Args:
        study: name of a study, or its folder.
        host: name or address to listen on; the default can be reached from this machine only.
        port: port to listen on; 0 takes a free port.
        results: folder that holds the studies.
        serving: callback for the address, once the server listens.

    Raises:
        SetupError: optuna-dashboard is not installed, or the server cannot listen on this address.
        StudyError: there is no such study, or its log is missing or damaged.
    """
    from dse.dashboards.serve import server

    with server(study_folder(study, results), host, port) as opened:
        serving(f"http://{host}:{opened.server_port}/")
        opened.serve_forever()
