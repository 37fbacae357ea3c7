"""A fixed computation whose digits show whether two machines compute the same scores: no model, no data, under a second."""

import numpy as np

from dse.files import hash_parts
from dse.records.callbacks import ProgressCallback

TOKENS, ROWS, HIDDEN, FFN, HEADS, LAYERS = 48, 8, 384, 1536, 12, 2
"""Shape of the encoder: that of MiniLM, with fewer layers."""


def compute_canary(report: ProgressCallback) -> str:
    """Return a hash of the outputs of an encoder with drawn weights, in bf16 and in fp32, with inputs in 8 bits."""
    import torch
    from torch.nn import functional

    from dse.models.inference.crossbar import quantise_inputs
    from dse.models.precision import multiply

    del report
    chance, outputs = np.random.default_rng(0), []

    def draw(*shape: int) -> torch.Tensor:
        return torch.from_numpy(chance.standard_normal(shape, dtype=np.float32))

    def drive(vector: torch.Tensor, width: int) -> torch.Tensor:
        weight = draw(width, vector.shape[-1]).to(vector.dtype)
        return multiply(quantise_inputs(vector, 8), weight / vector.shape[-1] ** 0.5)

    with torch.inference_mode():
        for precision in (torch.bfloat16, torch.float32):
            hidden = draw(ROWS, TOKENS, HIDDEN).to(precision)
            for _ in range(LAYERS):
                parts = [drive(hidden, HIDDEN).view(ROWS, TOKENS, HEADS, -1).transpose(1, 2) for _ in range(3)]
                attended = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
                attended = attended.transpose(1, 2).reshape(hidden.shape)
                hidden = functional.layer_norm(hidden + drive(attended, HIDDEN), (HIDDEN,))
                wide = functional.gelu(drive(hidden, FFN))
                hidden = functional.layer_norm(hidden + drive(wide, HIDDEN), (HIDDEN,))
            outputs.append(np.ascontiguousarray(hidden.float().numpy()).data)
    return hash_parts(outputs).hex()
