"""The errors a user can cause, each one clear sentence.

Every message names what is wrong (the file, if there is one) and the remedy.
The command line prints it and exits with 2; the dock widgets show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class PatchmapError(Exception):
    """Something the user can mend; the message says what and how.

    Not a :class:`RuntimeError` on purpose: Qt workers swallow those.

    Attributes
    ----------
    setting : str
        Name of the setting that it is about, where that is known: a form marks its field.
    """

    setting: str = ""


class PatchError(PatchmapError):
    """Images that cannot be made into a patch set."""

    def of(self, path: object, remedy: str = "") -> PatchError:
        """Return the error of a file that was not named yet; a whole sentence stays."""
        return self


class MixedSizesError(PatchError):
    """Images of several sizes; ``sizes`` (resize, crop or pad) has to be chosen."""


class UnclearAxesError(PatchError):
    """A stack of which one cannot tell which axis is what; ``axes`` has to be given.

    Parameters
    ----------
    sentence : str
    readings : sequence of str
        Axes that may be meant, the likeliest first.
    """

    def __init__(self, sentence: str, readings: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.readings = tuple(readings)


class UnclearArrayError(PatchError):
    """A file of several arrays that does not say which holds the images; ``key`` has to.

    Parameters
    ----------
    sentence : str
    keys : sequence of str
        Names of those that may be meant.
    """

    def __init__(self, sentence: str, keys: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.keys = tuple(keys)


class SingleImageError(PatchError):
    """One image in place of many patches, which can be cut out of it.

    Parameters
    ----------
    sentence : str
    ways : sequence of {"tiles", "objects"}
        How patches can be cut out of it.
    """

    def __init__(self, sentence: str, ways: Sequence[str]) -> None:
        super().__init__(sentence)
        self.ways = tuple(ways)


class UnusableError(PatchError):
    """A file that cannot be used, in a few words without its name.

    Who knows the name makes the sentence: :meth:`of`. A list of what was left out names
    the file anyway and takes the words.

    Parameters
    ----------
    reason : str
        Follows the name of the file, such as "is cut off".
    remedy : str
        What to do, such as "copy or export it again".
    readings : sequence of str
        Where giving the axes would help: those that may be meant.
    """

    def __init__(self, reason: str, remedy: str = "", readings: Sequence[str] = ()) -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
        self.reason, self.remedy, self.readings = reason, remedy, tuple(readings)

    def of(self, path: object, remedy: str = "") -> PatchError:
        """Return the error of a file, in a sentence; ``remedy`` where it has none itself."""
        known = self.remedy or remedy
        sentence = f"{path} {self.reason}; {known}." if known else f"{path} {self.reason}."
        if self.readings:
            return UnclearAxesError(sentence, self.readings)
        return PatchError(sentence)


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


class AnnotationError(PatchmapError):
    """A name or a file of annotations that cannot be taken."""


class SuggestionError(PatchmapError):
    """Features or annotations from which nothing can be suggested or found."""


class QualityError(PatchmapError):
    """A figure of quality cannot be computed of these patches."""


class BatchError(PatchmapError):
    """Batches whose features cannot be evened out."""


class FindError(PatchmapError):
    """Nothing of this kind can be looked for among these patches."""


@contextmanager
def about(setting: str) -> Iterator[None]:
    """Say of an error which setting it is about, unless that was said."""
    try:
        yield
    except PatchmapError as error:
        error.setting = error.setting or setting
        raise
