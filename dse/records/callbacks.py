"""Callbacks that the library calls while it works; the library itself never prints."""

from collections.abc import Callable
from typing import TypeAlias

ProgressCallback: TypeAlias = Callable[[str, float | None], None]
"""Receives the running activity (a download, a fine-tuning) and, where it is known, the finished share, 0 to 1."""
MessageCallback: TypeAlias = Callable[[str], object]
"""Receives one text; nothing uses the returned value."""


def ignore_progress(activity: str, share: float | None) -> None:
    """Do nothing: the default `ProgressCallback`."""


def ignore_message(message: str) -> None:
    """Do nothing: the default `MessageCallback`."""
