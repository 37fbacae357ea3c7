"""Deltas as other papers compress them, each charged with its cost on crossbars instead of on disk."""
