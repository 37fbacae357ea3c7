"""Options of `mgen`, which are fixed for a whole study."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from dse import plugin


class MGenOptions(plugin.Options):
    """Options of ``mgen``.

    Attributes:
        route: ``trained`` (trunks and branches), or ``free`` of training (heads and FFN columns left out).
        trunks: largest number of trunks; with more than one, the search chooses each task's trunk.
        passes: length of a trunk's training, as a multiple of each task's own epochs.
        branch_passes: length of a branch's training, as a multiple of the task's own epochs.
        merged: whether a trunk begins from the mean of its tasks' own models, instead of the base; on the free route,
            whether first layers that tasks share are that mean. By default on the trained route only.
        distil: share of the loss that follows the tasks' own fine-tuned models.
        across: share of a trunk's loss that follows the answers of the other tasks' own models to a task's rows.
        depths: numbers of encoder layers that may run; by default from half of them to all. With one trunk on the
            trained route, each is trained before the search.
        seed: seed of the trainings.
        exits: whether inputs may leave early; heads are fitted in closed form.
        exit_rows: number of training rows of each task; two thirds fit the exits' heads, a third measures which inputs
            leave.
        rows: number of training rows of each task that measure the effect of heads and columns; free route, or one
            trunk.
        recovery_rows: number of training rows of each task to which kept units are fitted; free route, or one trunk.
        block: number of columns that are left out together, those of an array; free route, or one trunk.
    """

    route: Literal["trained", "free"] = "trained"
    trunks: int = Field(default=1, ge=1)
    passes: float = Field(default=1.0, gt=0)
    branch_passes: float = Field(default=1.0, gt=0)
    merged: bool | None = None
    distil: float = Field(default=0.4, ge=0, le=1)
    across: float = Field(default=0.3, ge=0, le=1)
    depths: list[PositiveInt] = Field(default_factory=list)
    seed: int = Field(default=0, ge=0)
    exits: bool = False
    exit_rows: int = Field(default=1500, ge=8)
    rows: int = Field(default=384, ge=8)
    recovery_rows: int = Field(default=1024, ge=8)
    block: int = Field(default=128, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.distil + self.across > 1:
            raise ValueError(
                f"distil and across are shares of one loss: their sum is at most 1, found {self.distil + self.across}"
            )
        if self.exits and self.route == "trained" and self.trunks > 1:
            raise ValueError("exits = true needs trunks = 1: heads of early exits are fitted on the one trunk")
        return self
