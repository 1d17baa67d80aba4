"""Propose lookups for columns that name a row of another object."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from target_gainsight.api import Field, ObjectSchema
from target_gainsight.mapping.columns import Column
from target_gainsight.mapping.near_names import bare_name
from target_gainsight.mapping.planning.spec import MappingSpec

COMPANY, COMPANY_PERSON, PERSON, USER = "company", "company_person", "person", "gsuser"

_COMPANY_WORDS = {"company", "account", "customer", "client", "organization", "organisation"}
_USUAL_NAMES = {"Name": ("", "name"), "Email": ("email", "emailaddress", "mail")}
"""What may follow the name of a reference in the name of a column that holds these fields."""

_RANKS = {"Email": 1, "Name": 2}
"""An id of the row identifies it best, then its email, then its name."""


def referenced_objects(columns: Sequence[Column], schema: ObjectSchema) -> tuple[str, ...]:
    """List the objects, in lower case, that columns refer to and that are to be described."""
    names = [bare_name(column.name) for column in columns]
    words = {field.lookup_objects[0].lower(): words for field, words in _references(schema)}
    if schema.name.lower() == PERSON:
        words |= {COMPANY: _COMPANY_WORDS, COMPANY_PERSON: _COMPANY_WORDS}
    return tuple(
        target
        for target, beginnings in words.items()
        if any(word in name for name in names for word in beginnings)
    )


def propose_references(
    spec: MappingSpec, references: Mapping[str, ObjectSchema]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Propose the settings `lookups` and `company_links`; none where some are configured.

    A user who does not exist leaves the field empty, because this target cannot create users.
    """
    if spec.schema is None or spec.lookup_columns or spec.settings.lookups:
        return {}, {}
    mapping = spec.settings.field_mapping
    taken = {*mapping, *(field.name.lower() for field in spec.schema.fields)}
    free = [each for each in spec.columns if taken.isdisjoint({each.name, each.name.lower()})]
    is_person = spec.schema.name.lower() == PERSON
    links = _propose_company_links(free, references) if is_person else {}
    lookups: dict[str, Any] = {}
    for field, words in _references(spec.schema):
        target = field.lookup_objects[0]
        found = _find_match(free, words, references.get(target.lower()))
        if found and field.name not in {*mapping.values(), *spec.constants}:
            lookups[field.name] = {"object_name": target, "fields": found}
            if target.lower() == USER:
                lookups[field.name]["on_no_match"] = "leave_empty"
            free = [each for each in free if each.name not in found]
    return lookups, links


def _propose_company_links(
    columns: Sequence[Column], references: Mapping[str, ObjectSchema]
) -> dict[str, Any]:
    found = _find_match(columns, _COMPANY_WORDS, references.get(COMPANY))
    link = references.get(COMPANY_PERSON)
    names = {bare_name(each.name): each.name for each in reversed(columns)}
    fields = {
        field.name: names[bare]
        for field in (link.fields if link else ())
        for bare in {bare_name(field.name), bare_name(field.name).removesuffix(COMPANY)}
        if bare in names and field.insertable and not field.lookup_objects
    }
    return {"lookup": found, **({"fields": fields} if fields else {})} if found else {}


def _references(schema: ObjectSchema) -> Iterator[tuple[Field, set[str]]]:
    """List the foreign keys that no email can fill, and how columns for them may begin."""
    emails = {bare_name(each.name) for each in schema.fields if each.data_type == "EMAIL"}
    for field in schema.fields:
        name, label = (bare_name(each).removesuffix("id") for each in (field.name, field.label))
        is_written = field.insertable and field.updatable and name not in emails
        if field.data_type == "LOOKUP" and field.lookup_objects and is_written:
            words = {name, label}
            if field.lookup_objects[0].lower() == COMPANY:
                own = {word.removeprefix("gs") for word in words}
                words |= {word.replace(COMPANY, other) for word in own for other in _COMPANY_WORDS}
                words |= {word.removesuffix(COMPANY) for word in own}
            yield field, words - {""}


def _find_match(
    columns: Iterable[Column], words: Collection[str], schema: ObjectSchema | None
) -> dict[str, str]:
    found = [
        (_RANKS.get(field.name, 0), position, column.name, field.name)
        for position, column in enumerate(columns)
        for field in (schema.fields if schema else ())
        if (not column.json_types or column.json_types & {"string", "integer"})
        and bare_name(column.name) in _names_for(field, words)
    ]
    return {name: match for _, _, name, match in sorted(found)[:1]}


def _names_for(field: Field, words: Collection[str]) -> set[str]:
    """Return the columns that may hold a field; a Salesforce id must be called one."""
    own = bare_name(field.name)
    if field.data_type == "SFDCID":
        return {own}
    names = {word + usual for word in words for usual in _USUAL_NAMES.get(field.name, ())}
    if field.data_type in {"STRING", "NUMBER"}:
        names.update(word + own for word in words)
        names.update(own for word in words if own.startswith(word) and own != word)
    return names
