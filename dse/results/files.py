"""Names of the files in a study's folder."""

TRIALS = "trials.parquet"
PARETO = "pareto.parquet"
BASELINES = "baselines.parquet"
SPACE = "space.toml"
PROVENANCE = "provenance.json"
LOG = "log.jsonl"
SWEEP = "sweep.json"
VALIDATION = "validation.parquet"
LOCK = ".lock"
OWN = frozenset(
    f"{name}.parquet" for name in ("trials", "pareto", "baselines", "validation", "profile", "proposals", "redundancy")
) | {SPACE, PROVENANCE, LOG, SWEEP, LOCK, "validation.jsonl"}
"""Files that commands write into the folder of a study, and that no output of the user replaces."""
