"""Scores of a study on a Dask cluster. Dask is imported only by functions that a study with a cluster calls."""
