"""The study file: read, check, resolve and write it."""
