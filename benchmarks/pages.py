"""What pages written from records have in common, and a cache with nothing in it but what is fine-tuned."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def interval(row: dict[str, Any], prefix: str = "") -> str:
    """Points lost, with their interval."""
    drop, low, high = (row[f"{prefix}accuracy_drop{end}"] for end in ("", "_low", "_high"))
    return f"{drop:.2f} [{low:.2f}, {high:.2f}]"


@contextmanager
def fine_tuned_only(*kept: str) -> Iterator[Path]:
    """Give a cache that holds downloads and fine-tuned models only; afterwards keep some folders of what it has got.

    Args:
        kept: folders.
    """
    from dse.cache import default_cache

    with TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        for part in ("tasks", "unpacked", "wheels"):
            if (default_cache() / part).exists():
                (cache / part).symlink_to((default_cache() / part).resolve())
        yield cache
        for part in kept:
            shutil.copytree(cache / part, default_cache() / part, dirs_exist_ok=True)
