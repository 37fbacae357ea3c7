"""Cut matrices into array-sized blocks, which follow one another by block of columns, then by block of rows."""

from typing import Any, NamedTuple

import numpy as np

from dse import plugin
from dse_plugins.shared import Array


class Tiling(NamedTuple):
    """Array-sized blocks of an encoder's matrices; the blocks of a layer follow one another.

    Attributes:
        rows: number of wordlines of a block.
        columns: number of bitlines of a block.
    """

    rows: int
    columns: int

    def row_blocks(self, matrix: plugin.Matrix) -> int:
        """Number of blocks of a matrix's inputs."""
        return -(-matrix.rows // self.rows)

    def column_blocks(self, matrix: plugin.Matrix) -> int:
        """Number of blocks of a matrix's outputs."""
        return -(-matrix.columns // self.columns)

    def starts(self, encoder: plugin.Encoder) -> list[int]:
        """Index of each matrix's first block among the blocks of a layer, and the number of all these blocks."""
        tiles = [self.row_blocks(matrix) * self.column_blocks(matrix) for matrix in encoder.matrices]
        return [0, *np.cumsum(tiles).tolist()]

    def of_matrix(self, values: Any, encoder: plugin.Encoder, index: int) -> Any:
        """Values (..., column blocks, row blocks) of a matrix, from the values (..., blocks) of a layer, array or tensor."""
        begin = self.starts(encoder)
        part = values[..., begin[index] : begin[index + 1]]
        return part.reshape(*part.shape[:-1], -1, self.row_blocks(encoder.matrices[index]))

    def select_kept(self, encoder: plugin.Encoder, demand: plugin.Demand, index: int) -> tuple[Array, Array]:
        """Number of kept rows of each block of rows, and of kept columns of each block of columns, of one matrix.

        Each has shape (P, A, L, blocks), for every owner above the base, or (1, 1, 1, blocks) where nothing is removed.
        """
        matrix = encoder.matrices[index]
        counts = []
        for size, width, mask in (
            (matrix.rows, self.rows, plugin.kept_inputs(encoder, demand, index)),
            (matrix.columns, self.columns, plugin.kept_outputs(encoder, demand, index)),
        ):
            left = np.ones((1, 1, 1, size)) if mask is None else mask[:, 1:].astype(float)
            counts.append(np.add.reduceat(left, np.arange(0, size, width), axis=-1))
        return counts[0], counts[1]
