"""Corrected settings for a stream that does not fit its object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import yaml_scalar
from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.row_checks import may_be_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_gainsight.api.http.json_codec import Json
    from target_gainsight.mapping.planning.spec import MappingSpec


def suggest_settings(spec: MappingSpec, stream: str) -> str:
    """Return the settings that should change as YAML for meltano.yml; empty if none should."""
    mapping, left_out = _suggest_mapping(spec)
    constants = _suggest_constants(spec)
    keys = _suggest_keys(spec)
    lines: list[str] = []
    if mapping != spec.field_mapping:
        lines += _yaml_lines("field_mapping", mapping)
        lines += [f"  # left out: {display(name)}" for name in left_out]
    if constants != spec.constants:
        lines += _yaml_lines("constants", constants)
    if keys and keys != spec.keys:
        lines.append(f"lookup_keys: [{', '.join(map(yaml_scalar, keys))}]")
    if left_out and not mapping and spec.unknown_fields != "drop":
        lines.append("unknown_fields: drop")
    if not lines:
        return ""
    return "\n      ".join([f"  streams:\n    {yaml_scalar(stream)}:", *lines])


def _suggest_mapping(spec: MappingSpec) -> tuple[dict[str, str], list[str]]:
    """Return the mapping with corrected names, and the columns that no field is left for."""
    mapping: dict[str, str] = {}
    left_out: list[str] = []
    taken = {*spec.column_to_field.values(), *spec.constants, *spec.lookup_targets}
    unmapped = () if spec.drops_unmapped else spec.unmapped_columns
    for source, target in (*spec.field_mapping.items(), *((name, name) for name in unmapped)):
        column = source
        if spec.columns and source not in spec.column_names:
            taken_columns = {*spec.field_mapping, *mapping}
            near = suggest_names(source, spec.column_names)
            column = next((name for name in near if name not in taken_columns), source)
        field = _suggest_field(spec, target, taken)
        if field is None:
            left_out.append(column)
        else:
            mapping[column] = field
            taken.add(field)
    return mapping, left_out


def _suggest_constants(spec: MappingSpec) -> dict[str, Json]:
    constants: dict[str, Json] = {}
    for name, value in spec.constants.items():
        field = _suggest_field(spec, name, {*spec.constants, *constants})
        if field is not None:
            constants[field] = value
    return constants


def _suggest_field(spec: MappingSpec, name: str, taken: Collection[str]) -> str | None:
    """Return the field if it can be written; for an unknown name, the nearest free field."""
    names = [name]
    if spec.is_unknown_field(name):
        names = [each for each in spec.suggest(name) if each not in taken]
    for each in names:
        field = spec.field(each)
        if field is None or not spec.not_writable_reason(field):
            return each
    return None


def _suggest_keys(spec: MappingSpec) -> tuple[str, ...]:
    """Return the keys with corrected names, without fields that cannot be lookup keys."""
    keys: list[str] = []
    for key in spec.keys:
        names = spec.suggest(key)[:1] if spec.is_unknown_field(key) else (key,)
        for name in names:
            field = spec.field(name)
            if field is None or may_be_key(field):
                keys.append(name)
    return tuple(dict.fromkeys(keys))


def _yaml_lines(setting: str, values: Mapping[str, Json]) -> Iterator[str]:
    yield f"{setting}:" if values else f"{setting}: {{}}"
    for name, value in values.items():
        yield f"  {yaml_scalar(name)}: {yaml_scalar(value)}"
