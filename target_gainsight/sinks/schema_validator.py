"""Validates records by a compiled schema.

The SDK's own validator takes three quarters of a run's time. It only checks records that the
compiled one refuses or cannot check, so that results and messages are the SDK's, except for
patterns of ECMA regular expressions that Python cannot read.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012
from singer_sdk.exceptions import InvalidJSONSchema, InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line

Path = tuple[str, ...]

_REFERENCES = ("$ref", "$dynamicRef")
_DATA = ("const", "default", "enum", "example", "examples")
"""Keywords that hold values instead of schemas."""

NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Keywords that hold schemas by name."""

_MAX_PROBLEMS = 10


class CompiledValidator(BaseJSONSchemaValidator):
    """Validates records with jsonschema-rs, by the rules of the SDK's validator.

    Args:
        schema: The stream's schema.

    Raises:
        InvalidJSONSchema: The schema is not one, or refers to what is not in it: nothing is
            fetched that a schema names. Says which keyword of which column is wrong.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        problems = [*_keyword_problems(schema), *_reference_problems(schema)]
        if problems:
            raise InvalidJSONSchema("; ".join(dict.fromkeys(problems[:_MAX_PROBLEMS])))
        readable = copy.deepcopy(schema)
        for _, node in _ecma_patterns(readable):
            del node["pattern"]
        self._thorough = JSONSchemaValidator(readable)
        self._check: Callable[[dict[str, Any]], None] = self._thorough.validate
        with suppress(ValueError, TypeError, OverflowError):
            self._check = jsonschema_rs.Draft202012Validator(schema).validate

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check one record.

        Raises:
            InvalidRecord: It does not fit; its cause names the place and the rule.
        """
        try:
            self._check(record)
        except jsonschema_rs.ValidationError as error:
            self._thorough.validate(record)
            if error.kind.name == "pattern":
                raise InvalidRecord(error.message, record) from ValidationError(
                    error.message,
                    validator="pattern",
                    validator_value=error.message.partition("does not match ")[2],
                    path=error.instance_path,
                    instance=error.instance,
                )
        except (ValueError, TypeError, OverflowError):
            self._thorough.validate(record)


def _keyword_problems(schema: dict[str, Any]) -> Iterator[str]:
    """Name the keywords whose values JSON schema does not allow."""
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in meta.iter_errors(schema):
        yield _problem([str(part) for part in error.absolute_path], display(error.instance))
    for path, node in _ecma_patterns(schema):
        try:
            jsonschema_rs.Draft202012Validator({"pattern": node["pattern"]})
        except ValueError:
            yield _problem([*path, "pattern"], display(node["pattern"]))


def _reference_problems(schema: dict[str, Any]) -> Iterator[str]:
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for path, node in schema_nodes(schema):
        for keyword in _REFERENCES:
            reference = node.get(keyword)
            if not isinstance(reference, str):
                continue
            if not reference.startswith("#"):
                named = f"{display(reference)}, another document, and none is fetched"
                yield _problem([*path, keyword], named)
                continue
            try:
                resolver.lookup(reference)
            except (Unresolvable, LookupError, TypeError, ValueError):  # a pointer into a list, too
                yield _problem([*path, keyword], f"{display(reference)}, which is not in it")


def _problem(path: Sequence[str], found: str) -> str:
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


def _ecma_patterns(schema: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """List the schemas in a schema that have a pattern which Python cannot read."""
    for path, node in schema_nodes(schema):
        pattern = node.get("pattern")
        if isinstance(pattern, str):
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError):
                yield path, node
