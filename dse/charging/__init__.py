"""Charges that hardware models of tiles have in common: a model states its unit costs, and this package multiplies them with counts."""
