"""The expensive half: from designs to scores, computed with the very terms that are charged."""
