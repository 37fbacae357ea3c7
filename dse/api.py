"""The commands as functions: the same names, the same options, results as Python objects instead of print.

Nothing here prints or touches logging; what takes long reports through the observers it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dse.errors import SetupError
from dse.records.plugin import KINDS
from dse.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One line of the plugin list.

    Attributes:
        kind: generator, compressor, scheduler or hardware; empty where the plugin did not load.
        name: what a space file calls it; the entry point's or file's name where it did not load.
        version: its own.
        distribution: package and version, or the file.
        status: ok, broken or disabled.
        summary: its own line.
        reason: why it is broken.
    """

    kind: str
    name: str
    version: str
    distribution: str
    status: Literal["ok", "broken", "disabled"]
    summary: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        """Values by attribute."""
        return asdict(self)


def plugins_list(*, plugins: Iterable[Path | str] = ()) -> list[PluginInfo]:
    """Every plugin found: those that work, then those that do not load, then those switched off.

    Args:
        plugins: bare plugin files to load as well.
    """
    registry = load_registry(plugins)
    found = [
        PluginInfo(kind, name, record.version, registry.provider(kind, name).distribution, "ok", record.summary)
        for kind in KINDS
        for name, record in registry.records(kind).items()
    ]
    for provider in registry.broken:
        name = provider.source.removeprefix("entry point ").removeprefix("file ").strip("'")
        found.append(PluginInfo("", name, "", provider.distribution, "broken", reason=provider.reason))
    found += [PluginInfo("", name, "", "", "disabled") for name in registry.disabled]
    return found


def load_registry(plugins: Iterable[Path | str] = ()) -> Registry:
    """Every installed plugin and those of bare files."""
    registry = Registry().discover()
    for path in plugins:
        registry.add_file(Path(path))
    return registry


def pareto(
    study: Path | str,
    *,
    results: Path | str = "results",
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """The Pareto front of a study, as a data frame.

    Args:
        study: its name, or its folder.
        results: folder that holds the studies.
        columns: which ones; by default the plugins and every metric that was measured.
        sort: column to sort by; by default the first objective, best first.
        descending: largest first.
        max_drop: keep designs that lose at most so many points of accuracy.
        limit: keep so many rows.

    Raises:
        StudyError: there is no such study.
        UnknownNameError: a column does not exist.
    """
    from dse.results.read import front_table

    folder = study_folder(study, results)
    return front_table(folder, columns=columns, sort=sort, descending=descending, max_drop=max_drop, limit=limit)


def show(study: Path | str, trial: int, *, results: Path | str = "results") -> dict[str, Any]:
    """Everything known about one trial, by column; empty cells are left out.

    Args:
        study: its name, or its folder.
        trial: its number.
        results: folder that holds the studies.

    Raises:
        StudyError: there is no such study or trial.
    """
    from dse.results import read

    return read.show(study_folder(study, results), trial)


def study_folder(study: Path | str, results: Path | str) -> Path:
    """Folder of a study given by name or by folder; a folder that exists wins."""
    path = Path(study)
    return path if path.is_dir() or path.is_file() else Path(results) / path


def check_device(device: str) -> Device:
    """Return the device if it is one, or raise an error that names them."""
    for known in DEVICES:
        if device == known:
            return known
    raise SetupError("there is no such device", where="--device", expected=" or ".join(DEVICES), found=repr(device))
