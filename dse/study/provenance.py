"""Provenance of a study's numbers: versions, plugins, content hashes, machine."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.plugins.registry import Registry
from dse.records.plugin import Kind
from dse.space.file import SpaceFile
from dse.threads import count_cores

ACCOUNTING = 2
"""Edition of the accounting, raised when `dse` counts or charges the same design otherwise: a study holds one edition."""
PACKAGES = ("optuna", "numpy", "scipy", "torch", "transformers", "pyarrow", "moocore")

_PACKAGED = re.compile(r"(.*) \(([\w.-]+(?<!\.py)) \S+\)")
"""Version of a record, and name and version of its package."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Versions and hashes that must stay the same for a study to be continued.

    Attributes:
        plugins: version and origin by ``kind.plugin``; `own_version` returns the part that must stay.
        digests: content hashes of base model, tokenizer, tasks and data, by name.
    """

    plugins: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def provenance_of(space: SpaceFile, registry: Registry, digests: Mapping[str, str]) -> Provenance:
    """Return the provenance of a study's plugins, with the reference hardware's; a bare file counts by its content.

    Args:
        space: space file, which names the plugins.
        registry: registry of the plugins.
        digests: content hashes by name, of one thing each.
    """
    names: set[tuple[Kind, str]] = {(kind, name) for kind, name, _ in space.plugins}
    names.add(("hardware", space.reference_hardware.plugin))
    plugins = {}
    for kind, name in sorted(names):
        version = registry.get(kind, name).version
        origin = registry.provider(kind, name).distribution
        file = Path(origin)
        if file.suffix == ".py" and file.is_file():
            origin = f"{file.name} {registry.code(kind, name).content}"
        plugins[f"{kind}.{name}"] = f"{version} ({origin})"
    return Provenance(plugins, dict(digests))


def accounting_of(session: Mapping[str, Any]) -> int:
    """Return the accounting of a session of a log; before sessions named one, there was only the first."""
    number: int = session.get("accounting", 1)
    return number


def own_version(text: str) -> str:
    """Return the part of a plugin's entry in `Provenance.plugins` that must stay the same.

    A plugin of a package counts by its record's version and the package's name, whatever release the package is. A plugin of
    a bare file counts by its record's version and the file's content.
    """
    packaged = _PACKAGED.fullmatch(text)
    return f"{packaged[1]} ({packaged[2]})" if packaged else text


def versions() -> dict[str, str]:
    """Return the versions of dse, Python and the packages that numbers depend on."""
    by_package = {"dse": _version("dse-reram"), "python": platform.python_version()}
    by_package.update((name, _version(name)) for name in PACKAGES)
    return {name: version for name, version in by_package.items() if version}


def machine() -> dict[str, Any]:
    """Describe the machine of the study."""
    system = {"system": platform.platform(), "processor": platform.machine(), "cores": count_cores()}
    return system | {"threads": os.environ.get("OMP_NUM_THREADS", "as many as cores")}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
