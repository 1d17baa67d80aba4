"""One setting: its declaration, the values it takes, and its JSON schema."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from target_gainsight.settings.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BOOLEANS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_URL = re.compile(r"\s*[a-z][a-z0-9+.-]+:/", re.IGNORECASE)


class Kind(Enum):
    """What a setting holds."""

    TEXT = auto()
    PATH = auto()
    INTEGER = auto()
    BOOLEAN = auto()
    NAMES = auto()
    OBJECT = auto()


JSON_TYPES: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("string",),
    Kind.PATH: ("string",),
    Kind.INTEGER: ("string", "integer"),
    Kind.BOOLEAN: ("string", "boolean"),
    Kind.NAMES: ("string", "array"),
    Kind.OBJECT: ("object",),
}
"""The JSON types of each kind. Meltano Hub's bot takes the first for Meltano's kind.

Text comes first, so that a value reaches the target as it was given: under the kinds integer,
boolean and options, Meltano ends a wrong value in a traceback or reads another value into it.
Objects are the exception: Meltano joins an object from its parts for the kind object alone.
"""


Scope = Literal["run", "stream", "entry"]
SDK_GROUP = "Singer SDK"
"""The group of the settings that all targets of the Singer SDK have."""


class InvalidValueError(Exception):
    """A value is not what the setting takes.

    Attributes:
        expected: What it takes.
        hint: A sentence on what seems to be meant, or nothing.
    """

    def __init__(self, expected: str, hint: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint


@dataclass(frozen=True)
class Setting:
    """The declaration of a setting.

    Attributes:
        description: What it does, in sentences; ``help`` adds choices and default.
        default: Its value when it is not given.
        choices: The only values that a text may have.
        refused: Other values that people try, each with a sentence on what to do instead.
        minimum: The smallest number.
        maximum: The greatest number.
        secret: Never displayed.
        scope: Whether it is set for the run, for streams (at the top or in an entry of
            ``streams``), or for one stream (in its entry alone).
        group: The heading under which it is documented.
    """

    kind: Kind
    description: str
    default: Any = None
    choices: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    minimum: int = 1
    maximum: int | None = None
    secret: bool = False
    scope: Scope | None = None
    name: str = ""
    group: str = ""

    @property
    def title(self) -> str:
        """Its label."""
        words = self.name.replace("_", " ").capitalize()
        return words.replace(" id", " ID").replace(" url", " URL")

    @property
    def help(self) -> str:
        """The description with choices and default, in sentences."""
        choices = ", ".join(f"`{choice}`" for choice in self.choices)
        return " ".join(
            [
                self.description,
                *([f"One of {choices}."] if choices else []),
                *([f"Default: `{self.shown_default}`."] if self.shown_default else []),
            ]
        )

    @property
    def shown_default(self) -> str:
        """The default as people write it; empty when there is none."""
        if self.default in {None, ()} or isinstance(self.default, str):
            return self.default or ""
        return json.dumps(self.default)

    @property
    def default_value(self) -> Any:  # noqa: ANN401 - what the kind says
        """The default as it is read."""
        return Path(self.default) if self.kind is Kind.PATH and self.default else self.default

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema that ``--about`` shows.

        It has neither ``default`` nor ``enum``: the Hub's bot would make a value that Meltano
        sends as if the user had chosen it, and a choice that Meltano checks with a traceback.
        Both stand in the description.
        """
        schema: dict[str, Any] = {
            "type": [*JSON_TYPES[self.kind], "null"],
            "title": self.title,
            "description": self.help,
        }
        return schema | ({"secret": True, "writeOnly": True} if self.secret else {})

    def read(self, value: object) -> Any:  # noqa: ANN401 - what the kind says
        """Turn a JSON value, or text from the environment, into what the setting holds.

        Args:
            value: The value; not None.

        Returns:
            Text, a path, a number, a boolean, a tuple of names or a dictionary.

        Raises:
            InvalidValueError: It is something else.
        """
        return _READERS[self.kind](self, value)


def _read_text(setting: Setting, value: object) -> str:
    if not isinstance(value, str):
        expected = "text"
        raise InvalidValueError(expected)
    if not setting.choices or value in setting.choices:
        return value
    expected = f"one of {', '.join(setting.choices)}"
    near = did_you_mean(value, setting.choices)
    raise InvalidValueError(expected, setting.refused.get(value.lower(), near))


def _read_path(setting: Setting, value: object) -> Path | None:
    text = _read_text(setting, value)
    if _URL.match(text) or "\0" in text:
        expected = "a path on this machine; URLs are not supported"
        raise InvalidValueError(expected)
    return Path(text) if text.strip() else setting.default_value


def _read_integer(setting: Setting, value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():  # JSON has no other way to tell 50.0
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        expected = "a whole number"
        raise InvalidValueError(expected)
    lowest, highest = setting.minimum, setting.maximum
    if value < lowest or (highest is not None and value > highest):
        upwards = f"of at least {lowest}" if highest is None else f"from {lowest} to {highest}"
        expected = f"a whole number {upwards}"
        raise InvalidValueError(expected)
    return value


def _read_boolean(_: Setting, value: object) -> bool:
    if isinstance(value, str):
        value = BOOLEANS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        expected = "true or false"
        raise InvalidValueError(expected)
    return value


def _read_names(_: Setting, value: object) -> tuple[str, ...]:
    """Read a list, or text: comma-separated, JSON, or a list as Meltano puts it into variables."""
    if isinstance(value, str):
        value = _list_in(value) or value.split(",")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        expected = "a list of names or comma-separated text"
        raise InvalidValueError(expected)
    names = (name.strip() for name in value)
    return tuple(dict.fromkeys(name for name in names if name))


def _list_in(text: str) -> list[Any] | None:
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _read_object(_: Setting, value: object) -> dict[str, Any]:
    found = object_in(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        expected = "an object"
        raise InvalidValueError(expected)
    return found


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a text, or None if it is something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def sdk_setting(name: str, schema: Mapping[str, Any]) -> Setting:
    """Return the declaration of a setting that the Singer SDK adds, from its JSON schema."""
    declared = schema["type"]
    types = {declared} if isinstance(declared, str) else set(declared)
    return Setting(
        next(kind for kind, json_types in JSON_TYPES.items() if json_types[-1] in types),
        " ".join(schema["description"].split()),
        default=schema.get("default"),
        scope="run",
        name=name,
        group=SDK_GROUP,
    )


_READERS: Mapping[Kind, Callable[[Setting, object], object]] = {
    Kind.TEXT: _read_text,
    Kind.PATH: _read_path,
    Kind.INTEGER: _read_integer,
    Kind.BOOLEAN: _read_boolean,
    Kind.NAMES: _read_names,
    Kind.OBJECT: _read_object,
}
