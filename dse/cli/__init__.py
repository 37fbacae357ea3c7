"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point ``dse``."""
    from dse.cli.app import app

    app(prog_name="dse")
