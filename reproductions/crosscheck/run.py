"""Our macros beside those of peers: rank correlation of area and energy over array size, ADC bits and cell bits.

`FULL=1` makes an environment for each peer, asks it again, and writes the record and the page; figures compare the recorded
peers with our models as they are now.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import SETTINGS, Figure, measures
from benchmarks.pages import read_record
from reproductions.crosscheck.comparisons import COMPARISONS, PEERS, QUANTITIES, spearman
from reproductions.crosscheck.macros import POINTS
from reproductions.crosscheck.page import PAGE, page

HERE = Path(__file__).parent
RECORD = HERE / "record.json"
TARGET = ">= 0.9"
ZIGZAG = ("zigzag-dse==3.9.1", "six>=1.16")
"""zigzag-dse imports six without saying so."""


NODES = {"hwcomponents-32": (32, "isaac"), "hwcomponents-28": (28, "neurosim")}
"""Node and device that hwcomponents is asked for."""


@measures(
    *(f"crosscheck.{name}.{what}_spearman" for name in PEERS for what in QUANTITIES),
    *(f"crosscheck.hwcomponents.{what}_spearman.neurosim" for what in QUANTITIES),
)
def crosscheck() -> Iterator[Figure]:
    """The lowest correlation of our models that take nothing from the peer, and that of the one that does."""
    if SETTINGS.full:
        measure()
    record = read_record(RECORD)
    for name in PEERS:
        for what, column in QUANTITIES.items():
            found = {item: spearman(item, record, column) for item in COMPARISONS if item.peer == name}
            free = {item.model: value for item, value in found.items() if item.independent}
            text = ", ".join(f"{model} {value:.3f}" for model, value in free.items())
            compared = f"{name}'s macros at {len(POINTS)} points, recorded; the lower of: {text}"
            yield Figure(f"crosscheck.{name}.{what}_spearman", min(free.values()), "", TARGET, compared)
            for item, value in found.items():
                if not item.independent:
                    text = f"{name}'s macros, recorded; its own costs as our table holds them, between two of its nodes"
                    yield Figure(f"crosscheck.{name}.{what}_spearman.{item.model}", value, "", TARGET, text)


def measure() -> None:
    """Ask every peer, in an environment of its own, and write record and page."""
    record: dict[str, Any] = {"zigzag": _zigzag(), **_hwcomponents()}
    lines = ",\n".join(f' "{name}": [\n  {_rows(rows)}\n ]' for name, rows in record.items())
    RECORD.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    PAGE.write_text(page(record), encoding="utf-8")


def _rows(rows: list[dict[str, Any]]) -> str:
    """Return one line per point, with six digits per number."""
    short = json.loads(json.dumps(rows), parse_float=lambda text: float(f"{float(text):.6g}"))
    return ",\n  ".join(json.dumps(row) for row in short)


def _zigzag() -> list[dict[str, Any]]:
    from dse.plugins.environments import Needs

    answers = _asked(Needs((3, 11), ZIGZAG), "zigzag_macro.py", [{"points": POINTS}], sys.executable)
    return list(answers[0])


def _hwcomponents() -> dict[str, list[dict[str, Any]]]:
    from dse_plugins.hardware.neurosim import dse_hardware_models
    from dse_plugins.hardware.neurosim.measure import DEVICES

    from dse.plugins.environments import Needs

    table = next(iter(dse_hardware_models())).components
    assert table is not None
    asked = [
        {"points": POINTS, "node_nm": node, "cell": DEVICES[device].text(), "read_ns": DEVICES[device].read_ns}
        for node, device in NODES.values()
    ]
    needs = Needs(table.python, table.requirements, table.compiled, table.programs)
    return dict(zip(NODES, _asked(needs, "hwcomponents_macro.py", asked, None), strict=True))


def _asked(needs: Any, script: str, questions: list[Any], python: str | None) -> list[Any]:
    """Answers of a peer's script to some questions."""
    from dse.plugins.environments import make_environment, run_script

    answers = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = make_environment(folder / "environment", needs, python=python, say=print)
        for question in questions:
            (folder / "points.json").write_text(json.dumps(question), encoding="utf-8")
            run_script(own, HERE / "peers" / script, [str(folder / "points.json"), str(folder / "costs.json")])
            answers.append(json.loads((folder / "costs.json").read_text(encoding="utf-8")))
    return answers
