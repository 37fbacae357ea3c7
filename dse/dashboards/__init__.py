"""A study in optuna-dashboard, built from its log and kept up to date while it goes on."""
