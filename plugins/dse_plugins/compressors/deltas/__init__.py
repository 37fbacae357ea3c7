"""Differences as other papers compress them, each charged what it takes on crossbars instead of on disk."""
