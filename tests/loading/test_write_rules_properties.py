"""Whatever the rules, the rows hold what the records leave when applied one after the other."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_messages import TEXT, Message, record, schema
from singer_runs import Tenant

FIELDS = ("Industry", "TickerSymbol", "Summary")
KEYS = ("A", "B")
VALUES = st.sampled_from([None, "x", "y"])
CONTENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES)
WRITES = st.sampled_from(["always", "empty", "create"])
RECORDS = st.lists(st.tuples(st.sampled_from(KEYS), CONTENTS), min_size=1, max_size=6)
ROWS = st.dictionaries(st.sampled_from(KEYS), CONTENTS)
COLUMNS = schema(columns=dict.fromkeys(("Name", *FIELDS), TEXT))
EACH = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Rows = dict[str, dict[str, Any]]


def expected_rows(
    rows: Rows, records: list[tuple[str, Message]], rules: dict[str, Message], mode: str
) -> Rows:
    """Apply the records one after the other."""
    held = {name: dict.fromkeys(FIELDS) | fields for name, fields in rows.items()}
    for name, fields in records:
        if name not in held:
            if mode == "upsert":
                held[name] = dict.fromkeys(FIELDS) | fields
            continue
        row = held[name]
        written = {each: fields[each] for each in fields if is_written(rules[each], row[each])}
        causes = [each for each in written if rules[each].get("compare", True)]
        if any(written[each] != row[each] for each in causes):
            row.update(written)
    return held


def is_written(rule: Message, held: str | None) -> bool:
    return rule["write"] == "always" or (rule["write"] == "empty" and held is None)


def check(
    tenant: Tenant,
    rows: Rows,
    records: list[tuple[str, Message]],
    rules: dict[str, Message],
    **given_settings: Any,
) -> None:
    """Load the records over the rows, dry and for real, and compare both with the model."""
    seed(tenant, rows)
    load_dry_and_for_real(tenant, records, rules, **given_settings)
    assert_rows(tenant, expected_rows(rows, records, rules, given_settings["sync_mode"]))


def seed(tenant: Tenant, rows: Rows) -> None:
    tenant.delete("company")
    tenant.sandbox.tenant.seed("company", [{"Name": name, **rows[name]} for name in rows])


def load_dry_and_for_real(
    tenant: Tenant,
    records: list[tuple[str, Message]],
    rules: dict[str, Message],
    **given_settings: Any,
) -> None:
    lines = [COLUMNS, *(record(Name=name, **fields) for name, fields in records)]
    chosen = {"field_rules": rules, "near_matches": "ignore", **given_settings}
    planned = tenant.load(*lines, dry_run=True, **chosen)
    assert tenant.load(*lines, **chosen).outcomes() == planned.outcomes()


def assert_rows(tenant: Tenant, expected: Rows) -> None:
    found = {row["Name"]: {name: row[name] for name in FIELDS} for row in tenant.rows()}
    assert found == expected


@given(
    rows=ROWS,
    records=RECORDS,
    writes=st.fixed_dictionaries(dict.fromkeys(FIELDS, WRITES)),
    mode=st.sampled_from(["upsert", "update"]),
    group=st.sampled_from([1, 2, 10]),
)
@EACH
def test_rules_apply_in_order_whatever_the_group(
    tenant: Tenant,
    rows: Rows,
    records: list[tuple[str, Message]],
    writes: dict[str, str],
    mode: str,
    group: int,
) -> None:
    rules = {name: {"write": write} for name, write in writes.items()}
    check(tenant, rows, records, rules, sync_mode=mode, read_group_size=group)


@given(
    rows=ROWS,
    records=st.lists(st.tuples(st.sampled_from(KEYS), CONTENTS), min_size=1, max_size=3),
    writes=st.fixed_dictionaries(dict.fromkeys(FIELDS, WRITES)),
    compares=st.fixed_dictionaries(dict.fromkeys(FIELDS, st.booleans())),
    mode=st.sampled_from(["upsert", "update"]),
)
@EACH
def test_uncompared_fields_are_only_sent_with_other_changes(
    tenant: Tenant,
    rows: Rows,
    records: list[tuple[str, Message]],
    writes: dict[str, str],
    compares: dict[str, bool],
    mode: str,
) -> None:
    """Each record is a run: in a merged record, an uncompared field takes its last value."""
    rules = {name: {"write": writes[name], "compare": compares[name]} for name in FIELDS}
    seed(tenant, rows)
    for each in records:
        load_dry_and_for_real(tenant, [each], rules, sync_mode=mode)
    assert_rows(tenant, expected_rows(rows, records, rules, mode))
