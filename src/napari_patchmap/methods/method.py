"""What a method is: one description, from its name to how its network is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.errors import TrainingError
from napari_patchmap.methods.recipe import Recipe, RecipeKind, RecipeRequest
from napari_patchmap.networks.backbones import check_backbone
from napari_patchmap.networks.fine_tuned import FINE_TUNED, check_start

#: Settings of methods that see features of people's own.
OWN_SETTINGS = ("features", "feature_columns", "feature_scaling", "feature_gaps", "even_by")

#: Those of them that new patches have, too, which are placed on such a map.
NEW_SETTINGS = ("features", "feature_columns")


def _check_trained(backbone: str | None, weights: str | None) -> None:
    """Check the backbone of a method that trains it."""
    if weights is not None:
        check_start(backbone)
    if backbone is not None:
        check_backbone(backbone)


def _nothing_published(
    augment: AugmentConfig, kind: RecipeKind
) -> tuple[Mapping[str, Any], str]:
    return {}, ""


@dataclass(frozen=True)
class Method:
    """How a map is made. Everything that a method has to say of itself is said here.

    Parameters
    ----------
    name : str
        In settings and on the command line.
    title : str
        In print.
    help : str
        What it does, in the user's words; follows the name.
    stages : tuple of str
        What each stage that is trained does, in the user's words.
    layout : {"network", "tsne"}
        Whether the map is the network's output or the t-SNE of its features.
    batch_sizes : mapping
        Patches in a step by kind of recipe, those of "paper" where one is not named; of
        what is not trained, those that are looked at at once.
    epochs : mapping
        From the presets "standard" and "paper" to the epochs of each stage.
    quick_patches : mapping
        So many patches "quick" looks at in each stage, however many there are, likewise.
    recipe : callable, optional
        From a :class:`RecipeRequest` to how the backbone is trained; None where nothing is.
    head : str
        What follows the features while the network learns, see :data:`HEADS`.
    references : tuple of str
        What is to be cited for it.
    check : callable
        Given the backbone and the weights that were chosen, each None for the usual;
        raises ConfigError with a sentence.
    implied : callable, optional
        From the backbone that was chosen, or None, to the one that gives the features;
        None where the network that was chosen, or the usual one, is trained.
    unused : tuple of str
        Settings of the training that mean nothing to the method.
    sees_images : bool
        False where the map is made of features of people's own; there need be no images.
    refines : bool
        Whether the preset "quick" whitens the features and lays them out so that groups come
        apart; False where a map is to be what others make of the same numbers.
    published : callable
        From the augmentations and the kind of recipe to settings that are published for them,
        and a sentence about it; what was set by hand stays.
    """

    name: str
    title: str
    help: str
    batch_sizes: Mapping[RecipeKind, int] = field(
        default_factory=lambda: {"compact": 256, "paper": 256}
    )
    stages: tuple[str, ...] = ()
    layout: Literal["network", "tsne"] = "tsne"
    epochs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    quick_patches: Mapping[RecipeKind, tuple[float, ...]] = field(default_factory=dict)
    recipe: Callable[[RecipeRequest], Recipe] | None = None
    head: str = "projector"
    references: tuple[str, ...] = ()
    check: Callable[[str | None, str | None], None] = _check_trained
    implied: Callable[[str | None], str] | None = None
    unused: tuple[str, ...] = ()
    sees_images: bool = True
    refines: bool = True
    published: Callable[[AugmentConfig, RecipeKind], tuple[Mapping[str, Any], str]] = (
        _nothing_published
    )

    @property
    def trains(self) -> bool:
        """Whether a network learns from views; if not, patches are seen as they are."""
        return bool(self.stages)

    @property
    def not_seen(self) -> tuple[str, ...]:
        """Settings of what the method does not look at, such as features of people's own."""
        return OWN_SETTINGS if self.sees_images else ()

    def make_recipe(
        self,
        kind: RecipeKind,
        epochs: tuple[float, ...],
        batch_size: int,
        dimensions: int = 2,
        temperature: float | None = None,
    ) -> Recipe:
        """Return how the method trains a network, see :class:`RecipeRequest`.

        Raises
        ------
        TrainingError
            If there are more or fewer epochs than stages.
        """
        stages = len(self.stages)
        if epochs and self.recipe is None:
            raise TrainingError(
                f"The method {self.name} trains nothing, so it takes no epochs."
            )
        if len(epochs) != stages:
            words = {2: "two", 3: "three"}.get(stages, str(stages))
            need = f"{words} stages and needs {words} numbers"
            if stages == 1:
                need = "one stage and needs one number"
            raise TrainingError(f"{self.title} has {need} of epochs, not {len(epochs)}.")
        if self.recipe is None:
            return Recipe(stages=())
        return self.recipe(RecipeRequest(kind, epochs, batch_size, dimensions, temperature))

    def preset_epochs(self, preset: str, kind: RecipeKind, patches: int) -> tuple[float, ...]:
        """Epochs of each stage of a preset, for a set of so many patches."""
        if not self.stages:
            return ()
        if preset != "quick":
            return self.epochs[preset]
        seen = self.quick_patches.get(kind, self.quick_patches["paper"])
        return tuple(count / patches for count in seen)

    def usual_batch(self, kind: RecipeKind) -> int:
        """Patches in a step."""
        return self.batch_sizes.get(kind, self.batch_sizes["paper"])

    def backbone_of(self, chosen: str | None, weights: str | None, usual: str) -> str:
        """Name the network that gives the features, by the settings or the usual one."""
        if self.implied is not None:
            return self.implied(chosen)
        return FINE_TUNED + str(chosen) if weights is not None else chosen or usual

    def known(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings without what means nothing to the method, stages included."""
        unused = (*self.unused, *self.not_seen)
        kept = {name: value for name, value in settings.items() if name not in unused}
        if kept.get("epochs"):
            kept["epochs"] = kept["epochs"][: len(self.stages)]
        return kept
