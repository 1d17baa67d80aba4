"""Records against the schema of their stream, by a compiled validator.

The SDK's own takes three quarters of a run's time. Where the compiled one cannot judge a record or
a schema, the SDK's decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
from singer_sdk.exceptions import InvalidRecord
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
            InvalidRecord: It does not fit; the message names the place and the rule.
        """
        try:
            self._compiled(record)
        except jsonschema_rs.ValidationError as error:
            place = "".join(f"[{step!r}]" for step in error.instance_path)
            message = f"{error.message} at {place}" if place else error.message
            raise InvalidRecord(message, record) from None
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
