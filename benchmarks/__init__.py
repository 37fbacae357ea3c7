"""Measurements: speed as ratios in one run, published numbers reproduced, quality of results. Never part of the tests."""
