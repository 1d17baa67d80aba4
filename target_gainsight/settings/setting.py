"""One setting: its declaration, its JSON schema, and how it is read; errors are collected."""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from target_gainsight.settings.kinds import INTEGER, KINDS, OBJECT, TEXT, TEXT_ONLY, Kind

Scope = Literal["run", "stream", "entry"]
SDK_GROUP = "Singer SDK"
"""The group of the settings that all targets of the Singer SDK have."""
DISPLAY_LENGTH = 80


class ConfigErrors(list[str]):
    """The messages of the errors found so far; the same one may be found at several settings."""

    def add(self, setting: str, got: str, expected: str, hint: str = "") -> None:
        """Add a value that is not what the setting takes."""
        self.append(f"{setting}: got {got}, expected {expected}. {hint}".rstrip())

    def has(self, setting: str) -> bool:
        """Return whether the value of a setting is one of the errors."""
        return any(message.startswith(f"{setting}: ") for message in self)


def display(value: object) -> str:
    """Show a value that is not a secret: on one line, shortened."""
    text = repr(value)
    return text if len(text) <= DISPLAY_LENGTH else f"{text[: DISPLAY_LENGTH - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


@dataclass(frozen=True)
class Setting:
    """The declaration of a setting.

    Attributes:
        kind: By default that of the field's type, which is `value_type`.
        otherwise: What to do instead of a choice that it does not have.
        minimum: The least number; a list or object may be empty.
        maximum: The largest number, or the most names or parts.
        scope: Whether it is set for the run, for streams (at the top or in an entry of
            ``streams``), or for one stream (in its entry alone).
    """

    description: str
    default: Any = None
    kind: Kind = TEXT
    value_type: Any = None
    choices: tuple[str, ...] = ()
    otherwise: str = ""
    minimum: int = 1
    maximum: int | None = None
    secret: bool = False
    scope: Scope = "run"
    name: str = ""
    group: str = ""

    @property
    def title(self) -> str:
        """The setting's label."""
        words = self.name.replace("_", " ").capitalize()
        return words.replace(" id", " ID").replace(" url", " URL")

    @property
    def help(self) -> str:
        """The description with choices and default, in sentences."""
        choices = ", ".join(f"`{choice}`" for choice in self.choices)
        listed = f" One of {choices}." if choices else ""
        default = f" Default: `{self.shown_default}`." if self.shown_default else ""
        return f"{self.description}{listed}{default}"

    @property
    def shown_default(self) -> str:
        """The default as people write it; empty when there is none."""
        if isinstance(self.default, (bool, int)):
            return json.dumps(self.default)
        return str(self.default) if isinstance(self.default, (str, Path)) else ""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema that ``--about`` shows.

        Defaults and choices are in the description only. From ``default``, Meltano Hub would make
        a value that Meltano sends as if the user had set it; for a value outside of ``enum``,
        Meltano fails with a traceback.
        """
        types = [*self.kind.json_types, "null"]
        secret = {"secret": True, "writeOnly": True} if self.secret else {}
        return {"type": types, "title": self.title, "description": self.help, **secret}

    @property
    def expected(self) -> str:
        """What the setting takes."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        expected = self.kind.expected
        if self.kind is not INTEGER:
            return f"{expected}, at most {self.maximum}" if self.maximum else expected
        bounds = f"from {self.minimum} to {self.maximum}"
        return f"{expected} {bounds if self.maximum else f'of at least {self.minimum}'}"

    def hint(self, value: object) -> str:
        """Say what may be meant by a wrong value; empty where nothing comes near."""
        if self.kind is OBJECT and isinstance(value, str):
            return "Text must be JSON, with double quotes around names and texts."
        return did_you_mean(str(value), self.choices) or self.otherwise

    def read(self, value: object) -> Any:  # noqa: ANN401 - what the kind says
        """Return a JSON value, or text, as what the setting holds; None if it is not that."""
        if isinstance(value, str):
            value = value.strip()
        elif self.kind.json_types == TEXT_ONLY:
            return None
        found = self.kind.read(value)
        if found is None or (self.choices and found not in self.choices):
            return None
        if self.kind is INTEGER and found < self.minimum:
            return None
        size = len(found) if isinstance(found, (tuple, dict)) else found
        return None if self.maximum is not None and size > self.maximum else found


def declare(description: str, default: Any = None, **options: Any) -> Any:  # noqa: ANN401
    """Return a dataclass field that is a setting; its type says what the setting holds."""
    metadata = {"setting": Setting(description, default, **options)}
    is_shown = not options.get("secret")
    return field(default_factory=lambda: default, repr=is_shown, metadata=metadata)


def settings_of(settings_class: type) -> dict[str, Setting]:
    """Return the settings that the fields of a dataclass declare, by name."""
    hints = get_type_hints(settings_class)
    settings = {}
    for each in fields(settings_class):
        if declared := each.metadata.get("setting"):
            value_type = hints[each.name]
            if get_origin(value_type) in {Union, UnionType}:
                value_type = get_args(value_type)[0]  # the others are None, or a parsed value
            choices = get_args(value_type) if get_origin(value_type) is Literal else ()
            kind = TEXT if choices else KINDS.get(get_origin(value_type) or value_type, OBJECT)
            kind = declared.kind if declared.kind is not TEXT else kind
            settings[each.name] = replace(
                declared, name=each.name, kind=kind, value_type=value_type, choices=choices
            )
    return settings


def read_values(
    raw: Mapping[str, Any], declared: Mapping[str, Setting], errors: ConfigErrors, prefix: str = ""
) -> dict[str, Any]:
    """Read each given value as its setting declares it; a null or blank text is not given."""
    values = {}
    for setting in declared.values():
        given, name = raw.get(setting.name), prefix + setting.name
        if given is None or (isinstance(given, str) and not given.strip()):
            continue
        value = setting.read(given)
        if value is None:
            is_hidden = setting.secret or setting.kind.may_be_secret.search(str(given))
            got = "a hidden value" if is_hidden else display(given)
            errors.add(name, got, setting.expected, setting.hint(given))
        else:
            values[setting.name] = _read_parts(value, setting.value_type, name, errors)
    return values


def read_object_of(
    declared: Mapping[str, Setting], raw: object, name: str, expected: str, errors: ConfigErrors
) -> dict[str, Any] | None:
    """Read an object that has these settings and no others; None if it is something else."""
    if not isinstance(raw, dict):
        errors.add(name, display(raw), expected)
        return None
    for key in raw:
        if key not in declared:
            hint = did_you_mean(key, declared) or f"Known are {', '.join(declared)}."
            errors.append(f"{name}.{key} is unknown. {hint}")
    return read_values(raw, declared, errors, f"{name}.")


def _read_parts(value: Any, value_type: Any, name: str, errors: ConfigErrors) -> Any:  # noqa: ANN401
    """Read the parts of an object that holds names by column, or settings of its own."""
    part = get_args(value_type)[-1] if get_origin(value_type) is Mapping else None
    if is_dataclass(value_type):
        return _read_settings_object(value, value_type, name, errors) if value else None
    if is_dataclass(part):
        return {
            key: _read_settings_object(each, part, f"{name}.{key}", errors)
            for key, each in value.items()
        }
    if part is str:
        value = join_names(value, lambda _: True)
        for column, each in value.items():
            if not isinstance(each, str) or not each.strip():
                errors.add(f"{name}.{column}", display(each), "a name")
    return value


def _read_settings_object(raw: object, settings_class: Any, name: str, errors: ConfigErrors) -> Any:  # noqa: ANN401
    """Read an object as a dataclass of settings, which needs those without a default."""
    declared = settings_of(settings_class)
    values = read_object_of(declared, raw, name, f"an object of {', '.join(declared)}", errors)
    if values is None:
        return None
    for key, each in declared.items():
        if each.default is None and not (values.get(key) or errors.has(f"{name}.{key}")):
            errors.append(f"{name}.{key} is missing: {each.description}")
    return settings_class(**values)


def join_names(
    raw: Mapping[str, Any], is_part: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Any]:
    """Join names with dots, which Meltano splits: ``{address: {city: …}}`` is ``address.city``."""
    joined: dict[str, Any] = {}
    for name, value in raw.items():
        if value and isinstance(value, dict) and is_part(value):
            joined |= {f"{name}.{rest}": each for rest, each in join_names(value, is_part).items()}
        else:
            joined[name] = value
    return joined


def sdk_setting(name: str, schema: Mapping[str, Any]) -> Setting:
    """Return the declaration of a setting that the Singer SDK adds, from its JSON schema."""
    declared = schema["type"]
    types = {declared} if isinstance(declared, str) else set(declared)
    return Setting(
        " ".join(schema["description"].split()),
        schema.get("default"),
        kind=next(kind for kind in KINDS.values() if kind.json_types[-1] in types),
        name=name,
        group=SDK_GROUP,
    )
