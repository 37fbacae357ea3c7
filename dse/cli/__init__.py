"""The command line. Nothing heavy is imported before a command needs it."""

_TOGETHER_S = 1.0
"""Time in which several signals are one wish, such as the pair that a batch system sends."""


def main() -> None:
    """Run the command line; the entry point ``dse``."""
    import signal
    import time
    import warnings

    from dse.cli.app import app
    from dse.cli.errors import leave_threads, prepare_streams
    from dse.errors import format_warning

    last = -_TOGETHER_S

    def interrupt(number: int, frame: object) -> None:
        """End what runs, but let a signal that follows at once not end the writing of what was measured."""
        nonlocal last
        del number, frame
        if time.monotonic() - last >= _TOGETHER_S:
            last = time.monotonic()
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a batch system ends a command as Ctrl-C does
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask
            signal.signal(number, interrupt)
    prepare_streams()
    warnings.formatwarning = format_warning
    try:
        app(prog_name="dse", complete_var="")  # no variable of the environment asks for something else
    except SystemExit as end:
        leave_threads(end.code)
        raise
