"""A study's results: columns and their types, parquet files, Pareto fronts, and how to read them back."""
