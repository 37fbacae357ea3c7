"""A study's results: columns and their types, parquet files, Pareto fronts, and the functions that read them back."""
