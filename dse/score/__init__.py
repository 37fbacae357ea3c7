"""The expensive half: it scores designs, with the same terms whose cost is charged."""
