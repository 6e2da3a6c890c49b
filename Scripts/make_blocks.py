"""Makes Tests/Fixtures/blocks.json: random blocks of ggml's types, and what the package gguf makes of them.

    venv/bin/pip install gguf
    venv/bin/python Scripts/make_blocks.py Tests/Fixtures/blocks.json
"""
import base64, json, sys
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize

# Where halves stand in a block: random bytes there could be infinities, which no file has.
HALVES = {"F16": [0], "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
random = np.random.default_rng(7)
out = []
for name in ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]:
    block, size = GGML_QUANT_SIZES[Type[name]]
    count = max(1, 128 // block) if block < 256 else 2
    data = random.integers(0, 256, (count, size), dtype=np.uint8)
    for at in HALVES.get(name, []):
        data[:, at:at + 2] = random.normal(0, 0.1, (count, 1)).astype("<f2").view(np.uint8)
    if name in ("F32", "BF16"):
        values = random.normal(0, 1, count).astype("<f4")
        data = values.view(np.uint8).reshape(count, 4)[:, 4 - size:].copy()
    values = np.asarray(dequantize(data, Type[name]), dtype="<f4").reshape(-1)
    assert np.isfinite(values).all(), name
    out.append({"type": name, "bytes": base64.b64encode(data.tobytes()).decode(), "values": values.view("<u4").tolist()})
open(sys.argv[1], "w").write(json.dumps(out))
