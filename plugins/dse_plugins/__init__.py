"""The built-in plugins. They use only the public names of `dse`, as anybody's package does."""
