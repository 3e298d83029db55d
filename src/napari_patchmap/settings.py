"""Settings with a type, a unit, a range and a line of help, kept in one place.

A room describes its settings once, as a dataclass whose fields are made by
:func:`setting`. The same object validates the command line, builds the form in
the dock widget and is saved with the run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from napari_patchmap.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of one setting; forms and parsers are built from it.

    Parameters
    ----------
    name : str
        Of the field.
    type : type
        ``bool``, ``int``, ``float``, ``str``, or ``tuple`` for a sequence.
    default
        Value used when nothing is said.
    optional : bool
        Whether None is allowed and means "decide for me".
    help : str
        One line in the user's words; the tooltip and the command line's help.
    label : str
        Name in the form; the field's name with spaces when not given.
    unit : str
        Physical or counting unit of the value, empty for a pure number.
    low, high : float, optional
        Smallest and largest allowed value, both included.
    step : float, optional
        Step of the spin box in the form.
    group : str
        Heading under which the form shows the setting.
    rare : bool
        Folded away under "More" in the form.
    choices : tuple
        The only values that a text may have; a ``Literal`` says so by itself.
    suggestions : tuple of str
        Values of a text that the form offers; others can be typed.
    offered : bool
        Its values are those that are there, such as columns; whoever shows a form offers them.
    titles : mapping of str to str
        What the form calls choices that have another name in print.
    file : bool
        It is the path of a file, which people may choose.
    instead_of : str
        Another setting that says the same in another way: only one of them has a value.
    """

    name: str = ""
    type: type = str
    default: Any
    optional: bool = False
    help: str
    label: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    group: str = ""
    rare: bool = False
    choices: tuple[Any, ...] = ()
    suggestions: tuple[str, ...] = ()
    offered: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)
    file: bool = False
    instead_of: str = ""

    def check(self, value: Any) -> Any:
        """Return ``value`` in the setting's type, or raise :class:`ConfigError`."""
        if value is None:
            if self.optional:
                return None
            raise ConfigError(f"{self.label} needs a value.")
        if self.choices:
            if value not in self.choices:
                known = ", ".join(map(str, self.choices))
                raise ConfigError(f"{self.label} must be one of {known}; it was {value!r}.")
            return value
        if self.type is tuple:
            return tuple(self._number(v, float) for v in value)
        if self.type in (int, float):
            return self._number(value, self.type)
        if self.type is bool:
            return bool(value)
        return str(value)

    def _number(self, value: Any, kind: Callable[[Any], Any]) -> Any:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{self.label} must be a number; it was {value!r}.") from None
        if number != number:
            raise ConfigError(f"{self.label} must be a number; it was not a number (NaN).")
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and number < self.low:
            raise ConfigError(
                f"{self.label} must be at least {self.low:g}{unit}; it was {value}."
            )
        if self.high is not None and number > self.high:
            raise ConfigError(
                f"{self.label} must be at most {self.high:g}{unit}; it was {value}."
            )
        return number


def setting(default: Any, help: str, **details: Any) -> Any:
    """Declare one setting of a :class:`Config` dataclass; see :class:`Setting` for details."""
    known = Setting(default=default, help=help, **details)
    return field(default=default, metadata={"setting": known})


@dataclass(frozen=True)
class Config:
    """Base of the rooms' settings: validated, comparable, written as plain JSON."""

    def __post_init__(self) -> None:
        for item in self.settings():
            object.__setattr__(self, item.name, item.check(getattr(self, item.name)))
        for item in self.settings():
            if item.instead_of and getattr(self, item.name):
                object.__setattr__(self, item.instead_of, None)

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """Describe the settings in the order in which a form shows them."""
        if cls not in _DESCRIBED:
            _DESCRIBED[cls] = tuple(_describe(cls))
        return _DESCRIBED[cls]

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed, validated again."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values that JSON can hold."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild settings written by :meth:`to_dict`.

        Raises
        ------
        ConfigError
            If a name is unknown or a value is out of range.
        """
        unknown = sorted(set(values) - {one.name for one in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f"Unknown setting {unknown[0]!r} for {cls.__name__}.")
        return cls(**values)


#: What is known of the settings of each class: reading types from their names takes long.
_DESCRIBED: dict[type, tuple[Setting, ...]] = {}


def _describe(config: type[Config]) -> Iterator[Setting]:
    hints = get_type_hints(config)
    for one in dataclasses.fields(config):
        if "setting" not in one.metadata:
            continue  # for callers alone
        kind, choices, optional = _plain_type(hints[one.name])
        known: Setting = one.metadata["setting"]
        yield dataclasses.replace(
            known,
            name=one.name,
            type=kind,
            optional=optional,
            label=known.label or one.name.replace("_", " ").capitalize(),
            choices=choices or known.choices,
        )


def _plain_type(hint: Any) -> tuple[type, tuple[Any, ...], bool]:
    """Split a type hint into its bare type, its choices and whether None is allowed."""
    optional = False
    if get_origin(hint) in (Union, UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        optional = len(inner) < len(get_args(hint))
        hint = inner[0]
    if get_origin(hint) is Literal:
        choices: Sequence[Any] = get_args(hint)
        return type(choices[0]), tuple(choices), optional
    return get_origin(hint) or hint, (), optional
