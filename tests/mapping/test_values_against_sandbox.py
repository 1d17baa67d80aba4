"""The sandbox accepts converted values, and read back they equal what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenant_fields import TIERS, a_field
from test_value_properties import DATA_TYPES, FORMS, Form, anything

from target_gainsight.api import Json
from target_gainsight.api.http.json_codec import decode, encode
from target_gainsight.mapping.errors import RecordRejectedError
from target_gainsight.mapping.types.converters import Converter
from target_gainsight.sandbox import Switches
from target_gainsight.sandbox.storage.model import DATA_TYPES as SANDBOX_TYPES
from target_gainsight.sandbox.storage.model import DEFAULT_LENGTHS, Field, Option
from target_gainsight.sandbox.storage.values import renderer, value_parser

STRICT = Switches(datetime_milliseconds_required=True)
READ_FORMS = [
    Switches(),
    Switches(date_read="epoch_ms", datetime_read="epoch_ms", empty_text_read="blank"),
]


def of_the_tenant(data_type: str, length: int | None) -> Field:
    options = tuple(Option(each.gsid, each.label, each.active) for each in TIERS)
    return Field("Field", data_type, length=length, options=options)


def read_back(field: Field, written: Json, switches: Switches) -> Json:
    """Value that a query returns after `written` was sent and stored."""
    stored = value_parser(field, switches)(json.loads(encode(written)))
    render = renderer(field, switches)
    return decode(json.dumps(render(stored) if render else stored).encode())


def test_every_type_of_sandbox_is_known() -> None:
    assert set(DATA_TYPES) >= set(SANDBOX_TYPES)


@settings(max_examples=300)
@given(data_type=st.sampled_from(sorted(SANDBOX_TYPES)), value=anything)
def test_converted_value_is_accepted(data_type: str, value: object) -> None:
    length = DEFAULT_LENGTHS.get(data_type)
    try:
        written = Converter("Field", a_field("Field", data_type, length=length)).write(value)
    except RecordRejectedError:
        return
    value_parser(of_the_tenant(data_type, length), STRICT)(json.loads(encode(written)))


@settings(max_examples=200)
@given(day=st.dates())
@pytest.mark.parametrize(("date_format", "accepted"), [("iso", "iso"), ("MM-DD-YYYY", "mdy")])
def test_date_is_accepted_in_configured_format(
    date_format: str, accepted: str, day: object
) -> None:
    converter = Converter("Field", a_field("Field", "DATE"), date_format=date_format)  # type: ignore[arg-type]
    only = replace(STRICT, date_formats=accepted)
    read = read_back(of_the_tenant("DATE", None), converter.write(day), only)
    assert converter.comparable(read) == converter.comparable(converter.write(day))


@pytest.mark.parametrize("switches", READ_FORMS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.data_type)
@given(data=st.data())
def test_written_value_is_unchanged_when_read(
    form: Form, switches: Switches, data: st.DataObject
) -> None:
    converter = Converter("Field", a_field("Field", form.data_type))
    source = data.draw(form.sources)
    try:
        written = converter.write(source)
    except RecordRejectedError:
        return
    read = read_back(of_the_tenant(form.data_type, None), written, switches)
    if not isinstance(written, (int, Decimal)) or written == Decimal(repr(float(written))):
        assert converter.comparable(read) == converter.comparable(written)
    else:
        assert isinstance(read, (int, Decimal))  # the sandbox keeps large numbers as doubles


def test_empty_field_is_empty_in_any_form() -> None:
    for switches in READ_FORMS:
        for data_type in sorted(SANDBOX_TYPES):
            converter = Converter("Field", a_field("Field", data_type))
            read = read_back(of_the_tenant(data_type, None), converter.write(None), switches)
            assert converter.comparable(read) == converter.comparable(None)
