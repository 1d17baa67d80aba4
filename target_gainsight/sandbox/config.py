"""The description of a tenant, from a YAML file or a mapping, to frozen values.

Reads and checks; knows neither storage nor HTTP.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from target_gainsight.sandbox.faults import COMMITTING_KINDS, REFUSING_KINDS, Fault, ServerRule
from target_gainsight.sandbox.identifiers import derived_gsid
from target_gainsight.sandbox.model import (
    DATA_TYPES,
    DEFAULT_LENGTHS,
    PICKLIST_TYPES,
    BulkJob,
    Field,
    ObjectModel,
    Option,
    make_options,
    system_fields,
)
from target_gainsight.sandbox.standard import standard_objects
from target_gainsight.sandbox.switches import Limits, Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Plain = Mapping[str, Any]
_Value = TypeVar("_Value")

DEFAULT_USERS: tuple[Plain, ...] = (
    {"Name": "Ada Park", "Email": "ada.park@ourcompany.example"},
    {"Name": "Ben Okafor", "Email": "ben.okafor@ourcompany.example"},
    {"Name": "Chiara Rossi", "Email": "chiara.rossi@ourcompany.example"},
)

_ROOT_KEYS = (
    "access_key",
    "client_id",
    "client_secret",
    "auto_create",
    "limits",
    "switches",
    "users",
    "objects",
    "rows",
    "faults",
    "fault_seed",
    "rules",
    "bulk_jobs",
)
_JOB_KEYS = ("object", "operation", "keys", "columns", "lookups")
_OPERATIONS = ("insert", "update", "upsert")
_OBJECT_KEYS = ("label", "transactional", "prefix", "fields")
_FIELD_FLAGS = {
    "required": "required",
    "nillable": "nillable",
    "createable": "createable",
    "updateable": "updateable",
    "read_only": "read_only",
    "formula": "formula",
}
_FIELD_KEYS = ("type", "label", "length", "decimal_places", "object", "options", *_FIELD_FLAGS)
_OPTION_KEYS = ("label", "active")


class SandboxConfigError(ValueError):
    """The description of the tenant is wrong; the message names the key and what is right."""


@dataclass(frozen=True)
class TenantConfig:
    """A tenant as described: its objects (standard ones included), people and peculiarities.

    Attributes:
        client_id, client_secret: the M2M OAuth client; one is made for the tenant's file when they
            are empty.
        rows: rows put into an object when it is empty, in write form, by object name.
        bulk_jobs: the bulk jobs that an administrator made, by their ids.
    """

    access_key: str = "sandbox"
    client_id: str = ""
    client_secret: str = ""
    auto_create: bool = False
    limits: Limits = field(default_factory=Limits)
    switches: Switches = field(default_factory=Switches)
    users: tuple[Plain, ...] = DEFAULT_USERS
    objects: tuple[ObjectModel, ...] = ()
    rows: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    fault_seed: int = 0
    rules: tuple[ServerRule, ...] = ()
    bulk_jobs: Mapping[str, BulkJob] = field(default_factory=dict)


def load_config(source: str | Path | Plain | None) -> TenantConfig:
    """Read the description of a tenant.

    Args:
        source: path of a YAML file, the same as a mapping, or None for a tenant as shipped.

    Raises:
        SandboxConfigError: The file is missing or not YAML, or a key or value is wrong.
    """
    if source is None:
        return parse_config({})
    if isinstance(source, Mapping):
        return parse_config(source)
    return parse_config(_read_yaml(Path(source)))


def override_limits(config: TenantConfig, limits: Plain | None) -> TenantConfig:
    """The same tenant with some limits replaced.

    Raises:
        SandboxConfigError: An unknown limit, or a value that is no number.
    """
    if not limits:
        return config
    return replace(config, limits=_settings(config.limits, limits, "limits"))


def _read_yaml(path: Path) -> Plain:
    import yaml  # noqa: PLC0415 - comes with the extra

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"sandbox config {path} cannot be read: {error.strerror}"
        raise SandboxConfigError(message) from error
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"sandbox config {path} is no YAML: {error}"
        raise SandboxConfigError(message) from error
    return _mapping({} if parsed is None else parsed, str(path))


def parse_config(plain: Plain) -> TenantConfig:
    """The described tenant, checked.

    Raises:
        SandboxConfigError: An unknown key (near misses are named) or a wrong value.
    """
    _known(plain, _ROOT_KEYS, "")
    objects = _objects(plain.get("objects"))
    return TenantConfig(
        access_key=_expect(str, plain.get("access_key", "sandbox"), "access_key"),
        client_id=_expect(str, plain.get("client_id", ""), "client_id"),
        client_secret=_expect(str, plain.get("client_secret", ""), "client_secret"),
        auto_create=_expect(bool, plain.get("auto_create", False), "auto_create"),
        limits=_settings(Limits(), plain.get("limits"), "limits"),
        switches=_settings(Switches(), plain.get("switches"), "switches"),
        users=_each(_user, plain["users"], "users") if "users" in plain else DEFAULT_USERS,
        objects=objects,
        rows={
            name: _rows(rows, f"rows.{name}")
            for name, rows in _mapping(plain.get("rows"), "rows").items()
        },
        faults=_each(_fault, plain.get("faults"), "faults"),
        fault_seed=_expect(int, plain.get("fault_seed", 0), "fault_seed"),
        rules=_each(_rule, plain.get("rules"), "rules"),
        bulk_jobs={
            str(name): _bulk_job(_mapping(job, f"bulk_jobs.{name}"), objects, f"bulk_jobs.{name}")
            for name, job in _mapping(plain.get("bulk_jobs"), "bulk_jobs").items()
        },
    )


def _objects(described: object) -> tuple[ObjectModel, ...]:
    models = {model.name.lower(): model for model in standard_objects()}
    for name, plain in _mapping(described, "objects").items():
        where = f"objects.{name}"
        entry = _mapping(plain, where)
        _known(entry, _OBJECT_KEYS, where)
        base = models.get(name.lower()) or custom_object(name)
        models[name.lower()] = _described_object(base, entry, where)
    _check_lookups(models)
    return tuple(models.values())


def custom_object(name: str) -> ObjectModel:
    """A custom object as an administrator's new one: the server's fields and a Name."""
    own_name = Field("Name", "STRING", "Name", length=DEFAULT_LENGTHS["STRING"])
    every = {each.name: each for each in (*system_fields(), own_name)}
    prefix = "1" + derived_gsid("", name.lower())[:3]
    label = name.removesuffix("__gc").replace("_", " ")
    return ObjectModel(name, label, prefix, every, object_type="CUSTOM")


def _described_object(base: ObjectModel, entry: Plain, where: str) -> ObjectModel:
    declared = [
        _field(base.name, name, _mapping(plain, f"{where}.fields.{name}"), where)
        for name, plain in _mapping(entry.get("fields"), f"{where}.fields").items()
    ]
    prefix = _expect(str, entry.get("prefix", base.prefix), f"{where}.prefix")
    if len(prefix) != 4 or not prefix.isalnum() or prefix != prefix.upper():  # noqa: PLR2004
        message = f"{where}.prefix: {prefix!r} is not four upper-case letters or digits"
        raise SandboxConfigError(message)
    return replace(
        base.with_fields(declared),
        label=_expect(str, entry.get("label", base.label), f"{where}.label"),
        transactional=_expect(
            bool, entry.get("transactional", base.transactional), f"{where}.transactional"
        ),
        prefix=prefix,
    )


def _field(owner: str, name: str, plain: Plain, parent: str) -> Field:
    where = f"{parent}.fields.{name}"
    _known(plain, _FIELD_KEYS, where)
    data_type = str(plain.get("type", "STRING")).upper()
    _member(data_type, DATA_TYPES, f"{where}.type")
    flags = {
        attribute: _expect(bool, plain[key], f"{where}.{key}")
        for key, attribute in _FIELD_FLAGS.items()
        if key in plain
    }
    flags.setdefault("nillable", not flags.get("required", False))
    length = plain.get("length", DEFAULT_LENGTHS.get(data_type))
    decimals = plain.get("decimal_places")
    return Field(
        name,
        data_type,
        _expect(str, plain.get("label", name.removesuffix("__gc")), f"{where}.label"),
        length=None if length is None else _expect(int, length, f"{where}.length"),
        decimal_places=(
            None if decimals is None else _expect(int, decimals, f"{where}.decimal_places")
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
        _known(entry, _OPTION_KEYS, f"{where}.options[{index}]")
        label = _expect(str, entry.get("label"), f"{where}.options[{index}].label")
        (active if entry.get("active", True) else inactive).append(label)
    return make_options(owner, name, active, inactive=inactive)


def _lookup_target(data_type: str, target: object, where: str) -> str | None:
    if data_type == "LOOKUP" and not isinstance(target, str):
        message = f"{where}.object: a LOOKUP names the object it points to, e.g. object: company"
        raise SandboxConfigError(message)
    if target is None:
        return None
    return str(_expect(str, target, f"{where}.object"))


def _check_lookups(models: Mapping[str, ObjectModel]) -> None:
    for model in models.values():
        for each in model.fields.values():
            target = each.lookup_object
            if target is not None and target.lower() not in models:
                known = [other.name for other in models.values()]
                where = f"objects.{model.name}.fields.{each.name}.object"
                raise SandboxConfigError(_unknown(target, known, where, "object"))


def _fault(plain: Plain, where: str) -> Fault:
    _known(plain, [each.name for each in fields(Fault)], where)
    _member(plain.get("kind"), REFUSING_KINDS | COMMITTING_KINDS, f"{where}.kind")
    values = dict(plain)
    if isinstance(values.get("seconds"), list):
        values["seconds"] = tuple(values["seconds"])
    return Fault(**values)


def _rule(plain: Plain, where: str) -> ServerRule:
    keys = {"object": "object_name", "field": "field", "value": "value"}
    _known(plain, [*keys, "code", "message"], where)
    missing = [key for key in keys if key not in plain]
    if missing:
        message = f"{where}: a rule needs {', '.join(missing)}"
        raise SandboxConfigError(message)
    return ServerRule(**{keys.get(key, key): value for key, value in plain.items()})


def _bulk_job(plain: Plain, objects: Collection[ObjectModel], where: str) -> BulkJob:
    _known(plain, _JOB_KEYS, where)
    models = {model.name.lower(): model for model in objects}
    name = _expect(str, plain.get("object"), f"{where}.object")
    _member(name.lower(), models, f"{where}.object")
    model = models[name.lower()]
    operation = plain.get("operation", "upsert")
    _member(operation, _OPERATIONS, f"{where}.operation")
    keys = _texts(plain.get("keys"), f"{where}.keys")
    columns = _mapping(plain.get("columns"), f"{where}.columns")
    lookups = _mapping(plain.get("lookups"), f"{where}.lookups")
    for field_name in (*keys, *columns.values(), *lookups):
        _member(field_name, model.fields, where)
    if bool(keys) == (operation == "insert"):
        message = f"{where}.keys: an update or upsert needs some, and an insert has none"
        raise SandboxConfigError(message)
    return BulkJob(model.name, operation, keys, columns, lookups)


def _texts(listed: object, where: str) -> tuple[str, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list):
        message = f"{where}: a list is wanted, not {listed!r}"
        raise SandboxConfigError(message)
    return tuple(_expect(str, each, where) for each in listed)


def _settings(base: _Value, plain: object, where: str) -> _Value:
    given = _mapping(plain, where)
    hints = get_type_hints(type(base))
    _known(given, hints, where)
    return replace(  # type: ignore[type-var]
        base, **{key: _setting(hints[key], each, f"{where}.{key}") for key, each in given.items()}
    )


def _setting(hint: object, value: object, where: str) -> object:
    if get_origin(hint) is Literal:
        _member(value, get_args(hint), where)
        return value
    if hint is float:
        return float(_expect((int, float), value, where))
    return _expect(hint, value, where)


def _user(plain: Plain, where: str) -> Plain:
    missing = [key for key in ("Name", "Email") if not isinstance(plain.get(key), str)]
    if missing:
        message = f"{where}: a user needs {' and '.join(missing)}"
        raise SandboxConfigError(message)
    return plain


def _rows(listed: object, where: str) -> tuple[Plain, ...]:
    return _each(lambda plain, _: dict(plain), listed, where)


def _each(make: Callable[[Plain, str], _Value], listed: object, where: str) -> tuple[_Value, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, (list, tuple)):
        message = f"{where}: a list is wanted, not {listed!r}"
        raise SandboxConfigError(message)
    return tuple(
        make(_mapping(each, f"{where}[{index}]"), f"{where}[{index}]")
        for index, each in enumerate(listed)
    )


def _mapping(value: object, where: str) -> Plain:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"{where}: a mapping is wanted, not {value!r}"
        raise SandboxConfigError(message)
    return value


def _expect(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 - checked here
    wrong_bool = isinstance(value, bool) and kind is not bool
    if wrong_bool or not isinstance(value, kind):
        name = "a number" if isinstance(kind, tuple) else _KIND_NAMES[kind]
        message = f"{where}: {name} is wanted, not {value!r}"
        raise SandboxConfigError(message)
    return value


_KIND_NAMES = {str: "text", int: "a whole number", bool: "true or false"}


def _member(value: object, allowed: Collection[str], where: str) -> None:
    if value not in allowed:
        raise SandboxConfigError(_unknown(value, allowed, where, "value"))


def _known(plain: Plain, allowed: Collection[str], where: str) -> None:
    for key in plain:
        if key not in allowed:
            raise SandboxConfigError(_unknown(key, allowed, where or "sandbox config", "key"))


def _unknown(value: object, allowed: Collection[str], where: str, what: str) -> str:
    near = difflib.get_close_matches(str(value), list(allowed), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(allowed))}"
    return f"{where}: unknown {what} {value!r}; {hint}"
