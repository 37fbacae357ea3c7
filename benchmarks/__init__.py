"""Measurements of speed and of the quality of results: `python -m benchmarks`. They are never part of the tests."""
