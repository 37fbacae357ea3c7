"""Figures of a study and the page that holds them. The modules that draw import plotly."""
