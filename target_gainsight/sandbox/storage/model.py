"""The types of a tenant's objects, fields, picklist items and bulk jobs.

Values only, no storage and no HTTP.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from target_gainsight.sandbox.storage.identifiers import PICKLIST_ITEM_PREFIX, derived_gsid

TEXT_TYPES = frozenset({"STRING", "EMAIL", "URL", "RICHTEXTAREA", "SFDCID", "IMAGE"})
NUMBER_TYPES = frozenset({"NUMBER", "CURRENCY", "PERCENTAGE"})
GSID_TYPES = frozenset({"GSID", "LOOKUP", "WHOID", "WHATID"})
JSON_TYPES = frozenset({"JSON", "JSONSTRING", "JSONNUMBER", "JSONBOOLEAN"})
PICKLIST_TYPES = frozenset({"PICKLIST", "MULTISELECTDROPDOWNLIST"})
DATA_TYPES = (
    TEXT_TYPES
    | NUMBER_TYPES
    | GSID_TYPES
    | JSON_TYPES
    | PICKLIST_TYPES
    | {"BOOLEAN", "DATE", "DATETIME"}
)
KEY_TYPES = frozenset({"STRING", "GSID", "NUMBER", "EMAIL"})
"""Field types allowed in `keys` (Company API, Update) [D]."""

DEFAULT_LENGTHS = {
    "STRING": 255,
    "EMAIL": 255,
    "URL": 1024,
    "RICHTEXTAREA": 131_072,
    "SFDCID": 18,
    "IMAGE": 1024,
}


@dataclass(frozen=True)
class Option:
    """An item of a picklist: its GSID, label and whether it may still be written."""

    gsid: str
    label: str
    active: bool = True


@dataclass(frozen=True)
class Field:
    """A field of an object, as describe shows it. `name` is the API name, case-sensitive.

    A `guessed` one was made on first use (`auto_create`): as text it takes lists, too.
    """

    name: str
    data_type: str
    label: str = ""
    length: int | None = None
    decimal_places: int | None = None
    required: bool = False
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    read_only: bool = False
    formula: bool = False
    custom: bool = False
    options: tuple[Option, ...] = ()
    lookup_object: str | None = None
    guessed: bool = False

    def may_be_written(self, *, creating: bool) -> bool:
        """Createable (POST) or updateable (PUT), and neither formula nor read-only [D/O]."""
        allowed = self.createable if creating else self.updateable
        return allowed and not self.read_only and not self.formula

    @property
    def relation(self) -> str:
        """The name that traverses this lookup: `Csm` → `Csm__gr`, `owner__gc` → `owner__gr`."""
        return self.name.removesuffix("__gc") + "__gr"


@dataclass(frozen=True)
class ObjectModel:
    """An object of the tenant and its fields.

    Attributes:
        name: API name as describe shows it.
        transactional: low-volume, so writable through the records API [D/O].
        prefix: the four characters that its GSIDs begin with.
        writable: whether the records API writes it at all (People has an API of its own).
        guessed: made on first use, so that describe does not list its fields.
    """

    name: str
    label: str
    prefix: str
    fields: dict[str, Field]
    object_type: str = "STANDARD"
    transactional: bool = True
    writable: bool = True
    guessed: bool = False
    relations: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the lookups by the name that traverses them."""
        found = {each.relation: each for each in self.fields.values() if each.lookup_object}
        object.__setattr__(self, "relations", found)

    @property
    def required_fields(self) -> list[str]:
        """The fields that every new record must have."""
        return [each.name for each in self.fields.values() if each.required]

    def with_fields(self, extra: Iterable[Field]) -> "ObjectModel":
        """Return the object with further fields; a field of the same name is replaced."""
        return replace(self, fields={**self.fields, **{each.name: each for each in extra}})


@dataclass(frozen=True)
class BulkJob:
    """A bulk job as an administrator configured it.

    Attributes:
        object_name: what it loads.
        operation: what it does with a row.
        keys: the fields by which it finds existing rows; none for insert.
        columns: column of the CSV to field; empty for every field by its own name.
        lookups: foreign keys, described as in the body of a write.
    """

    object_name: str
    operation: Literal["insert", "update", "upsert"] = "upsert"
    keys: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def system_fields() -> tuple[Field, ...]:
    """Return the fields that the server maintains: never writable, Gsid only as a key [O]."""
    closed: dict[str, Any] = {"createable": False, "updateable": False, "read_only": True}
    return (
        Field("Gsid", "GSID", "GSID", nillable=False, **closed),
        Field("CreatedDate", "DATETIME", "Created Date", **closed),
        Field("CreatedBy", "LOOKUP", "Created By", lookup_object="gsuser", **closed),
        Field("ModifiedDate", "DATETIME", "Modified Date", **closed),
        Field("ModifiedBy", "LOOKUP", "Modified By", lookup_object="gsuser", **closed),
    )


def make_options(
    object_name: str, field_name: str, labels: Iterable[str], *, inactive: Iterable[str] = ()
) -> tuple[Option, ...]:
    """Picklist items whose GSIDs follow from object, field and label."""
    closed = tuple(inactive)
    return tuple(
        Option(
            derived_gsid(PICKLIST_ITEM_PREFIX, object_name.lower(), field_name, label),
            label,
            active=label not in closed,
        )
        for label in [*labels, *closed]
    )


def model_to_json(model: ObjectModel) -> dict[str, Any]:
    """Return JSON values for `model_from_json`."""
    plain = {name: value for name, value in vars(model).items() if name != "relations"}
    plain["fields"] = {
        name: {**vars(each), "options": [vars(option) for option in each.options]}
        for name, each in model.fields.items()
    }
    return plain


def model_from_json(plain: dict[str, Any]) -> "ObjectModel":
    """Return the model of the JSON values that `model_to_json` returned."""
    fields = {}
    for name, each in plain["fields"].items():
        options = tuple(Option(**option) for option in each["options"])
        fields[name] = Field(**{**each, "options": options})
    return ObjectModel(**{**plain, "fields": fields})
