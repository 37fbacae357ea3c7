"""What plugin authors need: what a plugin declares, whether it keeps its contract, and a package to begin from."""
