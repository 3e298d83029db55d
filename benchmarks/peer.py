"""Running tsimcne 0.3.12 in a Python of its own (``pip install tsimcne==0.3.12``)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

#: Its loader needs PIL images, and its torchvision may not match its torch.
_PROGRAM = """
    import json, sys, time, warnings
    warnings.filterwarnings("ignore")
    import torch
    kept = []
    try:
        import torchvision
    except RuntimeError:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name in ("nms", "qnms"):
            kept.append(torch.library.Library("torchvision", "FRAGMENT"))
            kept[-1].define(name + "(Tensor a, Tensor b, float c) -> Tensor")
    import numpy as np
    from PIL import Image
    from tsimcne.tsimcne import TSimCNE

    class Cells(torch.utils.data.Dataset):
        def __init__(self, pixels): self.pixels = pixels
        def __len__(self): return len(self.pixels)
        def __getitem__(self, i): return Image.fromarray(self.pixels[i]), 0

    pixels, out = np.load(sys.argv[1]), sys.argv[2]
    given = json.loads(sys.argv[3])
    model = TSimCNE(**given)
    began = time.perf_counter()
    model.fit(Cells(pixels))
    seconds = time.perf_counter() - began
    if given["total_epochs"][-1]:
        found = model.transform(Cells(pixels))
        np.save(out, np.asarray(found[0] if isinstance(found, tuple) else found))
    print("SECONDS", seconds)
"""


def train_peer(
    python: str, pixels: np.ndarray, **given: Any
) -> tuple[float, np.ndarray | None]:
    """Train with tsimcne's public class.

    Parameters
    ----------
    python : str
        Its Python.
    pixels : ndarray of uint8, shape (n, height, width, 3)
    **given
        Of ``TSimCNE``; among them total_epochs, three numbers.

    Returns
    -------
    seconds : float
        Of ``fit``.
    embedding : ndarray or None
        None without a last stage.
    """
    with tempfile.TemporaryDirectory() as folder:  # it writes checkpoints where it runs
        source, out = Path(folder) / "pixels.npy", Path(folder) / "map.npy"
        np.save(source, pixels)
        command = [python, "-c", textwrap.dedent(_PROGRAM), str(source), str(out)]
        done = subprocess.run(
            [*command, json.dumps(given)], capture_output=True, text=True, cwd=folder
        )
        said = [line for line in done.stdout.splitlines() if line.startswith("SECONDS")]
        if not said:
            sys.exit(f"tsimcne failed:\n{done.stderr[-2000:]}")
        return float(said[0].split()[1]), np.load(out) if out.exists() else None
