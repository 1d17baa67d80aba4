"""Single values of a tenant's description, checked: a mistake names its place and what is right.

A place is written as the keys that lead there, such as `objects.company.fields.ARR.length`. Knows
nothing of what the values are for.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Plain = Mapping[str, Any]
_Value = TypeVar("_Value")

_KIND_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


class SandboxConfigError(ValueError):
    """The description of the tenant is not valid; the message has what is expected."""


def read_value(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 - checked here
    """Read a value of a type; true is not a number.

    Raises:
        SandboxConfigError: It is of another kind.
    """
    wrong_bool = isinstance(value, bool) and kind is not bool
    if wrong_bool or not isinstance(value, kind):
        name = "a number" if isinstance(kind, tuple) else _KIND_NAMES[kind]
        message = f"{where}: {name} is wanted, not {value!r}"
        raise SandboxConfigError(message)
    return value


def read_mapping(value: object, where: str) -> Plain:
    """Read a mapping; a missing one is empty.

    Raises:
        SandboxConfigError: It is anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"{where}: a mapping is wanted, not {value!r}"
        raise SandboxConfigError(message)
    return value


def read_each(
    make: Callable[[Plain, str], _Value], listed: object, where: str
) -> tuple[_Value, ...]:
    """Read each mapping of a list; a missing list is empty.

    Raises:
        SandboxConfigError: It is no list of mappings.
    """
    return tuple(
        make(read_mapping(each, f"{where}[{index}]"), f"{where}[{index}]")
        for index, each in enumerate(_listed(listed, where))
    )


def read_texts(listed: object, where: str) -> tuple[str, ...]:
    """Read a list of texts; a missing list is empty.

    Raises:
        SandboxConfigError: It is no list of texts.
    """
    return tuple(read_value(str, each, where) for each in _listed(listed, where))


def read_settings(base: _Value, plain: object, where: str) -> _Value:
    """Return a dataclass with some values instead of its defaults.

    Raises:
        SandboxConfigError: It has no such attribute, or one of another kind.
    """
    given = read_mapping(plain, where)
    hints = get_type_hints(type(base))
    check_keys(given, hints, where)
    return replace(  # type: ignore[type-var]
        base, **{key: _setting(hints[key], each, f"{where}.{key}") for key, each in given.items()}
    )


def check_member(value: object, allowed: Collection[str], where: str) -> None:
    """See that a value is one of those allowed.

    Raises:
        SandboxConfigError: It is not; near misses are named.
    """
    if value not in allowed:
        raise SandboxConfigError(unknown_name_message(value, allowed, where, "value"))


def check_keys(plain: Plain, allowed: Collection[str], where: str) -> None:
    """See that a mapping has no other keys than those allowed.

    Raises:
        SandboxConfigError: It has; near misses are named.
    """
    for key in plain:
        if key not in allowed:
            raise SandboxConfigError(unknown_name_message(key, allowed, where, "key"))


def unknown_name_message(value: object, allowed: Collection[str], where: str, what: str) -> str:
    """Return the error text for an unknown name, with similar ones.

    Args:
        value: The name.
        allowed: The names that are known.
        where: Where it stands.
        what: What it names.
    """
    near = difflib.get_close_matches(str(value), list(allowed), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(allowed))}"
    return f"{where}: unknown {what} {value!r}; {hint}"


def _listed(value: object, where: str) -> list[Any] | tuple[Any, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        message = f"{where}: a list is wanted, not {value!r}"
        raise SandboxConfigError(message)
    return value


def _setting(hint: object, value: object, where: str) -> object:
    if get_origin(hint) is Literal:
        check_member(value, get_args(hint), where)
        return value
    if hint is float:
        return float(read_value((int, float), value, where))
    return read_value(hint, value, where)
