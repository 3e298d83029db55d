"""Do features of a trained network cost what a bare loop over timm's model costs?

    python benchmarks/trained_speed.py [--cells 1000] [--side 64]

Random weights and random pixels do: neither changes the time. Both look at the same cells in
the same precision on the same device, in turns, and the ratio of each pair counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.device import choose_device
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.origin import Origin
from napari_patchmap.networks.trained.trained_features import describe


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--model", default="vit_small_patch16_224")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=0, help="of the bare loop; 0: the fastest")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    device = choose_device(args.device, args.precision)
    size = (args.side, args.side)
    generator = torch.Generator().manual_seed(0)
    shape = (args.cells, args.side, args.side, 3)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    pixels = pixels.permute(0, 3, 1, 2)
    # All of a cell goes in, as where nothing has to be resized.
    config = timm().get_pretrained_cfg(args.model).to_dict() | {"crop_pct": 1.0}
    record = describe(Origin(args.model, args.model, config), 3, size, side=args.side)
    spec = NetworkSpec(f"pretrained:{args.model}", 3, size, (), out_dim=0, trained=record)
    network = Network(spec).eval().to(device.target)
    net = timm().create_model(args.model, num_classes=0, img_size=args.side).eval()
    net.load_state_dict(network.backbone.net.state_dict())  # type: ignore[union-attr]
    net.to(device.target)
    mean, std = (
        torch.tensor(values, device=device.target).view(1, 3, 1, 1)
        for values in (record.mean, record.std)
    )

    @torch.inference_mode()
    def bare(batch: int) -> np.ndarray:
        made = []
        with device.autocast():
            for start in range(0, args.cells, batch):
                images = pixels[start : start + batch].to(device.target).float() / 255
                made.append(net((images - mean) / std).float().cpu())
        return torch.cat(made).numpy()

    def ours() -> np.ndarray:
        return infer(network, pixels, half=device.half)[0]

    apart = np.abs(ours() - bare(64)).max()
    batch = args.batch or min((16, 64, 256), key=lambda one: timed(lambda: bare(one)))
    ratios = []
    for turn in range(args.pairs):
        first, second = (ours, lambda: bare(batch))[:: 1 if turn % 2 else -1]
        times = {first: timed(first), second: timed(second)}
        own = times.pop(ours)
        (theirs,) = times.values()
        ratios.append(own / theirs)
        print(f"ours {own:.2f} s, bare loop of {batch} {theirs:.2f} s: {ratios[-1]:.3f}")
    print(
        f"{args.model} at {args.side} px, {args.cells:,} cells, {device.reason}: ratio "
        f"{np.median(ratios):.3f} (median of {args.pairs}; {min(ratios):.3f} to "
        f"{max(ratios):.3f}); features differ by at most {apart:.2g}"
    )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes; of a lone core, those that it computed."""
    gpu = torch.cuda.is_available()
    # Whoever else is at work then takes nothing of what is measured.
    clock = time.process_time if torch.get_num_threads() == 1 and not gpu else time.perf_counter
    began = clock()
    work()  # which ends with its features in the computer's memory
    return clock() - began


if __name__ == "__main__":
    main()
