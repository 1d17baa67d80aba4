"""The main job ends with the same rows, however the tenant does what is not documented.

The switches are those of the sandbox: a new one that is not run fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import requests
from singer_runs import Tenant
from switch_job import CLIENT, HELD, LIMITS, REJECTED, RULES, SETTINGS, TENANT, held, messages
from wire import Call, wired

from target_gainsight.sandbox.config.switches import Switches

WRITES = {"insert", "update", "person", "timeline", "cta"}

EVERY = 3
"""The unit tests run every n-th position, the end-to-end tests all of them."""

OTHER_VALUES: Mapping[str, tuple[Any, ...]] = {
    "lookup_error_code": ("GSOBJ_9999",),
    "put_missing_key_code": ("GSOBJ_9999",),
    "put_without_match_code": ("GSOBJ_9999",),
    "too_many_keys_code": ("GSOBJ_9999",),
    "too_many_records_code": ("GSOBJ_9999",),
    "query_max_values": (1, 3),
    "query_max_bytes": (400,),
    "timeline_duplicate_code": ("GS_TL_99_9999",),
    "bulk_questions": (0, 7),
    "bulk_seconds": (100.0,),
    "metadata_status": (403, 500),
    "describe_several": (400, 404, 405),
    "unreadable_field": ("RenewalDate",),
    "query_error_object": ("relationship",),
    "token_seconds": (5.0,),
    "token_calls": (2,),
}
"""Positions of switches whose type does not list them."""

BY_OAUTH = {"access_key": None, **CLIENT}
FEW_CALLS = {"calls_per_minute": 6, "timeline_calls_per_minute": 1}


@dataclass(frozen=True)
class With:
    """Requirements and cost of a switch.

    Attributes:
        switches: Further switches.
        limits: Limits of the tenant.
        settings: Settings of the target.
        vanishing: Whether a row is deleted between its reading and its writing.
        writes_again: Kinds of calls that a second run makes where no row can be compared.
    """

    switches: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    vanishing: bool = False
    writes_again: frozenset[str] = frozenset()


STREAMS = SETTINGS["streams"]
MONTH_FIRST_CTAS = {
    "streams": {**STREAMS, "ctas": {**STREAMS["ctas"], "date_format": "MM-DD-YYYY"}}
}
"""CTAs are refused one by one, so that no date of theirs is tried in the other format."""

NEEDS: Mapping[str, With] = {
    "date_formats=mdy": With(settings=MONTH_FIRST_CTAS),
    "put_without_match": With(vanishing=True),
    "put_without_match_code": With(vanishing=True),
    "put_multi_match": With(switches={"keys_gsid_refused": True}),
    "timeline_duplicate_code": With(
        switches={"timeline_query": "refused"}, writes_again=frozenset({"timeline"})
    ),
    "timeline_query": With(writes_again=frozenset({"timeline"})),
    "bulk_status_family": With(
        limits={"bulk_calls_per_hour": 2}, settings={"bulk_calls_per_hour": 2}
    ),
    "bulk_too_large": With(limits={"bulk_file_bytes": 35}),
    "throttle_answer": With(limits=FEW_CALLS),
    "throttle_retry_after": With(limits=FEW_CALLS),
    "token_request": With(settings=BY_OAUTH),
    "token_seconds": With(settings=BY_OAUTH),
    "token_calls": With(settings=BY_OAUTH),
    "token_in_envelope": With(settings=BY_OAUTH),
    "client_refusal": With(settings=BY_OAUTH),
    "picklist_options=unlisted": With(writes_again=frozenset({"update"})),
    "unreadable_field": With(writes_again=frozenset({"update"})),
    "metadata_status": With(writes_again=frozenset({"update", "cta", "timeline", "person"})),
}


def values_of(name: str, hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return (True, False) if hint is bool else (*OTHER_VALUES[name], getattr(Switches(), name))


def positions() -> Iterator[tuple[str, Any]]:
    """Every switch in every position."""
    for name, hint in get_type_hints(Switches).items():
        for value in values_of(name, hint):
            yield name, value


def in_position(name: str, value: Any) -> With:
    """Return the requirements of a switch in this position; its default costs nothing."""
    needs = NEEDS.get(f"{name}={value}") or NEEDS.get(name, With())
    if value != getattr(Switches(), name) or needs.switches:
        return needs
    return replace(needs, writes_again=frozenset())


def test_every_switch_has_several_positions() -> None:
    run = [name for name, _ in positions()]
    assert set(run) == {each.name for each in fields(Switches)}
    assert all(run.count(name) > 1 for name in run)


def distinct_positions() -> Iterator[Any]:
    """Every position, but the usual ones that need nothing only once."""
    yield pytest.param("error_listing", Switches().error_listing, id="as shipped")
    for name, value in positions():
        if value != getattr(Switches(), name) or in_position(name, value) != With():
            yield pytest.param(name, value, id=f"{name}-{value}")


POSITIONS = list(distinct_positions())


@pytest.mark.parametrize(("name", "value"), POSITIONS[::EVERY])
def test_result_is_equal_in_sampled_switch_positions(
    start_tenant: Callable[..., Tenant], name: str, value: Any
) -> None:
    assert_equal_result(start_tenant, name, value)


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "value"), POSITIONS)
def test_result_is_equal_in_every_switch_position(
    start_tenant: Callable[..., Tenant], name: str, value: Any
) -> None:
    assert_equal_result(start_tenant, name, value)


def assert_equal_result(start_tenant: Callable[..., Tenant], name: str, value: Any) -> None:
    """Run the main job twice with a switch in one position: rows and rejects are the same."""
    needs = in_position(name, value)
    tenant = start_tenant(
        **TENANT,
        limits={**LIMITS, **needs.limits},
        switches={**needs.switches, name: value},
        rules=[],
    )
    tenant.sandbox.tenant.faults.rules.extend(RULES)
    settings = {"object_type": None, **SETTINGS, **needs.settings}
    if needs.vanishing:
        gone = tenant.load(*messages(), **settings, http=without_vanishing_row(tenant))
        assert rejected(gone) == {*REJECTED, "Vanishing"}
        assert (gone.exit_code, gone.states) == (0, [{"read": "all"}])
    run = tenant.load(*messages(), **settings)
    assert (run.exit_code, run.states) == (0, [{"read": "all"}]), run.log
    assert held(tenant.sandbox.tenant) == HELD
    assert rejected(run) == REJECTED
    tenant.count_calls()
    again = tenant.load(*messages(with_refused=False), **settings)
    assert again.exit_code == 0
    assert WRITES & set(tenant.count_calls()) <= needs.writes_again
    assert held(tenant.sandbox.tenant) == HELD


def without_vanishing_row(tenant: Tenant) -> requests.Session:
    """Delete a company as soon as any is about to be changed."""

    def delete(call: Call) -> None:
        if call.matches("PUT", "/v1/data/objects/company"):
            tenant.delete("company", Name="Vanishing", Industry="old")

    return wired(delete)


def rejected(run: Any) -> set[str]:
    """Return the names of the rejected records."""
    records = [line["record"] for line in run.rejects]
    return {next(r[n] for n in ("Response__gc", "id", "Name") if n in r) for r in records}
