"""Where a study's numbers come from: versions, plugins, content hashes, machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.files import hash_parts
from dse.records.plugin import Kind
from dse.space.file import SpaceFile

if TYPE_CHECKING:
    from dse.plugins.registry import Registry

PACKAGES = ("optuna", "numpy", "scipy", "torch", "transformers", "pyarrow", "moocore")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What must stay the same for a study to be continued.

    Attributes:
        plugins: version by ``kind.plugin``.
        digests: content hashes of base model, tasks and data, by name.
    """

    plugins: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def provenance_of(space: SpaceFile, registry: Registry, digests: Mapping[str, str]) -> Provenance:
    """Provenance of a study's plugins, the reference hardware's included; a bare file counts by its content.

    Args:
        space: names the plugins.
        registry: knows them.
        digests: content hashes, as in ``Workload.digests``.
    """
    names: set[tuple[Kind, str]] = {(kind, name) for kind, name, _ in space.plugins}
    names.add(("hardware", space.reference_hardware.plugin))
    plugins = {}
    for kind, name in sorted(names):
        version = registry.get(kind, name).version
        origin = registry.provider(kind, name).distribution
        file = Path(origin)
        if file.suffix == ".py" and file.is_file():
            origin = f"{file.name} {hash_parts([file.read_bytes()], size=8).hex()}"
        plugins[f"{kind}.{name}"] = f"{version} ({origin})"
    return Provenance(plugins, dict(digests))


def versions() -> dict[str, str]:
    """Versions of dse, Python and the packages that numbers depend on."""
    found = {"dse": _version("dse-reram"), "python": platform.python_version()}
    found.update((name, _version(name)) for name in PACKAGES)
    return {name: version for name, version in found.items() if version}


def machine() -> dict[str, Any]:
    """What the study runs on."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count() or 1}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
