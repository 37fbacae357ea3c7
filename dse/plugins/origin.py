"""Code, options and files from which the results of one plugin of a study follow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.files import digest
from dse.opened import hashes_of, heard, without_folders
from dse.plugins.registry import Registry
from dse.records.plugin import Kind


class Origin:
    """A built plugin, and everything that its results follow from.

    Args:
        registry: registry that knows the plugin.
        kind: kind of the plugin.
        name: name of the plugin.
        options: its options in the space file.
        where: place of the options, for messages.

    Attributes:
        plugin: the built plugin.
        api: number of the contract that the plugin was written for.
        files: files that the plugin has read so far, and that its options name.
    """

    def __init__(self, registry: Registry, kind: Kind, name: str, options: Mapping[str, Any], *, where: str) -> None:
        self._registry, self._kind, self._name, self._options = registry, kind, name, options
        self.api = registry.get(kind, name, where=where).api
        self.files: set[Path] = set()
        with heard(self.files):
            self.plugin = registry.build(kind, name, options, where=where)

    @property
    def identity(self) -> str:
        """Version, code, options and files of the plugin, for keys."""
        content = digest([without_folders(self._options), hashes_of(self.files)])
        return f"{self._registry.fingerprint(self._kind, self._name, self.plugin)} {content}"


def identities_of(origins: Mapping[str, Origin]) -> dict[str, str]:
    """Return the identity of each plugin by ``kind.name``."""
    return {name: origin.identity for name, origin in origins.items()}


def digests_of(origins: Mapping[str, Origin]) -> dict[str, str]:
    """Return the content hashes of the plugins' files, by a name for people."""
    hashes = {name: hashes_of(origin.files) for name, origin in origins.items()}
    return {f"file.{name}.{file}": content for name, files in hashes.items() for file, content in files.items()}
