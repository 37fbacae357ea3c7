"""The log of a study: the only record of what happened, from which everything else is derived."""
