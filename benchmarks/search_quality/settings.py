"""Records, samplers, seeds and budgets of the comparison."""

from __future__ import annotations

RECORDS = ("quickstart", "eight")
STOCK = ("nsga2", "nsga3", "tpe", "gp", "random")
SEEDS = tuple(range(200, 210))
"""Seeds below 200 were used, or looked at, while `graybox` was made."""
SEEDS_OF_GP = SEEDS[:4]
BUDGET, OURS, WANTED = 800, 400, 160
TRIALS = {"graybox": 500, "nsga2": 2000, "nsga3": 2000, "random": 2000, "tpe": 500, "gp": 40}
"""Trials of a study, whether or not they spend the budget; a trial of `gp` takes seconds."""
POPULATION = {"quickstart": 50, "eight": 16}
"""Population size of the genetic samplers: the best of 8, 12, 16, 24 and 50 on seeds 0 to 2."""
