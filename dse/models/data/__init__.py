"""Labelled text: read, cleaned, split and tokenised."""
