"""Caches that hold what is fine-tuned, and nothing of what a benchmark measures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dse.cache import default_cache
from dse.study.load import Request


def without_scores(asked: Request, folder: Path) -> Request:
    """Return the same request with a cache in a folder: what is fine-tuned and prepared, without scores."""
    for part in ("tasks", "unpacked", "wheels", "plugins"):
        (folder / part).symlink_to((asked.cache / part).resolve())
    return replace(asked, cache=folder)


@contextmanager
def fine_tuned_only(*kept: str) -> Iterator[Path]:
    """Give a cache that holds downloads and fine-tuned models only; afterwards keep some folders of what it has got.

    Args:
        kept: names of folders.
    """
    with TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        for part in ("tasks", "unpacked", "wheels"):
            if (default_cache() / part).exists():
                (cache / part).symlink_to((default_cache() / part).resolve())
        yield cache
        for part in kept:
            shutil.copytree(cache / part, default_cache() / part, dirs_exist_ok=True)
