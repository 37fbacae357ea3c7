"""A scheduler whose module loads optuna."""

from __future__ import annotations

import optuna
from dse_plugins.schedulers.fixed import Fixed, FixedOptions

import dse


class Heavy(Fixed):
    library = optuna.__name__


RECORD = dse.Scheduler(name="heavy", summary="loads optuna when imported", build=Heavy, options=FixedOptions)
