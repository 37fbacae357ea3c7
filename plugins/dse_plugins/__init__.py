"""The built-in plugins. They use `dse`'s public names only, as a stranger's package does."""
