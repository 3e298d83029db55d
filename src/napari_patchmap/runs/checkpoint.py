"""What a run needs to go on after an interruption, in one file that is always whole.

``RUN/checkpoint/state.safetensors`` holds tensors by name and everything else as
JSON in its header; no pickle is read or written.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.writing import is_leftover, leftovers, write_whole

#: Folder in a run's folder, and the file in it.
FOLDER, STATE = "checkpoint", "state.safetensors"

#: Features of a stage at rest, written once and not with every checkpoint.
FEATURES = "features.safetensors"

#: Header entry with the JSON; raised when the meaning of a checkpoint changes.
_ENTRY, _FORMAT = "patchmap", 2

#: Settings that may change between a stop and a resume, since they do not change the map.
FREE = ("device", "pixels", "checkpoint_every")

#: Marks a tensor in the JSON by its name.
_TENSOR = "$tensor"


def state_file(run: str | Path) -> Path:
    """Path of the checkpoint of a run's folder, whether it exists or not."""
    return Path(run) / FOLDER / STATE


def is_unfinished(run: str | Path) -> bool:
    """Whether a folder holds a run that can be continued."""
    return state_file(run).is_file()


def check_ours(run: Path) -> None:
    """Raise a :class:`RunError` if there is a folder ``checkpoint`` of somebody else."""
    state = state_file(run)
    foreign = False
    # Where it cannot be read, whose it is cannot be told any more.
    with contextlib.suppress(OSError, SafetensorError):
        if state.exists():
            with safe_open(state, "pt") as file:
                foreign = _ENTRY not in (file.metadata() or {})
        else:
            names = {path.name for path in state.parent.iterdir()} - {STATE, FEATURES}
            foreign = not all(map(is_leftover, names))
    if foreign:
        raise RunError(
            f"{run} holds a folder '{FOLDER}' that patchmap did not write; choose another "
            "folder for the run."
        )


def check_same_settings(saved: RunConfig, wanted: RunConfig, run: Path) -> None:
    """Raise a :class:`RunError` that names the settings that a run was not started with."""
    changes = []
    for before, now in ((saved.train, wanted.train), (saved.augment, wanted.augment)):
        old, new = before.to_dict(), now.to_dict()
        changes += [
            f"{name.replace('_', ' ')} was {old[name]} and is {new[name]} now"
            for name in old
            if name not in FREE and old[name] != new[name]
        ]
    if changes:
        raise RunError(
            f"The run in {run} was started with other settings ({'; '.join(changes)}); resume "
            "it with the same, or start another run in a new folder."
        )


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a tree of dicts, lists, plain values and tensors, whole or not at all.

    Keys are text or whole numbers. The folder is made if need be.

    Raises
    ------
    OSError
        If there is no room or no permission; an older file stays as it was.
    """
    tensors: dict[str, Tensor] = {}
    plain = _take_tensors(state, "", tensors)
    header = {_ENTRY: json.dumps({"format": _FORMAT, "state": plain})}
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in leftovers(path.parent):  # of a process that was killed
        with contextlib.suppress(OSError):
            part.unlink()
    write_whole(path, save(tensors, metadata=header))


def read_state(path: Path, *, tensors: bool = True) -> dict[str, Any]:
    """Read what :func:`write_state` wrote, tensors on the CPU.

    Without ``tensors`` None is in their place: quick, however large they are.

    Raises
    ------
    RunError
        If the file is missing, damaged or of another version.
    """
    try:
        with safe_open(path, "pt") as file:
            written = file.metadata() or {}
            if _ENTRY not in written:
                raise RunError(
                    f"{path} was not written by patchmap; choose another folder for the run."
                )
            saved = json.loads(written[_ENTRY])
            if saved["format"] != _FORMAT:
                raise RunError(
                    f"{path} was written by another version of patchmap; start the run anew "
                    "in another folder."
                )
            return dict(_put_tensors(saved["state"], file if tensors else None))
    except FileNotFoundError:
        run = path.parent.parent
        if (run / "config.json").exists():
            raise RunError(
                f"The run in {run} is finished, so there is nothing to resume."
            ) from None
        raise RunError(f"{run} holds no unfinished run; start it without --resume.") from None
    except RunError:
        raise
    except Exception as error:  # a damaged file may raise anything
        raise RunError(
            f"{path} is damaged ({words(error)}); remove the folder and start the run anew."
        ) from error


def remove_checkpoint(run: str | Path) -> None:
    """Remove the checkpoint of a run that has ended; what others put beside it stays."""
    state = state_file(run)
    for path in (state, state.with_name(FEATURES), *leftovers(state.parent)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        state.parent.rmdir()


def _take_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Copy a tree with names in place of its tensors, which go to ``tensors``."""
    if isinstance(value, Tensor):
        # Cloned on the CPU, so that tensors which share memory are both written.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {_TENSOR: name}
    if isinstance(value, dict):
        # Pairs, since JSON would turn whole-number keys into text.
        return {
            "$dict": [
                [key, _take_tensors(item, f"{name}/{key}", tensors)]
                for key, item in value.items()
            ]
        }
    if isinstance(value, list | tuple):
        return [_take_tensors(item, f"{name}/{i}", tensors) for i, item in enumerate(value)]
    return value


def _put_tensors(value: Any, file: Any) -> Any:
    if isinstance(value, list):
        return [_put_tensors(item, file) for item in value]
    if isinstance(value, dict):
        if _TENSOR in value:
            return None if file is None else file.get_tensor(value[_TENSOR])
        return {key: _put_tensors(item, file) for key, item in value["$dict"]}
    return value
