"""Functions of all fields of a record, compiled from one expression a field.

Most values need one test only; a call for each of them would take several times as long. What is
compiled consists of this project's expressions: names and values from outside are bound to it and
never become a part of its text.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_gainsight.api.http.json_codec import Json

    MapRecord = Callable[[Mapping[str, object]], dict[str, Json]]
    TakeValues = Callable[[Mapping[str, Json]], list[Json]]


class Inline(NamedTuple):
    """What becomes of one value, as an expression.

    Attributes:
        expression: Python, in which `v` is the value and `$name` an object of `names`.
        names: The objects that it uses.
    """

    expression: str
    names: Mapping[str, object]


def compile_mapping(
    columns: Sequence[tuple[str, str, Inline]], *, omit_null: bool = False
) -> MapRecord:
    """A function from a record to the fields that it carries.

    Args:
        columns: Source column, field, and what becomes of the value.
        omit_null: Whether fields that become null are left out.
    """
    code = _Code()
    for source, target, inline in columns:
        column, field = code.bind(source), code.bind(target)
        code.add(f"if {column} in given:")
        code.add(f" v = given[{column}]")
        code.add(f" v = {code.expression(inline)}")
        code.add(f" if v is not None: made[{field}] = v" if omit_null else f" made[{field}] = v")
    return cast("MapRecord", code.compiled("{}", "made"))


def compile_values(fields: Sequence[tuple[str, Inline]]) -> TakeValues:
    """A function from a record to the values of some fields, in their order.

    It raises `KeyError` for a record that lacks one.

    Args:
        fields: Field, and what becomes of its value.
    """
    code = _Code()
    for place, (name, inline) in enumerate(fields):
        code.add(f"v = given[{code.bind(name)}]")
        code.add(f"v{place} = {code.expression(inline)}")
    values = ", ".join(f"v{place}" for place in range(len(fields)))
    return cast("TakeValues", code.compiled("None", f"[{values}]"))


class _Code:
    """The text of a function of `given`, and what is bound to its names."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._bound: list[object] = []

    def bind(self, value: object) -> str:
        """Bind an object, and return the name that it has in the text."""
        self._bound.append(value)
        return f"b{len(self._bound) - 1}"

    def add(self, line: str) -> None:
        """Add a line to the function."""
        self._lines.append(line)

    def expression(self, inline: Inline) -> str:
        """The text of an expression, its objects bound."""
        names = {name: self.bind(value) for name, value in inline.names.items()}
        return Template(inline.expression).substitute(names)

    def compiled(self, made: str, answer: str) -> object:
        """The function: it begins with a value of `made`, and ends with an answer."""
        bound = ", ".join(f"b{place}" for place in range(len(self._bound)))
        body = "".join(f"  {line}\n" for line in [f"made = {made}", *self._lines])
        text = f"def bind({bound}):\n def run(given):\n{body}  return {answer}\n return run\n"
        scope: dict[str, Callable[..., object]] = {}
        exec(text, {}, scope)  # noqa: S102 - of nothing but this module's and its callers' text
        return scope["bind"](*self._bound)
