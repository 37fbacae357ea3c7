"""The log of a study: the only truth about what has happened."""
