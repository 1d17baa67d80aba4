"""Propose the settings of a stream: the same for a run, `gainsight plan` and `describe`."""

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_gainsight.api import MAX_KEYS, Field, ObjectSchema
from target_gainsight.mapping.columns import METADATA_PREFIX, Column
from target_gainsight.mapping.escaping import one_line, yaml_lines, yaml_scalar
from target_gainsight.mapping.near_names import bare_name, suggest_names
from target_gainsight.mapping.planning.checks import KEY_TYPES
from target_gainsight.mapping.planning.spec import MappingSpec
from target_gainsight.mapping.planning.static_schemas import ACTIVITY, CTA
from target_gainsight.mapping.types.converters import may_convert
from target_gainsight.settings.stream_settings import OBJECT_NAMES

_LEAST_SIMILARITY = 0.9
_DIGITS = re.compile(r"\d+")
COMPANY, COMPANY_PERSON, PERSON, USER = "company", "company_person", "person", "gsuser"

_COMPANY_WORDS = {"company", "account", "customer", "client", "organization", "organisation"}
_USUAL_NAMES = {"Name": ("", "name"), "Email": ("email", "emailaddress", "mail")}
"""What may follow the name of a reference in the name of a column that holds these fields."""

_RANKS = {"Email": 1, "Name": 2}
"""An id of the row identifies it best, then its email, then its name."""


@dataclass(frozen=True)
class Proposal:
    """The settings of a stream that should change, and why columns are not loaded."""

    stream: str
    settings: Mapping[str, Any]
    left_out: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the settings as the loader's `config` holds them."""
        return {"streams": {self.stream: dict(self.settings)}}

    def to_yaml(self) -> str:
        """Return the settings as YAML, with a comment for each column that is left out."""
        lines = ["streams:", f"  {yaml_scalar(self.stream)}:"]
        for setting, value in self.settings.items():
            lines += (f"    {line}" for line in yaml_lines({setting: value}))
            for column, reason in self.left_out.items() if setting == "field_mapping" else ():
                lines.append(f"      # {yaml_scalar(column)}: {one_line(reason)}")
        return "\n".join(lines)


def propose_settings(
    spec: MappingSpec, stream: str, references: Mapping[str, ObjectSchema]
) -> Proposal | None:
    """Propose the settings of a stream; None if nothing changes or no field is known."""
    if spec.schema is None:
        return None
    configured = spec.settings
    lookups, links = _propose_references(spec, references)
    constants = {
        found[0].name: value
        for name, value in spec.constants.items()
        if len(found := _match(spec, name)[1]) == 1 and spec.is_writable(found[0].name)
    }
    used = {column for lookup in lookups.values() for column in lookup["fields"]}
    used.update(links.get("lookup", ()), links.get("fields", {}).values())
    mapping, left_out = _propose_mapping(spec, {*constants, *lookups}, used)
    keys = _propose_keys(spec, mapping)
    # Columns that go by their names need no mapping.
    maps = mapping != spec.column_to_field or (spec.unmapped and not configured.field_mapping)
    drops = left_out and not mapping and configured.unknown_fields != "drop"
    proposed = {
        "lookup_keys": (list(keys), keys and keys != (configured.lookup_keys and spec.keys)),
        "field_mapping": (mapping, maps),
        "constants": (constants, constants != spec.constants),
        "lookups": (lookups, lookups),
        "company_links": (links, links),
        "unknown_fields": ("drop", drops),
    }
    changes = {setting: value for setting, (value, changed) in proposed.items() if changed}
    kinds = {name.lower(): {"object_type": kind} for kind, name in OBJECT_NAMES.items()}
    custom = {"object_type": "custom_object", "custom_object_name": spec.object_name}
    route = kinds.get(spec.object_name.lower(), custom)
    return Proposal(stream, {**route, **changes}, left_out) if changes else None


def _propose_mapping(
    spec: MappingSpec, taken: Collection[str], looked_up: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Match columns to fields, the most similar first; those left out get a reason."""
    wanted = _wanted_fields(spec, looked_up)
    matches = {name: _match(spec, field) for name, field in wanted.items()}
    filled = dict.fromkeys((*taken, *spec.settings.lookups), "a constant or lookup")
    reasons: dict[str, str] = {}
    for name, (_, fields) in sorted(matches.items(), key=lambda match: -match[1][0]):
        if len(fields) == 1:
            reasons[name] = _leave_out_reason(spec, name, fields[0], filled)
        else:
            near = [each.name for each in fields] or spec.suggest(wanted[name])
            reasons[name] = f"no such field{', perhaps ' if near else ''}{' or '.join(near)}"
        if not reasons[name]:
            filled[fields[0].name] = name
    mapping = {name: matches[name][1][0].name for name in wanted if not reasons[name]}
    return mapping, {name: reasons[name] for name in wanted if reasons[name]}


def _wanted_fields(spec: MappingSpec, looked_up: Collection[str]) -> dict[str, str]:
    names = [column.name for column in spec.columns]
    others = {*spec.lookup_columns, *looked_up}
    own = (each for each in names if not each.startswith(METADATA_PREFIX) and each not in others)
    wanted = {name: name for name in own}
    for source, target in spec.settings.field_mapping.items():
        columns = [name for name in suggest_names(source, names) if wanted.get(name) == name]
        fields = [each for each in spec.suggest(target) if each == source or each not in names]
        column = source if source in names else (*columns, source)[0]
        wanted[column] = target if spec.field(target) else (*fields, target)[0]
    return wanted


def _match(spec: MappingSpec, name: str) -> tuple[int, list[Field]]:
    """Return the fields that a name means, and how similar they are.

    `renewal_date` means `RenewalDate` or `RenewalDate__gc`, or else a label or a misspelling.
    """
    matches: dict[int, list[Field]] = {}
    for field in spec.schema.fields if spec.schema else ():
        bare, own = bare_name(name), bare_name(field.name)
        similarity = 0
        if field.name == name:
            similarity = 4
        elif bare in {own, bare_name(field.label)}:
            similarity = 3 if bare == own else 2
        elif _DIGITS.findall(bare) == _DIGITS.findall(own):
            similarity = len(difflib.get_close_matches(bare, [own], cutoff=_LEAST_SIMILARITY))
        matches.setdefault(similarity, []).append(field)
    best = max(matches, default=0)
    return best, matches[best] if best else []


def _leave_out_reason(spec: MappingSpec, name: str, field: Field, filled: Mapping[str, str]) -> str:
    if field.name in filled:
        return f"{field.name} is already filled by {filled[field.name]}"
    if not spec.is_writable(field.name):
        return f"{field.name} cannot be written"
    wanted = spec.settings.field_mapping.get(name, name)
    if field.data_type in {"LOOKUP", "GSID"} and field.name != wanted:
        return f"{field.name} holds a GSID; set a lookup for it"
    json_types = next((each.json_types for each in spec.columns if each.name == name), frozenset())
    if not may_convert(json_types, field.data_type):
        return f"{' or '.join(sorted(json_types))} cannot fit {field.name} ({field.data_type})"
    return ""


def _propose_keys(spec: MappingSpec, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """Return the configured keys that can be keys, or the fields that identify a record best."""

    def usable(names: Collection[str]) -> list[Field]:
        fields = filter(None, map(spec.field, names))
        return [field for field in fields if field.data_type in KEY_TYPES]

    configured = usable(spec.keys if spec.settings.lookup_keys else ())
    has_own_key = spec.object_name.lower() in {PERSON, ACTIVITY}
    needs_none = has_own_key or spec.settings.sync_mode == "insert"
    named = usable([mapping[name] for name in spec.key_properties if name in mapping])
    others = usable(mapping.values())
    ids = [
        field
        for field in others
        if field.data_type == "SFDCID" or bare_name(field.name).startswith("externalid")
    ]
    names = [field for field in others if field.name == "Name" and spec.object_name != CTA]
    is_whole = 0 < len(named) == len(spec.key_properties) <= MAX_KEYS
    found = named if is_whole else (ids or names)[:1]
    return tuple(field.name for field in configured or ([] if needs_none else found))


def referenced_objects(columns: Sequence[Column], schema: ObjectSchema) -> tuple[str, ...]:
    """List the objects, in lower case, that columns refer to and that are to be described."""
    names = [bare_name(column.name) for column in columns]
    words: dict[str, set[str]] = defaultdict(set)
    for field, beginnings in _references(schema):
        words[field.lookup_objects[0].lower()] |= beginnings
    if schema.name.lower() == PERSON:
        words |= {COMPANY: _COMPANY_WORDS, COMPANY_PERSON: _COMPANY_WORDS}
    return tuple(
        target
        for target, beginnings in words.items()
        if any(word in name for name in names for word in beginnings)
    )


def _propose_references(
    spec: MappingSpec, references: Mapping[str, ObjectSchema]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Propose the settings `lookups` and `company_links`; none where some are configured.

    A user who does not exist leaves the field empty, because this target cannot create users.
    """
    if spec.schema is None or spec.lookup_columns or spec.settings.lookups:
        return {}, {}
    mapping, fields = spec.settings.field_mapping, spec.schema.fields
    taken = {*mapping, *(field.name.lower() for field in fields)}
    own = {bare_name(field.name) for field in fields if not field.lookup_objects}
    free = [
        each
        for each in spec.columns
        if taken.isdisjoint({each.name, each.name.lower()}) and bare_name(each.name) not in own
    ]
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
