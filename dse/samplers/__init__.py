"""Samplers: which design a study evaluates next."""
