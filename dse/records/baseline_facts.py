"""Facts about the baseline of a task: its score in 8 bits, beside the score of the task's own floating-point weights."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BaselineFacts:
    """Scores of one task on the search split, to which designs are compared.

    Attributes:
        task: name of the task.
        metric: name of the metric.
        score: score of the baseline, whose weights and inputs have 8 bits.
        fp32: score of the task's own weights and inputs in 32-bit floating point.
        chance: score of the best constant answer.
    """

    task: str
    metric: str
    score: float
    fp32: float
    chance: float

    def sentence(self) -> str:
        """Return the scores in one line."""
        return f"{self.task}: {self.metric} {self.score:.4f} in 8 bits, {self.fp32:.4f} in fp32, {self.chance:.4f} by chance"

    def warning(self) -> str:
        """Return a sentence for a baseline that is no better than chance, else an empty text."""
        cause = (
            "the checkpoint, its tokenizer, the labels or the data do not belong together, or the model learned nothing"
        )
        if self.fp32 > self.chance:
            cause = "the model does not tolerate 8 bits"
        text = warn_of_chance(self.task, self.metric, self.score, self.chance)
        return text and f"{text}; {cause}"


def warn_of_chance(task: str, metric: str, score: float, chance: float) -> str:
    """Return a sentence for a score of a task's baseline that is no better than chance, else an empty text."""
    if score > chance:
        return ""
    return f"task {task!r} is at or below chance: {metric} {score:.4f}, and {chance:.4f} by chance"
