"""A study: its loop, its stages, its log and its tables."""
