"""The objects of a described tenant: standard, changed and custom ones.

Reads and checks; knows neither storage nor HTTP.
"""

from collections.abc import Mapping
from dataclasses import replace

from target_gainsight.sandbox.config.description import (
    Plain,
    SandboxConfigError,
    check_keys,
    check_member,
    read_mapping,
    read_value,
    unknown_name_message,
)
from target_gainsight.sandbox.config.standard_objects import standard_objects
from target_gainsight.sandbox.storage.identifiers import derived_gsid
from target_gainsight.sandbox.storage.model import (
    DATA_TYPES,
    DEFAULT_LENGTHS,
    PICKLIST_TYPES,
    Field,
    ObjectModel,
    Option,
    make_options,
    system_fields,
)

_OBJECT_KEYS = ("label", "transactional", "prefix", "fields")
_FIELD_FLAGS = ("required", "nillable", "createable", "updateable", "read_only", "formula")
_FIELD_KEYS = ("type", "label", "length", "decimal_places", "object", "options", *_FIELD_FLAGS)
_OPTION_KEYS = ("label", "active")


def described_objects(described: object) -> tuple[ObjectModel, ...]:
    """Read and check the objects of a tenant.

    Args:
        described: Object name to its label, prefix, fields and whether it is transactional.

    Raises:
        SandboxConfigError: A key or value is wrong, or a lookup points to no object.
    """
    models = {model.name.lower(): model for model in standard_objects()}
    for name, plain in read_mapping(described, "objects").items():
        where = f"objects.{name}"
        entry = read_mapping(plain, where)
        check_keys(entry, _OBJECT_KEYS, where)
        base = models.get(name.lower()) or custom_object(name)
        models[name.lower()] = _described_object(base, entry, where)
    _check_lookups(models)
    return tuple(models.values())


def custom_object(name: str) -> ObjectModel:
    """Return a new custom object, which has the server's fields and a Name."""
    own_name = Field("Name", "STRING", "Name", length=DEFAULT_LENGTHS["STRING"])
    every = {each.name: each for each in (*system_fields(), own_name)}
    prefix = "1" + derived_gsid("", name.lower())[:3]
    label = name.removesuffix("__gc").replace("_", " ")
    return ObjectModel(name, label, prefix, every, object_type="CUSTOM")


def _described_object(base: ObjectModel, entry: Plain, where: str) -> ObjectModel:
    declared = [
        _field(base.name, name, read_mapping(plain, f"{where}.fields.{name}"), where)
        for name, plain in read_mapping(entry.get("fields"), f"{where}.fields").items()
    ]
    prefix = read_value(str, entry.get("prefix", base.prefix), f"{where}.prefix")
    if len(prefix) != 4 or not prefix.isalnum() or prefix != prefix.upper():  # noqa: PLR2004
        message = f"{where}.prefix: {prefix!r} is not four upper-case letters or digits"
        raise SandboxConfigError(message)
    return replace(
        base.with_fields(declared),
        label=read_value(str, entry.get("label", base.label), f"{where}.label"),
        transactional=read_value(
            bool, entry.get("transactional", base.transactional), f"{where}.transactional"
        ),
        prefix=prefix,
    )


def _field(owner: str, name: str, plain: Plain, parent: str) -> Field:
    where = f"{parent}.fields.{name}"
    check_keys(plain, _FIELD_KEYS, where)
    data_type = str(plain.get("type", "STRING")).upper()
    check_member(data_type, DATA_TYPES, f"{where}.type")
    flags = {
        flag: read_value(bool, plain[flag], f"{where}.{flag}")
        for flag in _FIELD_FLAGS
        if flag in plain
    }
    flags.setdefault("nillable", not flags.get("required", False))
    length = plain.get("length", DEFAULT_LENGTHS.get(data_type))
    decimals = plain.get("decimal_places")
    return Field(
        name,
        data_type,
        read_value(str, plain.get("label", name.removesuffix("__gc")), f"{where}.label"),
        length=None if length is None else read_value(int, length, f"{where}.length"),
        decimal_places=(
            None if decimals is None else read_value(int, decimals, f"{where}.decimal_places")
        ),
        options=_options(owner, name, data_type, plain.get("options"), where),
        lookup_object=_lookup_target(data_type, plain.get("object"), where),
        custom=True,
        **flags,
    )


def _options(
    owner: str, name: str, data_type: str, listed: object, where: str
) -> tuple[Option, ...]:
    if data_type not in PICKLIST_TYPES:
        if listed is not None:
            message = f"{where}.options: only picklists have options, not {data_type}"
            raise SandboxConfigError(message)
        return ()
    if not isinstance(listed, list) or not listed:
        message = f"{where}.options: a {data_type} needs a list of labels"
        raise SandboxConfigError(message)
    active: list[str] = []
    inactive: list[str] = []
    for index, item in enumerate(listed):
        entry = item if isinstance(item, Mapping) else {"label": str(item)}
        check_keys(entry, _OPTION_KEYS, f"{where}.options[{index}]")
        label = read_value(str, entry.get("label"), f"{where}.options[{index}].label")
        (active if entry.get("active", True) else inactive).append(label)
    return make_options(owner, name, active, inactive=inactive)


def _lookup_target(data_type: str, target: object, where: str) -> str | None:
    if data_type == "LOOKUP" and not isinstance(target, str):
        message = f"{where}.object: a LOOKUP names the object it points to, e.g. object: company"
        raise SandboxConfigError(message)
    if target is None:
        return None
    return str(read_value(str, target, f"{where}.object"))


def _check_lookups(models: Mapping[str, ObjectModel]) -> None:
    for model in models.values():
        for each in model.fields.values():
            target = each.lookup_object
            if target is not None and target.lower() not in models:
                known = [other.name for other in models.values()]
                where = f"objects.{model.name}.fields.{each.name}.object"
                raise SandboxConfigError(unknown_name_message(target, known, where, "object"))
