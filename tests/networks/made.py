"""Networks as others train them, tiny, and a hub that serves them on this computer."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import torch

from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.loading import load_weights
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.networks.trained.trained_features import TrainedFeatures, describe

SMALL = {"embed_dim": 32, "depth": 2, "num_heads": 2}
#: A tiny network of each family, and the side to which patches of 30 px are brought.
FAMILIES = {
    "ViT": ("vit_tiny_patch16_224", {**SMALL, "patch_size": 8, "img_size": 80}, 64),
    "with registers": ("vit_small_patch14_reg4_dinov2", {**SMALL, "img_size": 56}, 112),
    "rotary ViT": ("vit_small_patch16_dinov3", {**SMALL, "img_size": 64}, 128),
    "ConvNeXt": ("test_convnext", {}, 160),
    "ResNet": ("test_resnet", {}, 160),
    "EfficientNet": ("test_efficientnet", {}, 160),
}
VIT = FAMILIES["ViT"][:2]


def save(folder, architecture, arguments, **changed):
    """Save a network as the hub's client leaves it; return its folder."""
    torch.manual_seed(1)
    net = timm().create_model(architecture, pretrained=False, num_classes=5, **arguments)
    for name, buffer in net.named_buffers():  # as if it had learned
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    folder.mkdir(parents=True)
    timm().models.save_for_hf(net, folder, model_args=arguments, safe_serialization=True)
    saved = json.loads((folder / "config.json").read_text())
    saved["pretrained_cfg"] |= {"license": "cc0-1.0", **changed}
    (folder / "config.json").write_text(json.dumps(saved))
    return folder


def loaded(name, channels=3, patch=(30, 30), file=None, architecture=None, **choices):
    origin = find_origin(str(name), file, architecture)
    features = TrainedFeatures(describe(origin, channels, patch, **choices), channels).eval()
    load_weights(features, origin, file)
    return features


def images(channels=3, side=30):
    """Images without the extremes, which an interpolation would overshoot."""
    made = torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(0))
    return 0.35 + 0.3 * made


class Hub(BaseHTTPRequestHandler):
    """A hub with one open network, and one that is given to those who ask."""

    folder: Path
    #: Whether files of weights end in the middle, as where a line is cut.
    cut = False
    log_message = staticmethod(lambda *args: None)

    def do_HEAD(self):
        owner, _, _, revision, name = [*self.path.split("/", 5)[1:], *[""] * 5][:5]
        path = self.folder / name
        refused = {"gated": (403, "GatedRepo"), "none": (401, "RepoNotFound")}.get(owner)
        if refused is None and revision not in ("main", "v1", "ab" * 20):
            refused = 404, "RevisionNotFound"
        if refused is None and not path.is_file():
            refused = 404, "EntryNotFound"
        self.send_response(refused[0] if refused else 200)
        if refused:
            self.send_header("X-Error-Code", refused[1])
            self.send_header("X-Error-Message", refused[1])
        self.send_header("X-Repo-Commit", "ab" * 20)
        self.send_header("ETag", f'"{name}"')
        content = b"" if refused else path.read_bytes()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def do_GET(self):
        content = self.do_HEAD()
        cut = self.cut and self.path.endswith("safetensors")
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = True
