"""The errors a user can cause, each one clear sentence.

Every message names what is wrong (the file, if there is one) and the remedy.
The command line prints it and exits with 2; the dock widgets show it.
"""


class PatchmapError(Exception):
    """Something the user can mend; the message says what and how.

    Not a :class:`RuntimeError` on purpose: Qt workers swallow those.
    """


class PatchError(PatchmapError):
    """Images that cannot be made into a patch set."""


class MixedSizesError(PatchError):
    """Images of several sizes; ``sizes`` (resize, crop or pad) has to be chosen."""


class UnclearAxesError(PatchError):
    """A stack of which one cannot tell which axis is what; ``axes`` has to be given."""


class ConfigError(PatchmapError):
    """A setting outside its range."""


class MissingPackageError(PatchmapError):
    """A setting needs a package that is not installed; the message says how to install it."""


class TrainingError(PatchmapError):
    """Training that could not start or had to end."""


class TrainingStopped(TrainingError):
    """Training that the person ended at once, without a map."""


class RunError(PatchmapError):
    """A run folder that cannot be written or read."""
