"""Models at work: quantised activations, converted sums, early exits, scores."""
