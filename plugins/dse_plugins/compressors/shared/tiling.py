"""How matrices are cut into array-sized tiles: those of a matrix by blocks of columns and, within these, of rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse import plugin

Array = NDArray[Any]


class Tiling(NamedTuple):
    """Tiles of an encoder's matrices; those of a layer follow one another.

    Attributes:
        rows: wordlines of a tile.
        columns: bitlines of a tile.
    """

    rows: int
    columns: int

    def row_blocks(self, matrix: plugin.Matrix) -> int:
        """Blocks of a matrix's inputs."""
        return -(-matrix.rows // self.rows)

    def column_blocks(self, matrix: plugin.Matrix) -> int:
        """Blocks of a matrix's outputs."""
        return -(-matrix.columns // self.columns)

    def starts(self, encoder: plugin.Encoder) -> list[int]:
        """Where each matrix's tiles begin among those of a layer, and where they end."""
        tiles = [self.row_blocks(matrix) * self.column_blocks(matrix) for matrix in encoder.matrices]
        return [0, *np.cumsum(tiles).tolist()]

    def of_matrix(self, values: Array, encoder: plugin.Encoder, index: int) -> Array:
        """Values (..., column blocks, row blocks) of a matrix, from those (..., tiles) of a layer."""
        begin = self.starts(encoder)
        part = values[..., begin[index] : begin[index + 1]]
        return part.reshape(*part.shape[:-1], -1, self.row_blocks(encoder.matrices[index]))

    def select_kept(self, encoder: plugin.Encoder, demand: plugin.Demand, index: int) -> tuple[Array, Array]:
        """Rows of each block of rows and columns of each block of columns left of a matrix's owners but the base.

        Each (P, A, L, blocks), or (1, 1, 1, blocks) where nothing is removed.
        """
        matrix = encoder.matrices[index]
        found = []
        for size, tile, kept in (
            (matrix.rows, self.rows, plugin.kept_inputs(encoder, demand, index)),
            (matrix.columns, self.columns, plugin.kept_outputs(encoder, demand, index)),
        ):
            mask = np.ones((1, 1, 1, size)) if kept is None else kept[:, 1:].astype(float)
            found.append(np.add.reduceat(mask, np.arange(0, size, tile), axis=-1))
        return found[0], found[1]
