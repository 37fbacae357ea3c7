"""Evaluation of a problem in a separate process, so that no plugin can crash or block a study."""
