"""The settings that would put a mismatch right, as far as near misses tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_gainsight.mapping.near_names import suggest_names
from target_gainsight.mapping.planning.mismatch import Cure
from target_gainsight.mapping.planning.stream_checks import may_be_key

if TYPE_CHECKING:
    from target_gainsight.mapping.planning.spec import Wishes


def cure_for(wishes: Wishes) -> Cure:
    """The settings as they should read; only those parts that must change."""
    mapping, unplaced = _mapping(wishes)
    constants = {_nearest(wishes, name): value for name, value in wishes.constants.items()}
    keys = _keys(wishes)
    changed = mapping != wishes.field_mapping
    return Cure(
        field_mapping=mapping if changed else {},
        constants=constants if constants != wishes.constants else {},
        lookup_keys=keys if keys != wishes.keys else (),
        unknown_fields="drop" if unplaced and not mapping else "",
        unplaced=unplaced,
    )


def _mapping(wishes: Wishes) -> tuple[dict[str, str], tuple[str, ...]]:
    """The mapping with its names corrected and unknown columns placed, and what has no place."""
    mapping = {
        _nearest_column(wishes, source): _nearest(wishes, target)
        for source, target in wishes.field_mapping.items()
    }
    if wishes.tolerates_unknown:
        return mapping, ()
    taken = {*wishes.sent.values(), *wishes.constants, *wishes.lookup_targets}
    unplaced = []
    for name in wishes.unknown:
        free = [each for each in wishes.suggest(name) if _is_free(wishes, each, taken)]
        if wishes.field(name) is None and free:
            mapping[name] = free[0]
            taken.add(free[0])
        else:
            unplaced.append(name)
    return mapping, tuple(unplaced)


def _keys(wishes: Wishes) -> tuple[str, ...]:
    """The keys by their right names, without those that cannot be keys."""
    names = (_nearest(wishes, key) for key in wishes.keys)
    fields = ((name, wishes.field(name)) for name in names)
    return tuple(name for name, field in fields if field is None or may_be_key(field))


def _is_free(wishes: Wishes, name: str, taken: set[str]) -> bool:
    field = wishes.field(name)
    return name not in taken and field is not None and not wishes.why_closed(field)


def _nearest(wishes: Wishes, name: str) -> str:
    near = wishes.suggest(name) if wishes.lacks(name) else ()
    return near[0] if near else name


def _nearest_column(wishes: Wishes, name: str) -> str:
    if not wishes.columns or name in wishes.column_names:
        return name
    near = suggest_names(name, wishes.column_names)
    return near[0] if near else name
