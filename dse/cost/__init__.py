"""The cheap half of the pipeline: from designs to area, energy and latency. The core alone counts arrays and sums cost."""
