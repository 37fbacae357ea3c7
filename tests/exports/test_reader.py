"""The reader that `docs/export.md` shows, in numpy alone: it rebuilds matrices from cells, and agrees with the golden vectors."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dse
from dse.records.geometry import ENCODINGS, Geometry
from dse.records.nonideality import Nonideality
from dse.score.cells import Cells
from tests.exports.conftest import write
from tests.exports.test_exact import CASES, point_of
from tests.support.once import Once

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"
MOST_LINES = {"read_export": 100, "run_bert": 70}
CHIPS: dict[str, tuple[str, str, int]] = {
    "signs apart": ("two-stage", "separate", 1),
    "an offset": ("shared-prefix", "offset", 2),
    "unsigned codes": ("graded", "separate", 2),
    "flipped columns": ("mtl-shared", "offset-flip", 2),
    "flipped columns of unsigned codes": ("bitdelta", "offset-flip", 1),
    "products": ("low-rank", "offset", 4),
    "digital products": ("lora", "separate", 2),
    "factors": ("xma2, trained", "separate", 2),
    "images over the base": ("piggyback", "offset", 2),
    "removed heads, exits, factors and images": ("mgen, free", "separate", 1),
    "layers of a group": ("mgen, two trunks", "offset", 1),
}
"""Case of `tests.exports.test_exact`, encoding and bits of a cell."""


def read_page(name: str) -> str:
    """The code of a program of the page."""
    return PAGE.read_text(encoding="utf-8").split(f"```python file={name}.py\n", 1)[1].split("\n```", 1)[0]


def load_page(name: str) -> Any:
    """A program of the page as a module, which other programs of the page import by its name."""
    module = ModuleType(name)
    exec(compile(read_page(name), str(PAGE), "exec"), module.__dict__)
    sys.modules[name] = module
    return module


@pytest.fixture(scope="session")
def exported(problem_of: Any, once: Once) -> Callable[[str], Path]:
    """Return the export of a case of `CHIPS`; whichever process asks first for a case writes it."""

    def export(chip: str) -> Path:
        case, encoding, bits = CHIPS[chip]
        plain = [{key: value for key, value in options.items() if key != "name"} for options in CASES[case]]
        generator, compressor = (options["name"] for options in CASES[case])
        problem = problem_of(generator, plain[0], compressor, plain[1])
        point = point_of(problem, case)
        chosen = {"encoding": encoding, "cell_bits": bits, "array_size": 32, "adc_bits": 10}
        changed: Any = {f"hardware.isaac.{name}": value for name, value in chosen.items()}
        point = replace(point, values={**point.values, **changed})
        return once(f"read {chip}", lambda folder: write(folder / "chip", problem, point)) / "chip"

    return export


@pytest.fixture(params=CHIPS)
def folder(request: pytest.FixtureRequest, exported: Callable[[str], Path]) -> Path:
    return exported(request.param)


@pytest.fixture
def read(folder: Path) -> Any:
    """The export as the page's reader reads it."""
    return load_page("read_export").Export(folder)


@pytest.mark.parametrize("name", MOST_LINES)
def test_the_programs_are_short_and_need_numpy_alone(name: str) -> None:
    tree = ast.parse(read_page(name))
    texts = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    lines = [
        at
        for at, line in enumerate(read_page(name).splitlines(), 1)
        if line.strip() and not line.startswith("#") and at not in texts
    ]
    assert len(lines) <= MOST_LINES[name]
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= {"csv", "json", "math", "numpy"}
    assert {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} <= {"read_export"}


def test_codes_are_rebuilt_from_the_cells_of_their_arrays(read: Any) -> None:
    rebuilt = 0
    for owner, (_, plain) in enumerate(read.files):
        for place in plain["matrices"]:
            layer, _, name = place.partition(".")
            for at, term in enumerate(read.terms(owner, layer, name)):
                if term["codes"].size and term["magnitude"] and not term["digital"]:
                    np.testing.assert_array_equal(read.rebuild(owner, layer, name, at), term["codes"])
                    rebuilt += 1
    assert rebuilt >= 12


def test_no_cell_is_used_twice_and_every_row_fits_its_array(read: Any) -> None:
    geometry = read.about["geometry"]
    used = np.zeros((1 + max(int(row["array"]) for row in read.arrays), geometry["columns"], geometry["rows"]), int)
    for row in read.arrays:
        levels, flipped, _, _ = read.cells(row)
        first = int(row["bitline"])
        assert levels.min() >= 0
        assert levels.max() < 2 ** geometry["cell_bits"]
        assert (
            2 * np.where(flipped, levels, 0).sum(axis=1) <= levels.shape[1] * (2 ** geometry["cell_bits"] - 1)
        ).all()
        used[int(row["array"]), first : first + levels.shape[0], : levels.shape[1]] += 1
        assert first + levels.shape[0] <= geometry["columns"]
    assert used.max() == 1
    assert (used.sum(axis=(1, 2)) > 0).all()


def test_logits_input_codes_and_sums_are_the_golden_ones(read: Any, folder: Path) -> None:
    for task, about in read.about["tasks"].items():
        with np.load(folder / "golden" / f"{about['file_name']}.npz", allow_pickle=False) as golden:
            inputs = (golden[name] for name in ("input_ids", "attention_mask", "token_type_ids"))
            logits, traced = load_page("run_bert").run(read, task, *inputs)
            np.testing.assert_allclose(logits, golden["logits"], rtol=1e-5, atol=1e-6)
            compared = 0
            for name in (name.removesuffix(".steps") for name in golden if name.endswith(".steps")):
                codes, step, sums = traced[name]
                np.testing.assert_array_equal(codes, golden[f"{name}.inputs"])
                np.testing.assert_allclose(step, golden[f"{name}.steps"], rtol=1e-9)
                assert len(sums) == sum(other.startswith(f"{name}.sums.") for other in golden)
                for at, values in enumerate(sums):
                    np.testing.assert_array_equal(values, golden[f"{name}.sums.{at}"])
                    compared += 1
            assert compared >= 12


def test_a_changed_code_is_noticed(exported: Callable[[str], Path]) -> None:
    """A reader that made a mistake would not agree with the golden vectors."""
    folder = exported("signs apart")
    read = load_page("read_export").Export(folder)
    tensors = read.files[1][0]
    name = next(name for name in tensors if name.startswith("0.attention.self.query") and name.endswith(".codes"))
    tensors[name] = tensors[name] + 1
    with np.load(folder / "golden" / "verdict.npz") as golden:
        inputs = (golden[kind] for kind in ("input_ids", "attention_mask", "token_type_ids"))
        _, traced = load_page("run_bert").run(read, "verdict", *inputs)
        sums = traced["0.attention.self.query"][2]
        assert any((values != golden[f"0.attention.self.query.sums.{at}"]).any() for at, values in enumerate(sums))


@pytest.mark.parametrize("chip", ["an offset", "flipped columns", "flipped columns of unsigned codes"])
def test_cells_are_those_that_the_simulation_of_arrays_programs(chip: str, exported: Callable[[str], Path]) -> None:
    read = load_page("read_export").Export(exported(chip))
    design = dse.load_export(exported(chip)).design
    geometry = {name: np.array([value]) for name, value in read.about["geometry"].items() if isinstance(value, int)}
    encoding = np.array([ENCODINGS.index(read.about["geometry"]["encoding"])])
    cells = Cells(Nonideality(), Geometry(**geometry, encoding=encoding, packing="same-input"), 0)
    matrices = [matrix.name for matrix in design.encoder.matrices]
    for row in read.arrays[:: max(1, len(read.arrays) // 40)]:
        key = (int(row["layer"]), matrices.index(row["matrix"]))
        term = design.get_terms(read.names.index(row["owner"]), [key[0]])[key].terms[int(row["piece"])]
        planes = list(cells.planes(term, ()))
        plane = planes[int(row["slice"])]
        levels, flipped, _, place = read.cells(row)
        np.testing.assert_array_equal(levels, plane.levels[place])
        if plane.flipped is not None:
            np.testing.assert_array_equal(flipped[:, 0], plane.flipped[int(row["row_block"])][place[0]])
