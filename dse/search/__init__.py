"""Search: the space file, its translation for Optuna, the log that is the truth, and the loop around them."""
