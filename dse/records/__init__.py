"""Typed, frozen records: what flows between the stages of the pipeline. No heavy imports."""
