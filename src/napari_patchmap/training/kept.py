"""What a run that is resumed keeps of its plan, whatever would be decided anew today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_patchmap.networks.device import Device


@dataclass(frozen=True)
class Kept:
    """The part of a plan on which the map depends.

    Device, precision, and where the pixels are kept may change between a stop and a
    resume; network, batch and with them the schedule may not.

    Parameters
    ----------
    backbone : str
    batch_size : int
        Patches in a step.
    parts : int
        Parts in which a step was computed; batch normalisation averages over one.
    averaged : bool or None
        Whether features are averaged over symmetries; None if the method alone decides.
    device : dict
        What :func:`described` said of the device; empty if nobody knows.
    """

    backbone: str
    batch_size: int
    parts: int
    averaged: bool | None
    device: dict[str, Any]

    @classmethod
    def of(cls, state: dict[str, Any]) -> Kept:
        """Read it in a checkpoint."""
        return cls(
            backbone=str(state["spec"]["backbone"]),
            batch_size=int(state["plan"]["stages"][0]["batch_size"]),
            parts=int(state["parts"]),
            averaged=state["plan"].get("averaged"),
            device=dict(state.get("device") or {}),
        )

    def note(self, device: Device) -> str | None:
        """Say in a sentence what another device changes; None where it is the same."""
        now, before = described(device), self.device
        if not before or before == now:
            return None
        sentence = (
            f"The run was begun on {before['name']}, and goes on with the same network, batch "
            f"and schedule on {now['name']}; "
        )
        if before["kind"] != now["kind"]:
            return sentence + (
                "each kind of device draws its own random numbers, so the map is as good, but "
                "not the same, as without the interruption."
            )
        return sentence + (
            "numbers are rounded otherwise there, so the map is as good, but not the same, as "
            "without the interruption."
        )


def described(device: Device) -> dict[str, Any]:
    """Say in plain values by what another device is told from this one."""
    name = device.reason
    if device.is_cpu:  # with other threads it is the same
        half = "float32" if device.half is None else str(device.half).removeprefix("torch.")
        name = f"CPU, {half}"
    return {"kind": device.target.type, "name": name}
