"""Writes the names and shapes of the published networks' tensors, on which name maps are tested.

    python shapes.py FOLDER
"""

import sys
from pathlib import Path

from networks import NETWORKS

for name, make in NETWORKS.items():
    state = make().state_dict().items()
    tensors = [(key, tensor) for key, tensor in state if not key.endswith("num_batches_tracked")]
    lines = [f"{key} {'x'.join(map(str, tensor.shape))}\n" for key, tensor in tensors]
    (Path(sys.argv[1]) / f"{name}.txt").write_text("".join(lines))
