"""Built-in cell models: published laws of memory cells, with their sources."""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.cells import cmo_hfox, lognormal, pcm, wan22


@plugin.hookimpl
def dse_cell_models() -> Iterable[plugin.CellModel]:
    """Yield the four cell models."""
    aihwkit = "IBM aihwkit, inference/noise"
    for name, module, options, summary, source in (
        ("wan22", wan22, wan22.Wan22Options, "NeuRRAM's cells, 1 s to 2 d after programming; the nominal device", f"Wan et al., Nature 2022; {aihwkit}/reram.py"),
        ("lognormal", lognormal, lognormal.LognormalOptions, "log-normal conductances", "FORMS, ISCA 2021; ReCAT, TODAES 2024"),
        ("cmo-hfox", cmo_hfox, cmo_hfox.CmoHfoxOptions, "CMO/HfOx cells that relax with the logarithm of time", f"Falcone et al.; {aihwkit}/reram.py"),
        ("pcm", pcm, pcm.PcmOptions, "phase-change cells that drift as a power of time", f"Nandakumar et al., ICECS 2019; {aihwkit}/pcm.py"),
    ):  # fmt: skip
        yield plugin.CellModel(api=2, name=name, summary=summary, build=module.build, options=options, source=source)
