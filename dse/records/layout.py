"""What designs store, as hardware models charge it."""

from typing import NamedTuple

from dse.records.demand import Demand
from dse.records.footprint import Footprint


class Layout(NamedTuple):
    """What designs store: the matrices of each owner, and the arrays and pieces that they take."""

    demand: Demand
    footprint: Footprint
