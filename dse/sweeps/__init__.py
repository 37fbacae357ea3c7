"""Every design of a space, or many of them, costed in order and written in parts."""
