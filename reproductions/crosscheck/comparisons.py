"""Which of our models is compared with which peer, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reproductions.crosscheck.macros import Macros, Name, Sharing, ours, peer, weights

QUANTITIES = {"energy": "energy_pj", "area": "area_mm2"}
PEERS = ("zigzag", "hwcomponents")


@dataclass(frozen=True)
class Comparison:
    """One of our models beside one peer.

    Attributes:
        peer: name of the peer.
        asked: key of the peer's costs in the record.
        model: name of our model.
        node_nm: node of our model, and nearly that of the peer, nm.
        sharing: the part that has an ADC of its own in both.
        independent: whether ours takes no cost from the peer.
    """

    peer: str
    asked: str
    model: Name
    node_nm: int
    sharing: Sharing
    independent: bool = True

    def both(self, record: dict[str, Any]) -> tuple[Macros, Macros]:
        """Our macros and the peer's."""
        return ours(self.model, self.sharing, node_nm=self.node_nm), peer(record[self.asked])


COMPARISONS = (
    Comparison("zigzag", "zigzag", "isaac", 32, "bitline"),
    Comparison("zigzag", "zigzag", "neurosim", 28, "bitline"),
    Comparison("hwcomponents", "hwcomponents-32", "isaac", 32, "array"),
    Comparison("hwcomponents", "hwcomponents-28", "neurosim", 28, "array", independent=False),
)


def spearman(item: Comparison, record: dict[str, Any], column: str, *, by_weight: bool = False) -> float:
    """Rank correlation of a macro's total, or of its share for each 8-bit weight it holds."""
    from scipy.stats import spearmanr

    mine, theirs = (macros.total(column) / (weights() if by_weight else 1) for macros in item.both(record))
    return float(spearmanr(mine, theirs).statistic)
