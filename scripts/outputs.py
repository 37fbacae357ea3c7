"""Put the output of each command, or its picture, into the pages of the documentation.

`python scripts/outputs.py` updates every output and inserts those that are missing; `--draw` also draws the pictures again,
which needs Chromium; `--record` also runs the commands that need models again, and keeps what they print in `docs/recorded`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RECORDED, PICTURES = DOCS / "recorded", DOCS / "pictures"
TUTORIALS = tuple(DOCS / name for name in ("quickstart.md", "results.md", "export.md", "redundancy.md"))
"""Pages that show what each of their commands prints; other pages show some."""
DIGESTS = PICTURES / "digests.json"
"""Digest of the data that each picture was drawn from."""
DRAWN = {"front.svg": "tradeoff", "energy.svg": "energy", "importance.svg": "importance", "report.png": None}
"""Pictures, each with its figure; None is the whole report."""
NEED_MODELS = ("check", "deltas", "profile", "run", "validate", "redundancy", "export")
"""Commands that fetch or train models, in the order in which one needs what another has made."""
LONGEST, KEPT = 20, 14
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)

Print = Callable[[str], str]
"""Takes a command and returns what it prints on stdout."""


def shorten(text: str) -> str:
    """Cut a long output, and say how much is missing."""
    lines = text.splitlines()
    if len(lines) > LONGEST:
        lines = [*lines[:KEPT], f"... and {len(lines) - KEPT} more lines"]
    return "".join(f"{line}\n" for line in lines)


def recording(command: str) -> Path:
    """File that keeps what a command printed."""
    return RECORDED / (re.sub(r"\W+", "-", command).strip("-") + ".txt")


def update(page: str, output: Print, *, insert: bool) -> str:
    """Return a page with the current output in each of its fences.

    Args:
        page: text of the page.
        output: function that runs a command and returns its output.
        insert: also put in outputs and pictures that are missing.
    """
    shown = {info.strip().removeprefix("recorded ") for name, info, _ in FENCE.findall(page) if name == "text"}

    def replace(fence: re.Match[str]) -> str:
        name, info, body = fence[1], fence[2].strip(), fence[3]
        if name == "text":
            return show(info.removeprefix("recorded "), output) or fence[0]
        if name != "console" or not insert:
            return fence[0]
        commands = [command for command in body.splitlines() if command]
        parts, pending = [], []
        for command in commands:
            pending.append(command)
            result = "" if command in shown or picture(command) in page else show(command, output)
            if result:
                parts += ["```console\n" + "".join(f"{line}\n" for line in pending) + "```\n", result]
                pending = []
        if pending:
            parts.append("```console\n" + "".join(f"{line}\n" for line in pending) + "```\n")
        return "\n".join(parts)

    return FENCE.sub(replace, page)


def picture(command: str) -> str:
    """Markdown of the picture of what a command draws, or a text that no page holds."""
    words = shlex.split(command)
    name = Path(words[words.index("--out") + 1]).stem if "--out" in words else ""
    found = [file for file in DRAWN if Path(file).stem == name]
    return f"![What `{command.split(' --out', maxsplit=1)[0]}` draws](pictures/{found[0]})\n" if found else "\0"


def show(command: str, output: Print) -> str:
    """Fence with a command's output, its picture, or nothing where it prints nothing or was never recorded."""
    if (image := picture(command)) != "\0":
        return image
    if command.split()[1] in NEED_MODELS:
        file = recording(command)
        text = shorten(file.read_text(encoding="utf-8")) if file.is_file() else ""
        return f"```text recorded {command}\n{text}```\n" if text else ""
    text = shorten(output(command))
    return f"```text {command}\n{text}```\n" if text else ""


def run(command: str) -> str:
    """Run a command in this process and return what it prints on stdout.

    Raises:
        RuntimeError: the command failed.
    """
    from typer.testing import CliRunner

    from dse.cli.app import app

    result = CliRunner().invoke(app, shlex.split(command)[1:])
    if result.exit_code:
        raise RuntimeError(f"{command}: {result.output}")
    return result.stdout


@contextmanager
def workplace() -> Iterator[None]:
    """Work in a folder that has the example study and the space files, and forget it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("results/example", "spaces"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        with chdir(folder):
            yield


def digests() -> dict[str, str]:
    """Digest of the data of each picture, of numbers to four digits."""
    import dse

    page = dse.report("results/example", "report.html").read_text(encoding="utf-8")
    data = {}
    for section in page.split('<section id="')[1:]:
        found = re.search(r'<script type="application/json" class="figure">(.*?)</script>', section)
        if found:
            values = json.loads(found[1], parse_float=lambda number: f"{float(number):.4g}")["data"]
            data[section.split('"', 1)[0]] = values
    chosen = {name: data[figure] if figure else data for name, figure in DRAWN.items()}
    return {
        name: hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest() for name, values in chosen.items()
    }


def draw() -> None:
    """Draw every picture from the example study."""
    import dse

    PICTURES.mkdir(exist_ok=True)
    for name, figure in DRAWN.items():
        if figure:
            dse.plot("results/example", PICTURES / name, figure=figure)
        else:
            photograph(dse.report("results/example", "report.html").resolve(), PICTURES / name)
    DIGESTS.write_text(json.dumps(digests(), indent=2) + "\n", encoding="utf-8")


def photograph(page: Path, image: Path) -> None:
    """Take a picture of the first screen of a page."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))))
    size = ("--window-size=1100,900", "--virtual-time-budget=20000", f"--screenshot={image}")
    plain = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    subprocess.run([browser, *plain, *size, page.as_uri()], check=True, capture_output=True)


def record() -> None:
    """Run the commands of the tutorials that need models and keep what they print."""
    fences = [fence for page in TUTORIALS for fence in FENCE.findall(page.read_text(encoding="utf-8"))]
    listed = [command for name, _, body in fences if name == "console" for command in body.splitlines()]
    models = dict.fromkeys(command for command in listed if command.split()[1] in NEED_MODELS)
    RECORDED.mkdir(exist_ok=True)
    for command in sorted(models, key=lambda command: NEED_MODELS.index(command.split()[1])):
        recording(command).write_text(run(command), encoding="utf-8")


def main() -> int:
    """Update the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", action="store_true", help="draw the pictures again")
    parser.add_argument("--record", action="store_true", help="run the commands that need models again")
    options: Any = parser.parse_args()
    with workplace():
        if options.record:
            record()
        if options.draw:
            draw()
        for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
            old = page.read_text(encoding="utf-8")
            new = update(old, run, insert=page in TUTORIALS)
            if new != old:
                page.write_text(new, encoding="utf-8")
                sys.stdout.write(f"updated: {page.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
