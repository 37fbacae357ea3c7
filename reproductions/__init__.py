"""Published results, and ours beside them: a folder per paper. `python -m benchmarks` measures and prints their figures."""
