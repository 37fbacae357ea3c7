"""Discovery of plugins: entry points, bare files, isolation of broken packages."""

from dse.registry.registry import Provider, Registry

__all__ = ["Provider", "Registry"]
