"""A page in a real browser: what it complains about, what it asks the network for, and when it can be used."""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import SETTINGS, BenchmarkError
from dse.cache import default_cache

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
READY = """
new Promise((ready, fail) => {
  const end = performance.now() + 60000;
  const seen = ({ top, bottom }) => top < innerHeight && bottom > 0;
  const missing = () =>
    [...document.querySelectorAll("div.figure")].some((box) => seen(box.getBoundingClientRect()) && !box.querySelector(".main-svg"))
    || [...document.querySelectorAll("div.scroll")].some((box) => !box.querySelector("table"));
  const look = () => {
    if (document.readyState === "complete" && !missing()) {
      requestAnimationFrame(() => requestAnimationFrame(() => ready(performance.now() / 1000)));
    } else if (performance.now() > end) fail(new Error("the page was not ready within a minute"));
    else setTimeout(look, 20);
  };
  look();
})
"""
"""Seconds from the start of loading until tables and all figures on the screen are drawn and painted."""
DRAW_ALL = """
(async () => {
  const boxes = [...document.querySelectorAll("div.figure")];
  for (const box of boxes) {
    box.scrollIntoView();
    for (let tries = 0; tries < 3000 && !box.querySelector(".main-svg"); tries++) await new Promise((go) => setTimeout(go, 20));
  }
  scrollTo(0, 0);
  return boxes.filter((box) => box.querySelector(".main-svg")).length;
})()
"""
"""Scroll through the page; how many figures are drawn then."""


def executable() -> str | None:
    """Path of a Chromium or Chrome, or None where there is none."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    own = (path for pattern in ("chrome-*/chrome", "chrome-*/*/Contents/MacOS/*") for path in _own().glob(pattern))
    return installed or next(map(str, own), None)


def _own() -> Path:
    """Folder for a Chromium that `provide` installs."""
    return default_cache() / "browser"


def provide() -> None:
    """Install a Chromium, unless there is one or this is a smoke run.

    Raises:
        BenchmarkError: there is no Chromium, and none could be installed.
    """
    if executable() is not None:
        return
    if SETTINGS.smoke:
        raise BenchmarkError("no Chromium here (Debian: apt install chromium)")
    from choreographer.cli import get_chrome_sync

    print("no Chromium here: installing one", file=sys.stderr)
    get_chrome_sync(path=_own())
    if executable() is None:
        raise BenchmarkError("no Chromium could be installed (Debian: apt install chromium)")


@dataclass
class Seen:
    """Record of a page that was opened.

    Attributes:
        usable_s: seconds from the start of loading until tables and the figures on the screen are drawn and painted.
        errors: messages of the console, and exceptions that nobody caught.
        requests: addresses that the page asked for, its own address first, without data that the page itself holds.
        answers: values of the questions, in order.
        picture: PNG of the whole page, if asked for.
    """

    usable_s: float = 0.0
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    picture: bytes = b""


def looked(page: Path, questions: Sequence[str] = (), *, picture: Path | None = None) -> Seen:
    """Open a page, wait until it is drawn, and ask it questions.

    Args:
        page: an HTML file.
        questions: JavaScript whose values are wanted, in order.
        picture: PNG file to write.
    """
    seen = asyncio.run(_looked(page.resolve().as_uri(), questions, pictured=picture is not None))
    if picture is not None:
        picture.write_bytes(seen.picture)
    return seen


async def _looked(url: str, questions: Sequence[str], *, pictured: bool) -> Seen:
    from choreographer import Browser

    seen = Seen()
    async with Browser(path=executable(), headless=True) as browser:
        tab = await browser.create_tab("about:blank")

        async def ask(command: str, **params: Any) -> Mapping[str, Any]:
            answer = await tab.send_command(command, params)
            result: Mapping[str, Any] = answer.get("result", {})
            if "error" in answer or "exceptionDetails" in result:
                raise RuntimeError(f"{command}: {answer.get('error') or result['exceptionDetails']}")
            return result

        async def value(question: str) -> Any:
            found = await ask("Runtime.evaluate", expression=question, awaitPromise=True, returnByValue=True)
            return found["result"].get("value")

        async def noted(message: Mapping[str, Any]) -> None:
            told = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked = told["request"]["url"]
                seen.requests += [] if asked.startswith("data:") else [asked]
            elif "exceptionDetails" in told or "error" in (told.get("type"), told.get("entry", {}).get("level")):
                seen.errors.append(str(told)[:2000])

        for event in (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Network.requestWillBeSent",
        ):
            tab.subscribe(event, noted)
        for domain in ("Runtime", "Log", "Network", "Page"):
            await ask(f"{domain}.enable")
        size = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        await ask("Emulation.setDeviceMetricsOverride", **size)
        loaded = tab.subscribe_once("Page.loadEventFired")
        await ask("Page.navigate", url=url)
        await loaded
        seen.usable_s = float(await value(READY))
        seen.answers = [await value(question) for question in questions]
        if pictured:
            shot = await ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            seen.picture = base64.b64decode(shot["data"])
    return seen
