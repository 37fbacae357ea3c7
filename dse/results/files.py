"""Names of the files in a study's folder."""

from __future__ import annotations

TRIALS = "trials.parquet"
PARETO = "pareto.parquet"
SPACE = "space.toml"
PROVENANCE = "provenance.json"
LOG = "log.jsonl"
LOCK = ".lock"
