"""References of records to rows of other objects: which row is meant, and what was found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_gainsight.mapping.errors import ValueRejectedError, display
from target_gainsight.mapping.types.converters import converter_for, plain_converter
from target_gainsight.mapping.types.spellings import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_gainsight.api import ObjectSchema
    from target_gainsight.mapping.types.converters import Converter


Key = tuple[Any, ...]
"""The comparable values of the lookup keys."""

TO_BE_CREATED = "(to be created)"


@dataclass(frozen=True)
class MatchFields:
    """The fields of one object by which its rows are looked up.

    Attributes:
        object_name: The object.
        names: Its match fields.
        converters: How each field's values are written in a query and compared.
    """

    object_name: str
    names: tuple[str, ...]
    converters: tuple[Converter, ...] = field(compare=False)

    @classmethod
    def of(
        cls, object_name: str, names: tuple[str, ...], schema: ObjectSchema | None
    ) -> MatchFields:
        """Compile the match fields of an object."""
        fields = [schema.field(name) if schema else None for name in names]
        converters = tuple(
            converter_for(each) if each else plain_converter(name)
            for name, each in zip(names, fields, strict=True)
        )
        return cls(object_name.lower(), names, converters)

    def wanted(self, values: Sequence[object]) -> Wanted:
        """Say which row is wanted.

        Raises:
            ValueRejectedError: A value cannot be one of its field's.
        """
        written = tuple(
            converter.write(value) for converter, value in zip(self.converters, values, strict=True)
        )
        return self._wanted(written)

    def of_written(self, fields: Mapping[str, Any]) -> Wanted | None:
        """Say what a record that was written is found as.

        Returns:
            The row, or None when the record does not carry all match fields.
        """
        written = tuple(fields.get(name) for name in self.names)
        if any(value is None for value in written):
            return None
        return self._wanted(written)

    def _wanted(self, written: tuple[Any, ...]) -> Wanted:
        key = tuple(
            converter.written_comparable(value)
            for converter, value in zip(self.converters, written, strict=True)
        )
        return Wanted(self, key, written)

    def key_of_row(self, row: Mapping[str, Any]) -> Key:
        """Read the key of a row as a query returns it."""
        return tuple(
            converter.read_comparable(row.get(name))
            for name, converter in zip(self.names, self.converters, strict=True)
        )


@dataclass(frozen=True)
class Wanted:
    """A row that a record refers to.

    Attributes:
        match: By which fields of which object.
        key: The values as they compare.
        written: The values as a query carries them.
    """

    match: MatchFields
    key: Key
    written: tuple[Any, ...] = field(compare=False)

    def __str__(self) -> str:
        pairs = zip(self.match.names, self.written, strict=True)
        return ", ".join(f"{name} = {display(value)}" for name, value in pairs)


class WatchedFields:
    """The objects and match fields that lookups of a run use.

    Args:
        watched: Object and match fields.
    """

    def __init__(self, watched: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._watched: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for object_name, names in watched:
            self._watched[object_name.lower()].add(names)

    def __contains__(self, object_name: str) -> bool:
        return object_name.lower() in self._watched

    def of(
        self, object_name: str, fields: Mapping[str, object]
    ) -> Iterator[tuple[str, tuple[str, ...], tuple[object, ...]]]:
        """List by what a record may be looked for: object, match fields and their values."""
        for names in self._watched.get(object_name.lower(), ()):
            values = tuple(fields.get(name) for name in names)
            if None not in values:
                yield object_name.lower(), names, values


@dataclass(frozen=True)
class Found:
    """What a reference leads to.

    Attributes:
        gsid: The row, or None.
        code: Why there is none: no_match, multi_match or a value error's code.
        message: The same as a sentence.
        value: The value that cannot be looked up, if that is why.
        hint: What to do about such a value.
    """

    gsid: str | None = None
    code: str = ""
    message: str = ""
    value: object = None
    hint: str = ""


def reference(match: MatchFields, values: Sequence[object]) -> Wanted | Found | None:
    """Turn source values into a reference.

    Returns:
        The reference; None when a value is null or blank; what is wrong when one cannot be read.
    """
    if any(is_blank(value) for value in values):
        return None
    try:
        return match.wanted(values)
    except ValueRejectedError as error:
        refused = error.error
        message = str(replace(refused, hint=""))
        return Found(code=refused.code, message=message, value=refused.value, hint=refused.hint)


COMPANIES = "companies"


COMPANY_ID = "Company_ID"


Reference = Wanted | Found | tuple[Wanted | Found, ...] | None
"""One row of another object; several, for a field that holds a list; None for a null."""


References = dict[str, Reference]


@dataclass(frozen=True)
class Link:
    """One link of a person to a company.

    Attributes:
        company: The reference to the company.
        attributes: The fields of the link, as they are written.
    """

    company: Wanted | Found
    attributes: Mapping[str, Any]
