"""Files of networks: from Hugging Face, or from a folder that its client left."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from napari_patchmap.errors import ConfigError, MissingPackageError
from napari_patchmap.networks.trained.known_networks import KNOWN

#: Where timm looks for weights, in this order.
WEIGHTS = (
    "model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth",
    "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
)  # fmt: skip
CONFIG = "config.json"

#: OWNER/NAME, and a branch, tag or commit.
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")

#: No room on a disk, none left of what a person may take, too much for one file.
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))

#: Letters of a reason that are told at most.
_LONG = 160

_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


class GateClosedError(ConfigError):
    """A network is given only to those who ask for it."""


class NotReachedError(ConfigError):
    """A file of a network is not on this computer and cannot be downloaded."""


def hub_file(repository: str, revision: str, names: tuple[str, ...]) -> tuple[Path, str]:
    """Return the first of some files that a repository has, and the commit it is of.

    It is downloaded unless Hugging Face's cache on this computer holds it.

    Raises
    ------
    GateClosedError
        If the network is given only to those who ask for it.
    NotReachedError
        If there is no internet, or the download was interrupted.
    ConfigError
        If there is no such network, revision or file.
    """
    try:
        from huggingface_hub import errors as hub
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError:
        raise MissingPackageError(
            "huggingface_hub is not installed, which this network needs; install it with: pip "
            "install huggingface_hub"
        ) from None
    page = f"https://huggingface.co/{repository}"
    for name in names:
        try:
            path = Path(hf_hub_download(repository, name, revision=revision or None))
        except hub.GatedRepoError:
            raise GateClosedError(
                f"{repository} is given to those who ask for it: ask at {page}, and once it is "
                f"granted, download {CONFIG} and the weights there into a folder and give that "
                "folder as the network (or log in on this computer with: hf auth login)."
            ) from None
        except hub.RevisionNotFoundError:
            raise ConfigError(
                f"{repository} has no revision {revision!r}; choose one of {page}/commits."
            ) from None
        except hub.RepositoryNotFoundError:
            raise ConfigError(
                f"There is no network {repository!r} at Hugging Face (or it is hidden from "
                f"those who have not logged in); check the name at {page}."
            ) from None
        except hub.LocalEntryNotFoundError as error:
            raise _not_reached(repository, error.__cause__ or error) from None
        except hub.EntryNotFoundError:
            continue
        except Exception as error:  # noqa: BLE001 - a download fails in any way
            if isinstance(error, OSError) and error.errno in _FULL:
                raise _no_room(repository) from None
            raise _not_reached(repository, error) from None
        commit = path.parent.name if path.parent.parent.name == "snapshots" else revision
        return path, commit
    raise ConfigError(
        f"{repository} holds no {names[0]}, so it is no network that timm can make; choose one "
        "whose page names timm as its library."
    )


def _no_room(repository: str) -> ConfigError:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    known = KNOWN.get(repository)
    size = f" (its weights take {known.megabytes:,.0f} MB)" if known and known.millions else ""
    return ConfigError(
        f"The disk of {folder} is full, so {repository} cannot be downloaded{size}; make room "
        "there, or set HF_HOME to a folder with room and start again."
    )


def _not_reached(repository: str, error: BaseException) -> NotReachedError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    if "offline mode" in reason:
        reason = "downloads are switched off here by HF_HUB_OFFLINE"
    elif len(reason) > _LONG:
        reason = reason[:_LONG].rpartition(" ")[0] + " ..."
    return NotReachedError(
        f"{repository} cannot be downloaded ({reason}); on a computer with internet get "
        f"{CONFIG} and {WEIGHTS[0]} from https://huggingface.co/{repository}/tree/main, put "
        "both into a folder, and give that folder as the network."
    )


def network_folder(path: Path) -> tuple[Path, str]:
    """Return the folder in which a network's files lie, and its revision ("" if unknown).

    ``path`` is that folder, or one of Hugging Face's cache (``models--OWNER--NAME``).

    Raises
    ------
    ConfigError
        If the download is not finished, or there is no config.json.
    """
    snapshots = path / "snapshots"
    if snapshots.is_dir():
        main = path / "refs" / "main"
        commit = main.read_text("utf-8").strip() if main.is_file() else ""
        newest = sorted(snapshots.iterdir(), key=lambda one: one.stat().st_mtime)
        if commit and (snapshots / commit).is_dir():
            path = snapshots / commit
        elif newest:
            path = newest[-1]
    if not (path / CONFIG).is_file():
        _check_whole(path, CONFIG)
        raise ConfigError(
            f"{path} holds no {CONFIG}, which says which network its weights are of; get it "
            "from where the weights are from."
        )
    return path, path.name if path.parent.name == "snapshots" else ""


def weights_in(folder: Path) -> Path:
    """Return the file of weights in a folder, by timm's order; ConfigError if none is there."""
    found = [folder / name for name in WEIGHTS if (folder / name).is_file()]
    found += [
        path for ending in _ENDINGS for path in sorted(folder.glob(f"*{ending}"))
        if path.is_file()
    ]  # fmt: skip
    if found:
        return found[0]
    _check_whole(folder, WEIGHTS[0])
    raise ConfigError(
        f"{folder} holds no weights ({WEIGHTS[0]}); get them from where its {CONFIG} is from."
    )


def is_weights(path: Path) -> bool:
    """Whether a name ends as those of files of weights do."""
    return path.suffix in _ENDINGS


def _check_whole(folder: Path, name: str) -> None:
    """Say so where a download was interrupted."""
    # Beside the files themselves, or in the cache of which the folder is a snapshot.
    cached = folder.parent.name == "snapshots"
    blobs = folder.parent.parent / "blobs" if cached else folder
    parts = [*folder.rglob("*.incomplete"), *blobs.glob("*.incomplete")]
    # Of what broke off, the hub's client leaves nothing but what came before it.
    if cached or parts or list(folder.glob("*.part")):
        raise ConfigError(
            f"The download into {folder} is not finished, for {name} is not there as a whole; "
            "start it again, which goes on where it ended."
        )
