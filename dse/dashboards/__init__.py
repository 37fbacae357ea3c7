"""A study in optuna-dashboard, built from its log and updated while the study runs."""
