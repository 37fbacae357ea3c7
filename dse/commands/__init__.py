"""The commands as functions: one file per command, the same names and options, results as Python objects."""
