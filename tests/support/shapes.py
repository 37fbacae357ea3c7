"""A space file of two tiny tasks that have shapes alone, without weights or text."""

from pathlib import Path

SPACE = """schema = 1
name = "shapes"
[workload]
{workload}
[search]
trials = 6
objectives = {objectives}
[generator]
plugins = ["independent"]
[compressor]
plugins = ["{compressor}"]
[scheduler]
plugins = ["fixed"]
[hardware]
plugins = ["{hardware}"]
"""
TINY = """encoder = { layers = 2, hidden = 32, heads = 4, ffn = 64 }
tasks = [{ name = "short", tokens = 8 }, { name = "long", tokens = [10, 30], rate = 3 }]"""


def written(
    folder: Path,
    workload: str = TINY,
    objectives: str = '["area", "energy"]',
    compressor: str = "ptq",
    hardware: str = "isaac",
) -> Path:
    """Write a space file of shapes."""
    path = folder / "shapes.toml"
    text = SPACE.format(workload=workload, objectives=objectives, compressor=compressor, hardware=hardware)
    path.write_text(text, encoding="utf-8")
    return path
