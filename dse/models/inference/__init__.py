"""Inference of models: quantised activations, converted sums, early exits and scores."""
