"""Effective weights of one design's tasks on one draw of a chip, whose cells differ from the stored values."""

from collections.abc import Sequence
from dataclasses import replace

from dse.errors import SpaceError
from dse.records.effective import Effective, OnArrays
from dse.records.footprint import Reprogrammed
from dse.records.model import Model
from dse.records.plan import BASE, Plan
from dse.records.stored import Key, Stored
from dse.records.workload import Encoder
from dse.score.adc_pieces import OnConverters, converter
from dse.score.cells import Cells
from dse.score.cut import Cut, keep_only
from dse.score.stored_terms import Assembly
from dse.score.task_weights import held_by, layers_of


class OnChip:
    """A design's terms as cells hold them; a `dse.score.task_weights.Source`.

    Args:
        assembly: terms of the design.
        cells: cells of the draw.

    Raises:
        SpaceError: the compressor's terms cannot be simulated on real ADCs.
    """

    def __init__(self, assembly: Assembly, cells: Cells) -> None:
        self._assembly, self._cells = assembly, cells
        adc = converter(cells.nonideality, assembly.geometry)
        if adc is not None and cells.reads:
            raise SpaceError(
                "real ADCs are not simulated together with noisy reads",
                where=f"cell_model = {cells.nonideality.cell_model!r}",
                fix='set adc = "ideal", or choose a cell model whose reads are exact',
            )
        self._variances: dict[int, dict[Key, Stored]] = {}
        self._of_reads = False
        self._converters = None if adc is None else OnConverters(cells, adc, assembly.names[1])
        self._pieces: dict[int, dict[Key, tuple[OnArrays, ...]]] = {}
        self._on_base: set[tuple[int, Key]] = set()

    @property
    def encoder(self) -> Encoder:
        """Shapes and roles."""
        return self._assembly.encoder

    @property
    def plan(self) -> Plan:
        """Owner of the weights that each task uses."""
        return self._assembly.plan

    @property
    def reprogrammed(self) -> Reprogrammed | None:
        """Blocks of the base that are written."""
        return self._assembly.reprogrammed

    def model(self, owner: int) -> Model:
        """Return the model of an owner, from the generator and the compressor."""
        return self._assembly.model(owner)

    def get_terms(self, owner: int, layers: Sequence[int]) -> dict[Key, Stored]:
        """Return terms as cells hold them, or their reads' variances; if conversions are simulated, only the digital terms."""
        if self._of_reads:
            return {key: one for key, one in self._variances[owner].items() if key[0] in layers}
        terms, whose = self._assembly.get_terms(owner, layers), self._assembly.identity(owner)
        if self._converters is None:
            pairs = {key: self._cells.program(one, whose, key) for key, one in terms.items()}
            variances = {key: variance for key, (_, variance) in pairs.items() if variance is not None}
            self._variances.setdefault(owner, {}).update(variances)
            return {key: values for key, (values, _) in pairs.items()}
        matrices = self.model(owner).matrices
        weights = Cut.matrices({key: Cut(self.encoder, self.plan, owner, *key) for key in terms}, matrices)
        self._pieces[owner] = {}
        for key, one in terms.items():
            whole = self.encoder.matrices[key[1]]
            shape = (whole.columns, whole.rows)
            self._pieces[owner][key] = self._converters.arrays(one, whose, key, weights, shape)
            if one.on_base:
                self._on_base.add((owner, key))
        return {key: self._converters.rest(one) for key, one in terms.items()}

    def of_task(self, task: int) -> Effective:
        """Rebuild the weights that a task computes with."""
        total = held_by(self, task)
        self._assembly.check(task, total)
        if self._cells.reads:
            self._of_reads = True
            noise = held_by(self, task).weights
            self._of_reads = False
            total = replace(total, read_variance=noise, read_seed=self._cells.read_seed)
        for owner, layers in layers_of(self.plan, task).items():
            for key, pieces in self._pieces.get(owner, {}).items():
                beneath = self._pieces[BASE][key] if (owner, key) in self._on_base else ()
                if key[0] in layers:
                    total.arrays[key] = (*beneath, *pieces)
        if total.arrays:
            keep_only(self.encoder, self.plan, task, total)  # cuts the arrays too
        return total
