"""Make SVG figures reproducible, with colours that follow the light or dark theme of the reader's page."""

import re
from collections.abc import Mapping

import plotly.graph_objects as go

WIDTH = 760
"""Width of an image, in CSS pixels: a page of text shows the image without making its words smaller."""

_INK, _LINES, _NONE = "rgb(1, 2, 3)", "rgb(3, 2, 1)", "rgba(0, 0, 0, 0)"
"""Stand-ins for the colours of words and of grid lines: plotly cannot use colours of a style sheet."""
_COLOURS = {
    _INK: ("ink", "#24292f", "#d5d9e0"),
    _LINES: ("lines", "#e1e5ec", "#3a3f4b"),
    "rgb(17, 17, 17)": ("ink", "#24292f", "#d5d9e0"),
    "rgb(31, 95, 168)": ("blue", "#1f5fa8", "#6aa9ee"),
    "rgb(194, 194, 194)": ("grey", "#c2c2c2", "#626977"),
    "rgb(196, 80, 27)": ("orange", "#c4501b", "#ee8a56"),
}
"""Colours of a figure, each with its name, its light colour and its dark colour."""


def prepare(figure: go.Figure) -> None:
    """Give words, lines and the background of a figure colours that `follow_theme` finds."""
    figure.update_layout(font_color=_INK, paper_bgcolor=_NONE, plot_bgcolor=_NONE)
    figure.update_xaxes(gridcolor=_LINES, zerolinecolor=_LINES, automargin=True)
    figure.update_yaxes(gridcolor=_LINES, zerolinecolor=_LINES, automargin=True)


def follow_theme(svg: str) -> str:
    """Replace the stand-ins by colours of the theme, and plotly's random identifiers by fixed ones.

    Args:
        svg: image that plotly drew of a figure after `prepare`.
    """
    if drawn := re.search(r'id="defs-(\w+)"', svg):
        svg = re.sub(rf"(?<=[a-z-]){drawn[1]}", "figure", svg)
    svg = re.sub(r"(?<= )trace[0-9a-f]{6}(?=[ \"])", "", svg)
    for colour, (name, _, _) in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    light, dark = ({name: themes[place] for name, *themes in _COLOURS.values()} for place in (0, 1))
    return svg.replace(">", f"><style>{_rule(light)}@media(prefers-color-scheme:dark){{{_rule(dark)}}}</style>", 1)


def _rule(colours: Mapping[str, str]) -> str:
    return f".main-svg{{{';'.join(f'--{name}:{colour}' for name, colour in colours.items())}}}"
