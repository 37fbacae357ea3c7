"""XMA2, Frontiers in Electronics 2022."""
