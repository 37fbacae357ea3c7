"""Runs what README.md and docs/quickstart.md show, except commands that load models, in the environment of `make run`.

Run by `make readme` with that environment's Python, before anything else is installed into it: a package that a page needs
and set-up does not install is missing here.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/quickstart.md")
BIN = Path(sys.executable).parent


def read_blocks(page: str) -> list[tuple[str, str, str]]:
    """Return language, info string and text of every fenced block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def load_models() -> set[str]:
    """Return the names of the commands that load models: those with the option `--device`."""
    from dse.cli.app import app

    functions = [item.callback for item in app.registered_commands if item.callback]
    return {function.__name__ for function in functions if "device" in inspect.signature(function).parameters}


def read_steps(folder: Path) -> Iterator[list[str]]:
    """Write the files that the pages show into a folder; yield the command lines that they show."""
    skipped = load_models()
    for page in PAGES:
        for language, info, text in read_blocks(page):
            if language == "python" and info.strip().startswith("file="):
                (folder / info.strip().removeprefix("file=")).write_text(text, encoding="utf-8")
            elif language == "python":
                yield [str(BIN / "python"), "-c", text]
            elif language == "console":
                lines = [shlex.split(line) for line in text.splitlines()]
                yield from ([str(BIN / line[0]), *line[1:]] for line in lines if line[1] not in skipped)


def main() -> int:
    """Run every step; return an exit status."""
    groups = json.loads((BIN.parent / "dse-setup.json").read_text(encoding="utf-8"))["groups"]
    if groups:
        sys.stderr.write(
            f"note: groups {', '.join(groups)} are installed too, and may hide a package that is missing\n"
        )
    with tempfile.TemporaryDirectory(prefix="dse-readme-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "results" / "example", folder / "results" / "example")
        steps, failed = list(read_steps(folder)), 0
        for step in steps:
            done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode or not (done.stdout or "--out" in step):
                failed += 1
                sys.stderr.write(f"failed: {shlex.join([Path(step[0]).name, *step[1:]])}\n{done.stderr}\n")
    sys.stderr.write(f"{len(steps) - failed} of {len(steps)} steps of {' and '.join(PAGES)} work\n")
    return int(failed > 0 or not steps)


if __name__ == "__main__":
    sys.exit(main())
