"""What a run that is resumed keeps of its plan, whatever would be decided anew today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_patchmap.methods.recipe import RecipeKind, kind_of
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.trained.trained_record import TrainedRecord


@dataclass(frozen=True)
class Kept:
    """The part of a plan on which the map depends.

    Device, precision, and where the pixels are kept may change between a stop and a
    resume; network, batch and with them the schedule may not.
    """

    backbone: str
    #: What is written of it where it came trained.
    trained: TrainedRecord | None
    #: Of recipe; a ResNet had that of the papers whatever the preset, before it was noted.
    kind: RecipeKind
    batch_size: int
    #: In which a step was computed; batch normalisation averages over one.
    parts: int
    #: Whether features are averaged over symmetries; None if the method alone decides.
    averaged: bool | None
    #: Patches that are held out, to tell whether it helps that a trained network learns on.
    held_out: int
    #: Steps in which that learns.
    judged: int
    #: Size at which patches are trained, in pixels.
    size: tuple[int, int]
    #: What :func:`described` said of the device; empty if nobody knows.
    device: dict[str, Any]

    @classmethod
    def of(cls, state: dict[str, Any]) -> Kept:
        """Read it in a checkpoint."""
        backbone = str(state["spec"]["backbone"])
        return cls(
            backbone=backbone,
            kind=state["plan"].get("recipe", kind_of(backbone, "paper")),
            trained=NetworkSpec.from_dict(state["spec"]).trained,
            batch_size=int(state["plan"]["stages"][0]["batch_size"]),
            parts=int(state["parts"]),
            averaged=state["plan"].get("averaged"),
            held_out=int(state["plan"].get("held_out", 0)),
            judged=sum(bool(one.get("judged")) for one in state["plan"]["stages"]),
            size=(int(state["spec"]["size"][0]), int(state["spec"]["size"][1])),
            device=dict(state.get("device") or {}),
        )

    def note(self, device: Device) -> str | None:
        """Say in a sentence what another device changes; None where it is the same."""
        now, before = described(device), self.device
        if not before or before == now:
            return None
        why = "numbers are rounded otherwise there"
        if before["kind"] != now["kind"]:
            why = "each kind of device draws its own random numbers"
        return (
            f"The run was begun on {before['name']}, and goes on with the same network, batch "
            f"and schedule on {now['name']}; {why}, so the map is as good, but not the same, "
            "as without the interruption."
        )


def described(device: Device) -> dict[str, Any]:
    """Say in plain values by what another device is told from this one."""
    name = device.reason
    if device.is_cpu:  # with other threads it is the same
        name = f"CPU, {device.half_name or 'float32'}"
    return {"kind": device.target.type, "name": name}
