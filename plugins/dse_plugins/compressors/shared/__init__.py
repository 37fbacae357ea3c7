"""Helpers that several built-in compressors share."""
