"""Exported designs: a folder that holds a design's weights as they are charged, and all that is needed to run them."""
