"""The expensive half: it scores designs, with the same terms that are charged."""
