"""The settings that would put a mismatch right, as far as near misses tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import SuggestedSettings
from target_gainsight.mapping.planning.stream_checks import may_be_key

if TYPE_CHECKING:
    from target_gainsight.mapping.planning.spec import MappingSpec


def suggest_settings(spec: MappingSpec) -> SuggestedSettings:
    """The settings as they should read; only those parts that must change."""
    mapping, unmatched = _mapping(spec)
    constants = {_nearest(spec, name): value for name, value in spec.constants.items()}
    keys = _keys(spec)
    changed = mapping != spec.field_mapping
    return SuggestedSettings(
        field_mapping=mapping if changed else {},
        constants=constants if constants != spec.constants else {},
        lookup_keys=keys if keys != spec.keys else (),
        unknown_fields="drop" if unmatched and not mapping else "",
        unmatched=unmatched,
    )


def _mapping(spec: MappingSpec) -> tuple[dict[str, str], tuple[str, ...]]:
    """The mapping with its names corrected and unknown columns placed, and what has no place."""
    mapping = {
        _nearest_column(spec, source): _nearest(spec, target)
        for source, target in spec.field_mapping.items()
    }
    if spec.drops_unmapped:
        return mapping, ()
    taken = {*spec.column_to_field.values(), *spec.constants, *spec.lookup_targets}
    unmatched = []
    for name in spec.unmapped_columns:
        free = [each for each in spec.suggest(name) if _is_free(spec, each, taken)]
        if spec.field(name) is None and free:
            mapping[name] = free[0]
            taken.add(free[0])
        else:
            unmatched.append(name)
    return mapping, tuple(unmatched)


def _keys(spec: MappingSpec) -> tuple[str, ...]:
    """The keys by their right names, without those that cannot be keys."""
    names = (_nearest(spec, key) for key in spec.keys)
    fields = ((name, spec.field(name)) for name in names)
    return tuple(name for name, field in fields if field is None or may_be_key(field))


def _is_free(spec: MappingSpec, name: str, taken: set[str]) -> bool:
    field = spec.field(name)
    return name not in taken and field is not None and not spec.not_writable_reason(field)


def _nearest(spec: MappingSpec, name: str) -> str:
    near = spec.suggest(name) if spec.is_unknown_field(name) else ()
    return near[0] if near else name


def _nearest_column(spec: MappingSpec, name: str) -> str:
    if not spec.columns or name in spec.column_names:
        return name
    near = suggest_names(name, spec.column_names)
    return near[0] if near else name
