"""Validates records by a compiled schema: the SDK's own validator takes most of a run's time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
from singer_sdk.exceptions import InvalidJSONSchema, InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

Path = tuple[str, ...]

META_SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
_DATA = ("const", "default", "enum", "example", "examples")
"""Keywords that hold values instead of schemas."""

NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Keywords that hold schemas by name."""

_MAX_PROBLEMS = 10


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with jsonschema-rs.

    Raises:
        InvalidJSONSchema: The schema is not one, or refers to what is not in it: nothing is
            fetched that a schema names. Says which keyword of which column is wrong.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        own = {name: value for name, value in schema.items() if name not in {"$schema", "$id"}}
        self._check: Callable[[dict[str, Any]], None]
        try:
            compiled = jsonschema_rs.Draft202012Validator(own, mask="the value", offline=True)
            self._check = compiled.validate
        except jsonschema_rs.ValidationError as error:
            problems = list(dict.fromkeys(_problems(schema)))[:_MAX_PROBLEMS]
            raise InvalidJSONSchema("; ".join(problems) or one_line(str(error))) from error
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


def _problems(schema: dict[str, Any]) -> Iterator[str]:
    """Name the keywords whose values JSON schema does not allow, and the unknown references."""
    for error in jsonschema_rs.iter_errors(META_SCHEMA, schema, validate_formats=True):
        yield _problem([str(part) for part in error.instance_path], display(error.instance))
    known = {f"#/$defs/{name}" for name in schema.get("$defs", ())}  # all that was found is there
    for path, node in schema_nodes(schema):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in known:
            yield _problem([*path, "$ref"], f"{display(reference)}, which is not in it")


def _problem(path: list[str], found: str) -> str:
    """Name the column and the keyword that a path into the schema leads to."""
    columns = [path[at + 1] for at, part in enumerate(path[:-1]) if part == "properties"]
    place = f"column {'.'.join(columns)}" if columns else "the schema"
    if not path or (columns and path[-2:] == ["properties", columns[-1]]):
        return one_line(f"{place} is declared as {found}")
    keyword = path[-1] if not path[-1].isdigit() or len(path) == 1 else path[-2]
    return one_line(f"{place}: keyword {keyword} is {found}")


def schema_nodes(schema: object, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """List the schema and all schemas in it, with the path to each."""
    if isinstance(schema, list):
        for place, each in enumerate(schema):
            yield from schema_nodes(each, (*path, str(place)))
    if not isinstance(schema, dict):
        return
    yield path, schema
    for name, value in schema.items():
        if name in NAMED and isinstance(value, dict):
            for key, each in value.items():
                yield from schema_nodes(each, (*path, name, key))
        elif name not in _DATA:
            yield from schema_nodes(value, (*path, name))
