"""Types of the arrays that flow through costing.

Axes: P designs of one plugin combination, T tasks, L layers, M matrices of a layer, O owners (0 the base, then groups,
then tasks), C components.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    Tensor: TypeAlias = torch.Tensor
else:
    Tensor = Any  # torch loads where weights do, not with the types

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
