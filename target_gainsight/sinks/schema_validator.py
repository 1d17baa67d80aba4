"""Validates records by a compiled schema: the SDK's own validator takes most of a run's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema_rs
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with jsonschema-rs; the schema is valid and refers to nothing."""

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        own = {name: value for name, value in schema.items() if name not in {"$schema", "$id"}}
        self._check: Callable[[dict[str, Any]], None]
        try:
            compiled = jsonschema_rs.Draft202012Validator(own, mask="the value", offline=True)
            self._check = compiled.validate
        except (ValueError, TypeError, OverflowError):  # such as a column whose name is no text
            self._check = JSONSchemaValidator(own).validate

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check one record.

        Raises:
            InvalidRecord: It does not fit; its cause names the place and the rule.
        """
        try:
            self._check(record)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidRecord(str(error), record) from error
