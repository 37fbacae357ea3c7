"""What is fixed for a whole study of `mgen`."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from dse import plugin


class MGenOptions(plugin.Options):
    """Options of ``mgen``.

    Attributes:
        route: ``trained`` (trunks and branches), or ``free`` of training (heads and FFN columns left out).
        trunks: most trunks there may be; with more than one, each task's is searched.
        passes: times each task's own epochs, for the trunk.
        branch_passes: the same for a branch.
        merged: whether a trunk begins from the mean of its tasks' own models, instead of the base; on the free route, whether
            first layers that tasks share are that mean. By default on the trained route only.
        distil: share of the loss that follows the tasks' own fine-tuned models.
        across: share of a trunk's loss that follows what the other tasks' own models answer to a task's rows.
        depths: how many encoder layers may run; by default from half of them to all. Trained route: with one trunk, each is
            trained before the search.
        seed: of the trainings.
        exits: whether inputs may leave early; heads are fitted in closed form.
        exit_rows: training rows of each task, two thirds of which fit the exits' heads and a third tells who leaves.
        rows: training rows of each task that tell what heads and columns do; free route, or one trunk.
        recovery_rows: training rows of each task by which what is kept makes up for what is left out; likewise.
        block: columns that are left out together, those of an array; likewise.
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
                f"distil and across are shares of one loss: at most 1 together, found {self.distil + self.across}"
            )
        if self.exits and self.route == "trained" and self.trunks > 1:
            raise ValueError("exits = true needs trunks = 1: heads of early exits are fitted on the one trunk")
        return self
