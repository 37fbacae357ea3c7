"""Figures of a study and the page that holds them. Plotly is loaded when the first figure is drawn."""
