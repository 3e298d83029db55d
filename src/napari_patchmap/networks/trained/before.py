"""Networks of runs that wrote no record of them, before 2026-11-28."""

from __future__ import annotations

from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.origin import find_origin
from napari_patchmap.networks.trained.trained_record import TrainedRecord


def record_before(name: str, channels: int, patch: tuple[int, int]) -> TrainedRecord:
    """Return how such a run saw patches of (height, width): at the network's own size."""
    origin = find_origin(name)
    config, width = origin.config, {"resnet18": 512, "resnet34": 512}.get(name, 2048)
    if origin.library == "timm":
        net = timm().create_model(origin.architecture, pretrained=False, num_classes=0)
        config, width = timm().data.resolve_model_data_config(net), int(net.num_features)
    side = int(config["input_size"][-1])
    scale = round(side / config["crop_pct"]) / min(patch)
    height, wide = (max(side, round(length * scale)) for length in patch)
    return TrainedRecord(
        name=name,
        architecture=origin.architecture,
        takes=3,
        width=width,
        size=(side, side),
        scaled=(height, wide),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        library=origin.library,
        interpolation="bicubic" if config["interpolation"] == "bicubic" else "bilinear",
        channels="as-is" if channels == 3 else "each",
    )
