"""Tiny study that a smoke run measures instead of the quickstart, with a cache of its own and without the network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import SETTINGS

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@contextmanager
def isolate() -> Iterator[None]:
    """Set an empty cache and forbid downloads until the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        changed = {**OFFLINE, "DSE_CACHE": str(Path(folder) / "cache")}
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def space_file(whole: Path) -> Path:
    """Return the space file to measure: the given one, or the tiny one of a smoke run."""
    if not SETTINGS.smoke:
        return whole
    space = Path(os.environ["DSE_CACHE"]).parent / "tiny" / "tiny.toml"
    if not space.exists():
        from tests.support.tiny import write_space

        shutil.rmtree(space.parent, ignore_errors=True)  # an earlier benchmark may have failed here
        space.parent.mkdir()
        write_space(space.parent)
    return space
