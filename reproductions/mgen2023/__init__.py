"""MGen, IEEE TC 2023."""
