"""What is fixed for a whole study of `mgen`."""

from typing import Literal

from pydantic import Field

import dse


class MGenOptions(dse.Options):
    """Options of ``mgen``.

    Attributes:
        route: ``trained`` (trunks and branches), or ``free`` of training (heads and FFN columns left out).
        trunks: most trunks there may be; with more than one, each task's is searched.
        passes: times each task's own epochs, for the trunk.
        branch_passes: the same for a branch.
        distil: share of the loss that follows the tasks' own fine-tuned models.
        rows: training rows of each task that tell what heads and columns do; free route.
        block: columns that are left out together, those of an array; free route.
    """

    route: Literal["trained", "free"] = "trained"
    trunks: int = Field(default=1, ge=1)
    passes: float = Field(default=1.0, gt=0)
    branch_passes: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.5, ge=0, le=1)
    rows: int = Field(default=384, ge=8)
    block: int = Field(default=128, ge=1)
