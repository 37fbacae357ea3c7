"""Kang et al., ICCAD 2021."""
