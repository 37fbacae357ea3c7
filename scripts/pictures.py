"""Draws the pictures of docs/architecture.md into `docs/pictures/`: the flow from space file to row, and the folders.

The pictures have their own background and follow the reader's light or dark colours. The script needs only the standard
library; a test compares the files with its output.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH = 960
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-size: 12px; fill: #3d4654 }
.head { font-size: 14px; font-weight: 600; fill: #1b222c }
.name { font-size: 12.5px; font-weight: 600; fill: #1b222c }
.mono { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-weight: 600; fill: #1b222c }
.small { font-size: 10.8px; fill: #667080 }
.ground { fill: #fbfcfd; stroke: #d5dae1 }
.panel { fill: #f0f3f7; stroke: #dde2e9 }
.box { fill: #ffffff; stroke: #c3cad4 }
.line { fill: none; stroke: #7b8594; stroke-width: 1.6 }
.tip { fill: #7b8594 }
.core { fill: #8a94a3 } .generator { fill: #2f6fde } .compressor { fill: #16915f } .hardware { fill: #d9760b } .scheduler { fill: #9149c9 }
@media (prefers-color-scheme: dark) {
text { fill: #b7c0cd } .head, .name, .mono { fill: #eef2f7 } .small { fill: #939eae }
.ground { fill: #171b21; stroke: #333b46 } .panel { fill: #1f252d; stroke: #323a45 } .box { fill: #2a313b; stroke: #475160 }
.line { stroke: #8f9aaa } .tip { fill: #8f9aaa }
.generator { fill: #6ea2ff } .compressor { fill: #43c78f } .hardware { fill: #f3a246 } .scheduler { fill: #c08af0 }
}
"""

COST = (
    ("plan", "generator", ("whose weights", "each task uses", "in each layer")),
    ("demand", "core", ("live rows and", "columns of", "each owner")),
    ("geometry", "hardware", ("arrays, cells,", "converters")),
    ("footprint", "compressor", ("pieces that", "each owner", "stores")),
    ("counts", "core", ("arrays, and", "events of", "each pass")),
    ("charges", "hardware", ("area, energy", "and time of", "each event")),
    ("schedule", "scheduler", ("order of tasks", "and batches")),
    ("sum", "core", ("area, energy,", "latency of", "the chip")),
)
SCORE = (
    ("weights", "generator", ("each owner's", "float32 matrices")),
    ("terms", "compressor", ("integer codes", "and scales")),
    ("check", "core", ("charges equal stored", "codes, or it fails")),
    ("matrices", "core", ("rebuilt from codes;", "cells, ADCs if asked")),
    ("task", "core", ("every task runs on", "its rows of text")),
    ("metrics", "core", ("scores, and points", "lost to the baseline")),
)
LEGEND = ("generator", "compressor", "hardware", "scheduler", "core")

FOLDERS = (
    (
        "What a person calls",
        (
            ("cli/", "options and output: one thin file for each group of commands"),
            ("commands/", "the commands as functions that return data: one file for each, of the same name"),
            ("dashboards/", "a study's log in the browser, live"),
            ("reports/", "figures and the page of a study"),
            ("exports/", "one design as a folder, and its loader, which scores it again"),
        ),
    ),
    (
        "A search and its results",
        (
            ("study/", "run, continue, validate: loop, stages, log, tables"),
            ("sweeps/", "every design of a space, or a million of them, costed in parts"),
            ("samplers/", "which design comes next: graybox, Optuna, or an unseen one"),
            ("space/", "the study file and its defaults: read, check, resolve, write"),
            ("analysis/", "profile, redundancy, importance, deltas, assumptions"),
            ("results/", "columns, schema, writing and reading of tables, fronts, SQL"),
            ("worker/", "the process that evaluates designs and may crash"),
            ("cluster/", "workers on other machines: who is accepted, what they score"),
        ),
    ),
    (
        "One design",
        (
            ("cost/", "cheap: plan, demand, footprint, counts, charges, schedule, sum"),
            ("charging/", "what hardware models of tiles have in common: passes, digital work, SRAM, writes"),
            ("score/", "expensive: terms, matrices, task, metrics; devices and converters"),
            ("models/", "data, training, inference: base and tasks, run on crossbars"),
        ),
    ),
    (
        "What everything stands on",
        (
            ("plugins/", "the contract, the registry, checks of records, calls, templates"),
            ("plugin.py", "what a plugin imports: contract, records, helpers"),
            ("testing/", "conformance suites for plugins, and tiny workloads"),
            ("records/", "typed values that the steps exchange: one file for each step"),
            ("errors.py", "classes of errors, the form of their messages, the nearest valid name"),
            ("input_errors.py", "wrong keys and values of space files and options, turned into errors of `errors.py`"),
            ("files.py", "whole files, and hashes of content"),
            ("cache.py", "arrays that are made once for a key"),
            ("opened.py", "files that code opens while it runs"),
            ("threads.py", "threads on a machine that is shared"),
        ),
    ),
)


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return one line of text."""
    name = f' class="{kind}"' if kind else ""
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:g}" y="{y:g}"{name}{where}>{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, kind: str, radius: float = 8) -> str:
    """Return one rectangle with round corners."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" class="{kind}"/>'


def arrow(*points: tuple[float, float]) -> str:
    """Return a line through some points, with a tip at the last point."""
    path = " ".join(f"{'L' if index else 'M'}{x:g} {y:g}" for index, (x, y) in enumerate(points))
    return f'<path d="{path}" class="line" marker-end="url(#tip)"/>'


def step(x: float, y: float, width: float, height: float, name: str, owner: str, lines: tuple[str, ...]) -> list[str]:
    """Return one step of a stage: a box whose upper edge has the colour of the step's owner."""
    middle = x + width / 2
    return [
        rectangle(x, y, width, height, "box", 6),
        rectangle(x, y, width, 5, owner, 2.5),
        text(middle, y + 26, name, "name", "middle"),
        *(text(middle, y + 44 + 14 * index, line, "small", "middle") for index, line in enumerate(lines)),
    ]


def stage(
    y: float, height: float, title: str, words: str, steps: tuple[tuple[str, str, tuple[str, ...]], ...]
) -> list[str]:
    """Return a panel with a title and its steps from left to right."""
    gap, left, right = 16.0, 76.0, WIDTH - 40.0
    width = (right - left - gap * (len(steps) - 1)) / len(steps)
    parts = [
        rectangle(60, y, WIDTH - 84, height, "panel"),
        text(76, y + 26, title, "head"),
        text(136, y + 26, words),
    ]
    for index, (name, owner, lines) in enumerate(steps):
        x = left + index * (width + gap)
        parts += step(x, y + 40, width, height - 54, name, owner, lines)
        if index:
            parts.append(arrow((x - gap + 1, y + 40 + (height - 54) / 2), (x - 4, y + 40 + (height - 54) / 2)))
    return parts


def card(x: float, y: float, width: float, name: str, *lines: str) -> list[str]:
    """Return a box outside the stages."""
    return [
        rectangle(x, y, width, 74, "box"),
        text(x + width / 2, y + 25, name, "name", "middle"),
        *(text(x + width / 2, y + 44 + 15 * index, line, "small", "middle") for index, line in enumerate(lines)),
    ]


def picture(title: str, height: float, parts: list[str]) -> str:
    """Return the text of the whole file."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" role="img">'
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker>'
    ground = rectangle(0.5, 0.5, WIDTH - 1, height - 1, "ground", 12)
    body = [
        head,
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f"<defs>{tip}</defs>",
        ground,
        *parts,
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def draw_flow() -> str:
    """Draw the flow from the space file to a row of the tables."""
    parts = [
        *card(60, 24, 200, "space file", "base, tasks, traffic, objectives,", "plugins and their parameters"),
        *card(330, 24, 180, "sampler", "proposes the next design", "from the rows so far"),
        *card(580, 24, 356, "design", "one plugin of each kind,", "and a value for each parameter"),
        arrow((260, 61), (326, 61)),
        arrow((510, 61), (576, 61)),
        arrow((758, 98), (758, 126)),
        *stage(130, 148, "Cost", "exact, microseconds per design, many designs at once; touches no weight", COST),
        arrow((498, 278), (498, 310)),
        text(510, 299, "within all limits"),
        *stage(
            314,
            132,
            "Score",
            "seconds to minutes per design, cached by task; some rows first, if screening is on",
            SCORE,
        ),
        arrow((498, 446), (498, 478)),
        text(510, 467, "the row has a score"),
        *card(
            280,
            482,
            436,
            "row",
            "log.jsonl, then trials.parquet and pareto.parquet:",
            "parameters, metrics, area and energy by component, status",
        ),
        arrow((936, 204), (946, 204), (946, 519), (720, 519)),
        text(926, 511, "over a limit: infeasible", "", "end"),
        arrow((280, 519), (30, 519), (30, 12), (420, 12), (420, 20)),
        text(42, 511, "the sampler learns"),
    ]
    x = 76.0
    for name in LEGEND:
        parts += [rectangle(x, 578, 22, 6, name, 3), text(x + 30, 585, name if name == "core" else f"{name} (plugin)")]
        x += 46 + 7.4 * len(name) + (58 if name != "core" else 0)
    return picture("From a space file to a row: sampler, cost, score, table", 606, parts)


def draw_folders() -> str:
    """Draw the folders of the package, the folders that a person calls first."""
    parts, y = (
        [text(28, 34, "dse/", "mono"), text(70, 34, "from what a person calls, down to what everything stands on")],
        48.0,
    )
    for title, folders in FOLDERS:
        height = 38 + 24 * len(folders)
        parts += [rectangle(24, y, WIDTH - 48, height, "panel"), text(40, y + 25, title, "head")]
        for index, (name, words) in enumerate(folders):
            line = y + 50 + 24 * index
            parts += [text(56, line, name, "mono"), text(196, line, words)]
        y += height + 12
    beside = "Beside it: plugins/dse_plugins (built-in plugins, which use only public names), spaces, reproductions, benchmarks, tests."
    return picture("Folders of the package and what each is for", y + 34, [*parts, text(28, y + 14, beside)])


DRAWN = {"flow.svg": draw_flow, "folders.svg": draw_folders}


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(exist_ok=True)
    for name, draw in DRAWN.items():
        (PICTURES / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
