"""Records against the schema of their stream, by a compiled validator.

The SDK's own takes three quarters of a run's time. It is asked only about the records that the
compiled one refuses or cannot judge, so that the verdicts and the messages are the SDK's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with jsonschema-rs, by the rules of the SDK's validator.

    Args:
        schema: The stream's schema.

    Raises:
        InvalidJSONSchema: The schema is not one.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
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


def _compiled(schema: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Compile a schema; one that the compiler does not take is left to the SDK's validator."""
    try:
        return jsonschema_rs.Draft202012Validator(schema).validate
    except (ValueError, TypeError, OverflowError):
        return _undecided


def _undecided(_record: dict[str, Any]) -> None:
    raise ValueError
