"""Exported designs: one folder that holds a design's weights as they are charged, and what it takes to run them."""
