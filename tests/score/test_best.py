"""The baseline `best` has the fewest bits that lose nothing, found on tasks whose rows can show a loss."""

from __future__ import annotations

from collections.abc import Callable

from dse.score.best import INPUT_BITS, LOSS, MAGNITUDE_BITS, ROWS, Best, find_best

PAPER = (0.9, 0.8)


def fake(
    losses: dict[tuple[int, int], float], asked: list[tuple[int, int, int]] | None = None, first: float = 0.0
) -> Callable[[int, int, int], float]:
    """Return a scorer that loses some points by bits, and ``first`` points more of the first task."""

    def score(task: int, magnitude_bits: int, input_bits: int) -> float:
        if asked is not None:
            asked.append((task, magnitude_bits, input_bits))
        return PAPER[task] - (losses.get((magnitude_bits, input_bits), 9.0) + first * (1 - 2 * task)) / 100

    return score


def test_bits_are_lowered_until_the_mean_loss_is_too_large() -> None:
    """Weights first, then inputs; what one task wins another may lose."""
    losses = {(5, 8): 0.0, (4, 8): LOSS - 0.01, (3, 8): LOSS + 0.01, (4, 7): -0.2, (4, 6): 0.1, (4, 5): 0.3}
    found = find_best(fake(losses, first=3.0), {0: ROWS, 1: ROWS}, PAPER)
    assert (found.magnitude_bits, found.input_bits) == (4, 6)
    assert "fewest that lose at most 0.25 points" in found.sentence()


def test_nothing_is_tried_below_a_loss() -> None:
    asked: list[tuple[int, int, int]] = []
    losses = {(5, 8): 0.1, (4, 8): 0.2, (3, 8): 0.5, (2, 8): 0.0}
    find_best(fake(losses, asked), {0: ROWS}, PAPER)
    assert (0, 2, 8) not in asked


def test_five_bits_are_the_most() -> None:
    assert find_best(fake({}), {0: ROWS}, PAPER).magnitude_bits == max(MAGNITUDE_BITS)
    all_lossless = {(bits, inputs): 0.0 for bits in MAGNITUDE_BITS for inputs in (8, *INPUT_BITS)}
    found = find_best(fake(all_lossless), {0: ROWS}, PAPER)
    assert (found.magnitude_bits, found.input_bits) == (1, 4)


def test_tasks_with_few_rows_have_no_say() -> None:
    losses = {(bits, inputs): 0.0 for bits in MAGNITUDE_BITS for inputs in (8, *INPUT_BITS)}
    asked: list[tuple[int, int, int]] = []
    find_best(fake(losses, asked), {0: ROWS - 1, 1: ROWS}, PAPER)
    assert {task for task, _, _ in asked} == {1}
    found = find_best(fake(losses), {0: ROWS - 1}, PAPER)
    assert (found.magnitude_bits, found.input_bits) == (Best().magnitude_bits, Best().input_bits) == (4, 8)
    assert "no task that counts has 500 search rows" in found.sentence()
