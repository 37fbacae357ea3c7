"""Measurements of tasks and models that guide a search: profiles, redundancy, importance, deltas."""
