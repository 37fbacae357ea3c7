"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point ``dse``."""
    import signal
    import warnings

    from dse.cli.app import app
    from dse.cli.errors import leave_threads, prepare_streams
    from dse.errors import format_warning

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what a batch system sends ends a command as Ctrl-C does
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores that the terminal closes
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    prepare_streams()
    warnings.formatwarning = format_warning
    try:
        app(prog_name="dse", complete_var="")  # no variable of the environment asks for something else
    except SystemExit as end:
        leave_threads(end.code)
        raise
