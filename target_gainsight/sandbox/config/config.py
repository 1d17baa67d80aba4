"""Reads the description of a tenant from a YAML file or a mapping.

Reads and checks; knows neither storage nor HTTP.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from target_gainsight.sandbox.config.described_objects import described_objects
from target_gainsight.sandbox.config.description import (
    Plain,
    SandboxConfigError,
    check_keys,
    check_member,
    read_each,
    read_mapping,
    read_settings,
    read_texts,
    read_value,
)
from target_gainsight.sandbox.config.faults import (
    COMMITTING_KINDS,
    REFUSING_KINDS,
    Fault,
    ServerRule,
)
from target_gainsight.sandbox.config.switches import Limits, Switches
from target_gainsight.sandbox.storage.model import BulkJob, ObjectModel

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


@dataclass(frozen=True)
class TenantConfig:
    """The description of a tenant: its objects (standard ones included), people and switches.

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
    """Return the description with some limits replaced.

    Raises:
        SandboxConfigError: An unknown limit, or a value that is no number.
    """
    if not limits:
        return config
    return replace(config, limits=read_settings(config.limits, limits, "limits"))


def override_switches(config: TenantConfig, switches: Plain | None) -> TenantConfig:
    """Return the description with some switches in other positions.

    Raises:
        SandboxConfigError: An unknown switch, or a position that it does not have.
    """
    if not switches:
        return config
    return replace(config, switches=read_settings(config.switches, switches, "switches"))


def _read_yaml(path: Path) -> Plain:
    import yaml  # noqa: PLC0415 - comes with the extra

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"sandbox config {path} cannot be read: {error.strerror}"
        raise SandboxConfigError(message) from error
    except UnicodeDecodeError as error:
        message = f"sandbox config {path} is not UTF-8 text: {error}"
        raise SandboxConfigError(message) from error
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"sandbox config {path} is not YAML: {' '.join(str(error).split())}"
        raise SandboxConfigError(message) from error
    return read_mapping({} if parsed is None else parsed, str(path))


def parse_config(plain: Plain) -> TenantConfig:
    """Read and check the description of a tenant.

    Raises:
        SandboxConfigError: An unknown key (near misses are named) or a wrong value.
    """
    check_keys(plain, _ROOT_KEYS, "sandbox config")
    objects = described_objects(plain.get("objects"))
    return TenantConfig(
        access_key=read_value(str, plain.get("access_key", "sandbox"), "access_key"),
        client_id=read_value(str, plain.get("client_id", ""), "client_id"),
        client_secret=read_value(str, plain.get("client_secret", ""), "client_secret"),
        auto_create=read_value(bool, plain.get("auto_create", False), "auto_create"),
        limits=read_settings(Limits(), plain.get("limits"), "limits"),
        switches=read_settings(Switches(), plain.get("switches"), "switches"),
        users=read_each(_user, plain["users"], "users") if "users" in plain else DEFAULT_USERS,
        objects=objects,
        rows={
            name: _rows(rows, f"rows.{name}")
            for name, rows in read_mapping(plain.get("rows"), "rows").items()
        },
        faults=read_each(_fault, plain.get("faults"), "faults"),
        fault_seed=read_value(int, plain.get("fault_seed", 0), "fault_seed"),
        rules=read_each(_rule, plain.get("rules"), "rules"),
        bulk_jobs={
            str(name): _bulk_job(job, objects, f"bulk_jobs.{name}")
            for name, job in read_mapping(plain.get("bulk_jobs"), "bulk_jobs").items()
        },
    )


def _fault(plain: Plain, where: str) -> Fault:
    check_keys(plain, [each.name for each in fields(Fault)], where)
    check_member(plain.get("kind"), REFUSING_KINDS | COMMITTING_KINDS, f"{where}.kind")
    values = dict(plain)
    if isinstance(values.get("seconds"), list):
        values["seconds"] = tuple(values["seconds"])
    return Fault(**values)


def _rule(plain: Plain, where: str) -> ServerRule:
    keys = {"object": "object_name", "field": "field", "value": "value"}
    check_keys(plain, [*keys, "code", "message"], where)
    missing = [key for key in keys if key not in plain]
    if missing:
        message = f"{where}: a rule needs {', '.join(missing)}"
        raise SandboxConfigError(message)
    return ServerRule(**{keys.get(key, key): value for key, value in plain.items()})


def _bulk_job(described: object, objects: Collection[ObjectModel], where: str) -> BulkJob:
    plain = read_mapping(described, where)
    check_keys(plain, _JOB_KEYS, where)
    models = {model.name.lower(): model for model in objects}
    name = read_value(str, plain.get("object"), f"{where}.object")
    check_member(name.lower(), models, f"{where}.object")
    model = models[name.lower()]
    operation = plain.get("operation", "upsert")
    check_member(operation, _OPERATIONS, f"{where}.operation")
    keys = read_texts(plain.get("keys"), f"{where}.keys")
    columns = read_mapping(plain.get("columns"), f"{where}.columns")
    lookups = read_mapping(plain.get("lookups"), f"{where}.lookups")
    for field_name in (*keys, *columns.values(), *lookups):
        check_member(field_name, model.fields, where)
    if bool(keys) == (operation == "insert"):
        message = f"{where}.keys: an update or upsert needs some, and an insert has none"
        raise SandboxConfigError(message)
    return BulkJob(model.name, operation, keys, columns, lookups)


def _user(plain: Plain, where: str) -> Plain:
    missing = [key for key in ("Name", "Email") if not isinstance(plain.get(key), str)]
    if missing:
        message = f"{where}: a user needs {' and '.join(missing)}"
        raise SandboxConfigError(message)
    return plain


def _rows(listed: object, where: str) -> tuple[Plain, ...]:
    return read_each(lambda plain, _: dict(plain), listed, where)
