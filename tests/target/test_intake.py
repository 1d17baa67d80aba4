"""An invalid value rejects its record alone; a protocol error ends the run with an explanation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from singer_messages import COMPANY_COLUMNS, TEXT, Message, record, schema, state
from singer_runs import Tenant, lines_of

SECRET = "do-not-show-me"
ORDERS = {"object_type": "custom_object", "custom_object_name": "Order__gc"}


def test_failing_map_expression_rejects_record_alone(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        record(Name="Initech", Industry="software"),
        record(Name="Hooli", Industry=None),
        record(Name="Globex", Industry="energy"),
        stream_maps={"accounts": {"Industry": "Industry.upper()"}},
    )
    assert run.exit_code == 0
    assert tenant.names() == ["Globex", "Initech"]
    [reject] = run.rejects
    assert reject["record"] == {"Name": "Hooli", "Industry": None}
    assert reject["gainsight_reject"]["code"] == "map_failed"
    [line] = [each for each in run.warnings if each.startswith("rejected")]
    assert "stream 'accounts', Name = 'Hooli': map_failed: " in line
    assert "a stream map expression failed" in line
    assert line.endswith("; make the expressions of its stream map handle such records")


def test_division_by_zero_in_a_map_expression_is_named(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Employees": {"type": "number"}}
    by_zero = {"accounts": {"Employees": "Employees / 0"}}
    run = tenant.load(schema(columns=columns), record(Name="A", Employees=1.5), stream_maps=by_zero)
    assert "a stream map expression failed: DivisionByZero; make the" in run.log[0]


def test_reject_of_a_stream_without_keys_is_logged_with_its_place(tenant: Tenant) -> None:
    messages = (schema(keys=()), record(Name="Initech"), record(Name="Hooli", Employees="a lot"))
    run = tenant.load(*messages)
    [line] = [each for each in run.warnings if each.startswith("rejected")]
    assert line.startswith("rejected: stream 'accounts', record 2 of the input: schema_violation")


def test_record_that_violates_schema_is_rejected_alone(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        record(Name="Initech", Employees=12),
        record(Name="Hooli", Employees="a lot"),
    )
    assert (run.exit_code, tenant.names()) == (0, ["Initech"])
    [reject] = run.rejects
    reason = reject["gainsight_reject"]
    assert (reason["code"], reason["field"]) == ("schema_violation", "Employees")
    assert reason["value"] == "a lot"
    assert "does not match the stream's schema: the value is not of types" in reason["message"]
    assert reason["hint"] == "correct it in the tap, or set validate_records: false"


def test_record_without_required_column_is_rejected_alone(tenant: Tenant) -> None:
    demanding = schema()
    demanding["schema"]["required"] = ["Industry"]
    run = tenant.load(demanding, record(Name="Hooli"), record(Name="Initech", Industry="x"))
    assert (run.exit_code, tenant.names()) == (0, ["Initech"])
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("schema_violation", "Industry")
    assert reject["message"] == (
        "the stream's schema requires this column, and the record does not have it"
    )


@pytest.mark.parametrize("value", ["31.12.2026", "2026-02-30", "soon"])
def test_invalid_date_rejects_record_alone(tenant: Tenant, value: str) -> None:
    run = tenant.load(
        schema(),
        record(Name="Hooli", RenewalDate=value),
        record(Name="Initech", RenewalDate="2026-12-31"),
    )
    assert (run.exit_code, tenant.names()) == (0, ["Initech"])
    assert run.codes == ["not_a_date"]
    assert tenant.rows(Name="Initech")[0]["RenewalDate"] == "2026-12-31"


@pytest.mark.parametrize("value", ["soon", 5, True, ["2026-12-31"]])
def test_date_of_unknown_field_is_parsed_by_schema(tenant: Tenant, value: object) -> None:
    switches = tenant.sandbox.tenant.switches
    tenant.sandbox.tenant.switches = replace(switches, metadata_status=403)
    run = tenant.load(
        schema(),
        record(Name="Hooli", RenewalDate=value),
        record(Name="Initech", RenewalDate="2026-12-31"),
        validate_records=False,
    )
    assert (run.exit_code, tenant.names(), run.codes) == (0, ["Initech"], ["invalid_date"])


def test_source_record_is_kept_unchanged(tenant: Tenant) -> None:
    source = {"Name": "Hooli", "RenewalDate": "2026-12-31", "Employees": "a lot", "_sdc_x": [1]}
    message = {**record(**source), "time_extracted": "2026-01-01T00:00:00Z", "version": 5}
    run = tenant.load(schema(), message, record(Name="Initech"))
    [reject] = run.rejects
    del reject["gainsight_reject"]
    assert reject == message


def test_deleted_source_record_is_skipped_by_default(tenant: Tenant) -> None:
    tenant.load(schema(), record(Name="Initech"))
    run = tenant.load(
        schema(),
        record(Name="Initech", _sdc_deleted_at="2026-01-01T00:00:00Z"),
        record(Name="Hooli", _sdc_deleted_at=None),
        state(at=2),
    )
    assert (run.exit_code, run.rejects, run.states) == (0, [], [{"at": 2}])
    assert tenant.names() == ["Hooli", "Initech"]
    assert run.target.summary.streams["accounts"].skips == {"deleted_in_source": 1}
    assert tenant.calls("delete") == []


def test_ignored_activate_version_is_reported_once(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.load(schema(), record(Name="Initech"))
    activate = {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 2}
    run = tenant.load(schema(), activate, record(Name="Hooli"), activate)
    assert run.exit_code == 0
    assert tenant.names() == ["Hooli", "Initech"]
    logged = [
        each.getMessage() for each in caplog.records if "ACTIVATE_VERSION" in each.getMessage()
    ]
    assert logged == [
        "stream 'accounts': ACTIVATE_VERSION is ignored; rows the source lacks are not deleted"
    ]


@pytest.mark.parametrize("add_record_metadata", [False, True])
def test_metadata_columns_are_not_sent_unless_mapped(
    tenant: Tenant, add_record_metadata: bool
) -> None:
    columns = {**COMPANY_COLUMNS, "_sdc_batched_at": {**TEXT, "format": "date-time"}}
    run = tenant.load(
        schema(columns=columns),
        record(Name="Initech", _sdc_batched_at="2026-01-01T00:00:00Z"),
        add_record_metadata=add_record_metadata,
    )
    assert (run.exit_code, tenant.names()) == (0, ["Initech"])
    [insert] = tenant.calls("insert")
    assert insert.body["records"] == [{"Name": "Initech"}]


@pytest.mark.parametrize("add_record_metadata", [False, True])
def test_metadata_columns_are_sent_when_mapped(tenant: Tenant, add_record_metadata: bool) -> None:
    columns = {"id": {"type": "integer"}}
    message = {
        **record("orders", id=7),
        "time_extracted": "2026-01-01T09:30:00Z",
        "version": 1234,
    }
    run = tenant.load(
        schema("orders", columns, ["id"]),
        message,
        **ORDERS,
        field_mapping={
            "id": "orderId__gc",
            "_sdc_extracted_at": "placedAt__gc",
            "_sdc_table_version": "sequence__gc",
        },
        lookup_keys=["orderId__gc"],
        add_record_metadata=add_record_metadata,
    )
    assert (run.errors, run.exit_code) == ([], 0)
    [row] = tenant.rows("Order__gc")
    assert row["placedAt__gc"].startswith("2026-01-01T09:30:00")
    assert row["sequence__gc"] == 1234


def broken(message: Message, **changes: Any) -> Message:
    return {**message, **changes}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f'{{"type": "RECORD", "{SECRET}', "not JSON: "),
        (f'["{SECRET}"]', "not a JSON object"),
        (f'"{SECRET}"', "not a JSON object"),
        ("[" * 100_000, "nested more than 200 levels deep"),
        (f'{{"type": "{SECRET * 9}"}}', "unknown message type"),
        (f'{{"kind": "{SECRET}"}}', "unknown message type (none)"),
        (f'{{"type": ["{SECRET}"]}}', "unknown message type (none)"),
        ({"type": "RECORD", "record": {"Name": SECRET}}, "stream must be text"),
        ({"type": "RECORD", "stream": "accounts"}, "record must be an object"),
        (broken(record(), record=[SECRET]), "record must be an object"),
        (broken(record(), stream=[SECRET]), "stream must be text"),
        (broken(schema(), schema=SECRET), "schema must be an object"),
        ({"type": "SCHEMA", "stream": "accounts"}, "schema must be an object"),
        ({"type": "STATE"}, "value must be given"),
        ({"type": "ACTIVATE_VERSION"}, "stream must be text"),
        ({"type": "BATCH", "stream": "accounts"}, "encoding must be an object"),
        (
            {"type": "BATCH", "stream": "accounts", "encoding": SECRET, "manifest": []},
            "encoding must be an object",
        ),
        (
            {"type": "BATCH", "stream": "accounts", "encoding": {}, "manifest": SECRET},
            "manifest must be a list",
        ),
    ],
)
def test_line_that_is_no_message_ends_run_unquoted(
    tenant: Tenant, line: Message | str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    run = tenant.load(schema(), record(Name="Initech"), line)
    assert run.exit_code == 1
    assert run.error.startswith(f"line 3 of the input is not a Singer message: {problem}")
    assert "\n" not in run.error
    assert len(run.error) < 300
    shown = [each.getMessage() for each in caplog.records if SECRET in each.getMessage()]
    assert [each for each in shown if "unknown message type" not in each] == []


def test_invalid_utf_8_ends_run_unquoted(tenant: Tenant) -> None:
    start = lines_of([schema()]).encode()
    run = tenant.load_text(start + b'{"type": "RECORD", "stream": "a", "record": {"Name": "\xff"}}')
    assert run.exit_code == 1
    assert run.error.startswith("line 2 of the input is not a Singer message: not UTF-8: byte ")


def test_blank_lines_are_ignored(tenant: Tenant) -> None:
    assert tenant.load(schema(), "", record(Name="Initech"), "   ").exit_code == 0
    assert tenant.names() == ["Initech"]


def test_last_line_without_newline_is_read(tenant: Tenant) -> None:
    text = lines_of([schema(), record(Name="Initech")]).rstrip("\n")
    assert tenant.load_text(text).exit_code == 0
    assert tenant.names() == ["Initech"]


def test_record_before_its_schema_ends_run(tenant: Tenant) -> None:
    run = tenant.load(record(Name=SECRET))
    assert run.exit_code == 1
    assert run.error == "a record of stream 'accounts' came before its SCHEMA message"


def test_record_without_its_key_property_is_rejected_alone(tenant: Tenant) -> None:
    run = tenant.load(schema(), record(Name="Acme"), record(Industry="x"), record(Name="Hooli"))
    assert (run.exit_code, tenant.names()) == (0, ["Acme", "Hooli"])
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("key_missing", "Name")
    assert run.rejects[0]["record"] == {"Industry": "x"}


@pytest.mark.parametrize("required", [[], ["id"]])
def test_deselected_key_that_goes_nowhere_is_not_required(
    tenant: Tenant, required: list[str]
) -> None:
    deselected = schema(keys=["id"])
    deselected["schema"]["required"] = required
    run = tenant.load(deselected, record(Name="Acme"), record(Name="Hooli", id=2), record(id=3))
    assert (run.codes, tenant.names()) == (["key_missing"], ["Acme", "Hooli"])
    assert "no writable field for them: id" in run.warnings[0]


@pytest.mark.parametrize("sent", ["NaN", "Infinity", "-Infinity"])
def test_number_without_json_form_is_named_in_a_typed_column(tenant: Tenant, sent: str) -> None:
    line = json.dumps(record(Name="A", Employees=0)).replace("0}", f"{sent}}}")
    run = tenant.load(schema(), line, record(Name="B"))
    reject = run.rejects[0]["gainsight_reject"]
    assert (reject["code"], reject["field"]) == ("not_finite", "Employees")
    assert "NaN and infinity cannot be sent. Send null or a finite number." in run.log[0]
    assert tenant.names() == ["B"]


def test_each_of_several_errors_has_its_own_hint(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "Employees": {}, "RenewalDate": {}}
    run = tenant.load(schema(columns=columns), record(Name="A", Employees="5 %", RenewalDate="x"))
    number, date = run.log[0].split("RenewalDate (DATE)")
    assert number.rstrip().endswith("such as 1234.5 or 1,234.5.")
    assert date.endswith("or an epoch between 1980 and 2100.")
    assert run.log[0].count("such as 1234.5") == 1


@pytest.mark.parametrize(
    "stream_map",
    [
        {"Name": "__NULL__"},
        {"Industry": "Industry", "__key_properties__": ["nothing"]},
        {"Industry": "Industry", "__key_properties__": ["Name"], "Name": None},
    ],
)
def test_unusable_stream_map_ends_run(tenant: Tenant, stream_map: dict[str, Any]) -> None:
    run = tenant.load(schema(), stream_maps={"accounts": stream_map})
    assert run.exit_code == 1
    assert run.error.startswith("stream 'accounts': its stream map cannot be used: ")
    assert (
        "Set its __key_properties__ under stream_maps to columns that it keeps. Or keep"
        in run.error
    )
    assert "\n" not in run.error


def test_repeated_schema_costs_no_calls(tenant: Tenant) -> None:
    columns = {**COMPANY_COLUMNS, "_sdc_extracted_at": TEXT}
    pages = [(schema(columns=columns), record(Name=f"C{n}"), state(page=n)) for n in range(60)]
    run = tenant.load(
        *(message for page in pages for message in page),
        stream_maps={"accounts": {"Industry": "'Software'"}},
        sync_mode="insert",
    )
    assert (run.exit_code, len(tenant.names())) == (0, 60)
    assert len(tenant.calls("insert")) == 2
    assert len(tenant.calls("describe")) == 1


def test_changed_schema_writes_old_records_first(tenant: Tenant) -> None:
    wider = {**COMPANY_COLUMNS, "Summary": TEXT}
    run = tenant.load(
        schema(),
        record(Name="Initech", Industry="old"),
        schema(columns=wider),
        record(Name="Initech", Industry="new", Summary="wide"),
    )
    assert (run.errors, run.exit_code) == ([], 0)
    [row] = tenant.rows()
    assert (row["Industry"], row["Summary"]) == ("new", "wide")


def test_flattening_works(tenant: Tenant) -> None:
    columns = {"Name": TEXT, "firm": {"type": "object", "properties": {"Industry": TEXT}}}
    run = tenant.load(
        schema(columns=columns),
        record(Name="Initech", firm={"Industry": "software"}),
        flattening_enabled=True,
        flattening_max_depth=1,
        field_mapping={"firm__Industry": "Industry"},
    )
    assert (run.errors, run.exit_code) == ([], 0)
    assert tenant.rows()[0]["Industry"] == "software"


def test_no_input_line_is_kept_in_memory(tenant: Tenant) -> None:
    """Chunks end anywhere, also within a line and within a character."""
    names = [f"Ünïted {number} " + "ß" * 3000 for number in range(60)]
    columns = {"Name": TEXT, "Summary": TEXT}
    messages = [schema(columns=columns), *(record(Name=n[:20], Summary=n) for n in names)]
    raw = "\n".join(json.dumps(each, ensure_ascii=False) for each in messages).encode()
    assert len(raw) > 3 * 65_536
    assert tenant.load_text(raw).exit_code == 0
    assert tenant.names() == sorted(name[:20] for name in names)


def test_keys_only_reject_is_not_replayed(tenant: Tenant) -> None:
    run = tenant.load(
        schema(),
        record(Name="Hooli", Employees="a lot"),
        record(Name="Initech"),
        reject_values="keys",
    )
    kept = run.reject_path.read_text(encoding="utf-8")
    assert "a lot" not in json.dumps([each["record"] for each in run.rejects])
    replay = tenant.load_text(kept)
    assert replay.exit_code == 1
    assert "reject_values: keys and holds no whole records" in replay.error
    assert tenant.names() == ["Initech"]


def test_child_finds_parent_mapped_from_same_record(tenant: Tenant) -> None:
    """The map of the stream's own name comes first; its group must not end before its parents."""
    lines = [record("subsidiaries", parent=f"P{n}", Name=f"S{n}") for n in range(6)]
    run = tenant.load(
        schema("subsidiaries", {"parent": TEXT, "Name": TEXT}),
        *lines,
        read_group_size=2,
        object_type=None,
        stream_maps={
            "parents": {
                "__source__": "subsidiaries",
                "Name": "parent",
                "__key_properties__": ["Name"],
                "__else__": None,
            }
        },
        streams={
            "subsidiaries": {
                "object_type": "relationship",
                "lookups": {"CompanyId": {"object_name": "company", "fields": {"parent": "Name"}}},
            },
            "parents": {"object_type": "company"},
        },
    )
    assert (run.exit_code, run.codes) == (0, [])
    companies = {row["Gsid"]: row["Name"] for row in tenant.rows()}
    linked = {row["Name"]: companies[row["CompanyId"]] for row in tenant.rows("relationship")}
    assert linked == {f"S{n}": f"P{n}" for n in range(6)}
