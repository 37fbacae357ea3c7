"""From design points to cost and scores. The core alone counts arrays, rebuilds weights and sums cost."""
