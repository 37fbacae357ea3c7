"""Samplers compared on recorded scores of real tasks."""
