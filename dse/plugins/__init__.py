"""The plugin contract, the registry, and the tools of plugin authors."""
