"""What the site needs beyond mkdocs: run by `make docs`."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.exceptions import PluginError

FENCE = re.compile(r"^```(\w+) .*$", re.MULTILINE)
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\bsrc=["']?(?:https?:)?//[^>]*>|<link[^>]*\bhref=["']?(?:https?:)?//[^>]*>"""
)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leave of a fence's first line only the language: the rest is for the tests that run the block."""
    return FENCE.sub(r"```\1", markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would load something from elsewhere.

    Raises:
        PluginError: it would.
    """
    found = [tag for tag in FETCHED.findall(output) if 'rel="canonical"' not in tag]
    if found:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {', '.join(found)}")
    return output
