"""Models and data sets of the Hugging Face hub: fetched into its cache, in a folder that is named after the commit."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers.utils import logging as reports

from dse.errors import SourceError
from dse.files import is_folder

TABLES = ("*.json", "*.txt", "*.model", "*.codes", "*model*.safetensors")
REASONS = {
    "HFValidationError": "the name is neither OWNER/NAME nor a folder",
    "RepositoryNotFoundError": "the hub has nothing of this name, or it is private",
    "RevisionNotFoundError": "there is no such revision",
    "LocalEntryNotFoundError": "it is not in the hub's cache, and the hub is off or cannot be reached",
}
"""What an error of the hub means, by its class."""
PICKLES = ("pytorch_model*.bin", "pytorch_model.bin.index.json", "adapter_model.bin")


def find_folder(name: str, revision: str = "") -> str:
    """Return a local folder, or the local folder of a model of the hub.

    Args:
        name: folder or hub name.
        revision: branch, tag or commit on the hub; empty for the main branch.

    Raises:
        SourceError: the model cannot be fetched, or a local folder has a revision.
    """
    if is_folder(name):
        if revision:
            raise SourceError("a local folder has no revision; leave it out", where=name, found=revision)
        return name
    folder = fetch(name, TABLES, revision)
    if not any(folder.glob("*.safetensors")):
        folder = fetch(name, PICKLES, folder.name)
    return str(folder)


def fetch(name: str, files: tuple[str, ...], revision: str = "", *, kind: str = "model") -> Path:
    """Return the local folder of a commit of a model or data set, with the files of some patterns fetched.

    Raises:
        SourceError: the name or the revision does not exist, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download

    options: Any = {"allow_patterns": list(files), "ignore_patterns": "*/*" if kind == "model" else None}
    try:
        with quiet():
            return Path(snapshot_download(name, repo_type=kind, revision=revision or None, **options))
    except (OSError, ValueError) as error:  # the hub's own errors derive from these
        where = f"{name}{revision and f', revision {revision}'}"
        reason = REASONS.get(type(error).__name__) or str(error).strip().splitlines()[0]
        fix = "check name, revision and network, or name a local folder or file instead"
        raise SourceError(f"a {kind} on the hub could not be fetched", where=where, found=reason, fix=fix) from error


def commit_of(folder: str) -> str:
    """Return the commit of a folder in the cache of the hub; empty for another folder."""
    path = Path(folder)
    return path.name if path.parent.name == "snapshots" else ""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence loading reports and progress bars: this module checks the model and raises errors of its own."""
    disabled, bars = logging.root.manager.disable, reports.is_progress_bar_enabled()
    logging.disable(logging.CRITICAL)
    reports.disable_progress_bar()
    try:
        yield
    finally:
        logging.disable(disabled)
        if bars:
            reports.enable_progress_bar()
