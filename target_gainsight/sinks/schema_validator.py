"""Records against the schema of their stream, by a compiled validator.

The SDK's own takes three quarters of a run's time. It is asked only about the records that the
compiled one refuses or cannot judge, so that the verdicts and the messages are the SDK's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

from target_gainsight.mapping.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REFERENCES = ("$ref", "$dynamicRef")
_DATA = ("const", "default", "enum", "examples")
"""What holds values instead of schemas."""

_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""What holds schemas by names, which may be any."""


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with jsonschema-rs, by the rules of the SDK's validator.

    Args:
        schema: The stream's schema.

    Raises:
        InvalidJSONSchema: The schema is not one, or refers to what is not in it: nothing is
            fetched that a schema names.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        _check_references(schema)
        self._thorough = JSONSchemaValidator(schema)
        self._compiled = _compiled(schema)

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check one record.

        Args:
            record: The record.

        Raises:
            InvalidRecord: It does not fit; its cause names the place and the rule.
        """
        try:
            self._compiled(record)
        except (ValueError, TypeError, OverflowError):
            self._thorough.validate(record)


def _check_references(schema: dict[str, Any]) -> None:
    references = sorted(set(_references(schema)))
    if not references:
        return
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for each in references:
        if not each.startswith("#"):
            message = f"{shown(each)} is another document, and none is fetched"
            raise InvalidJSONSchema(message)
        try:
            resolver.lookup(each)
        except Unresolvable:
            message = f"{shown(each)} is not in it"
            raise InvalidJSONSchema(message) from None


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in _REFERENCES and isinstance(value, str):
                yield value
            elif name in _NAMED and isinstance(value, dict):
                yield from _references(list(value.values()))
            elif name not in _DATA:
                yield from _references(value)


def _compiled(schema: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Compile a schema; one that the compiler does not take is left to the SDK's validator."""
    try:
        return jsonschema_rs.Draft202012Validator(schema).validate
    except (ValueError, TypeError, OverflowError):
        return _undecided


def _undecided(_record: dict[str, Any]) -> None:
    raise ValueError
