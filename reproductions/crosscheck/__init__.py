"""Our hardware models beside models of other groups."""
