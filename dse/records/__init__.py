"""Typed, frozen records that flow between the stages of the pipeline. They import nothing heavy."""
