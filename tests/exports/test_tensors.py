"""Integers are packed to the bits they need, and come back as they were, whatever their memory looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import dse
from dse.exports.tensors import gather, pack, read_tensors, spread, unpack, write_tensors
from dse.testing._values import first_difference

KINDS = st.sampled_from(["int8", "uint8", "int16", "int32", "int64", "bool"])


@given(KINDS.flatmap(lambda kind: hn.arrays(kind, hn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7))))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_integers_come_back(values: Any) -> None:
    if values.dtype == np.int64:
        values = values // 4  # codes and indices are nowhere near the ends of 64 bits
    content, how = pack(values)
    found = unpack(content, **how)

    assert found.dtype == values.dtype
    assert np.array_equal(found, values)
    assert len(content) == -(-values.size * how["bits"] // 8)


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(-1, 1, 2), (0, 1, 1), (5, 5, 0), (-128, 127, 8), (-128, 128, 9), (-7, 7, 4), (0, 767, 10)],
)
def test_a_code_takes_the_bits_of_its_range(low: int, high: int, bits: int) -> None:
    values = np.array([low, high] * 40, dtype=np.int64)
    content, how = pack(values)

    assert (how["bits"], len(content)) == (bits, 10 * bits)


def test_the_first_value_lies_in_the_lowest_bits() -> None:
    """As `docs/export.md` says, so that other programs can read it."""
    content, how = pack(np.array([-1, 0, 1, 1, 0], dtype=np.int8))

    assert how == {"bits": 2, "low": -1, "shape": [5], "dtype": "int8"}
    assert content.tolist() == [0b10_10_01_00, 0b01]


def test_terms_come_back_from_a_file(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    codes = torch.randint(-3, 4, (4, 6), generator=draw, dtype=torch.int16)
    term = dse.Term(codes, torch.tensor(0.5), 3, columns=torch.tensor([1, 5]), digital=True)
    second = dse.Term(codes.T, torch.rand(6, 4, generator=draw)[:, 0], 3, fed_by=0, shared_scale=True)
    image = dse.Image(codes, torch.tensor(0.25), torch.rand(3, 2, generator=draw) > 0.5)
    scaling = dse.Scaling(torch.rand(4, 2, generator=draw).T, 16, torch.rand(4, 2, generator=draw).T > 0.5, 8)
    stored = dse.Stored((term, second), on_base=True, bias=torch.rand(4), image=image, scaling=scaling)
    tensors: dict[str, Any] = {}
    plain = spread(stored, "0.query", tensors)
    write_tensors(tmp_path / "file", tensors, {"made": plain})
    found, values = read_tensors(tmp_path / "file")

    assert not first_difference(gather(dse.Stored, "0.query", values["made"], found), stored)
    assert found["0.query.terms.0.scale"].shape == ()


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    """A plugin may give a bound that it computed."""
    term = dse.Term(torch.zeros(2, 2, dtype=torch.int8), torch.tensor(1.0), np.int64(3), digital=np.bool_(True))  # type: ignore[arg-type]
    tensors: dict[str, Any] = {}
    write_tensors(tmp_path / "file", tensors, {"made": spread(term, "t", tensors)})

    assert read_tensors(tmp_path / "file")[1]["made"] == {
        "magnitude": 3, "digital": True, "shared_scale": False, "unsigned": False
    }  # fmt: skip


def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1)}, tmp_path / "strange")
    (tmp_path / "cut").write_bytes((tmp_path / "strange").read_bytes()[:20])
    with pytest.raises(KeyError, match="dse"):
        read_tensors(tmp_path / "strange")
    with pytest.raises(ValueError, match="header"):
        read_tensors(tmp_path / "cut")
