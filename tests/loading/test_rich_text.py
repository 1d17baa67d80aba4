"""Line breaks of rich text become `<br>`, and a `<br>` alone is no change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from activities import (
    TENANT,
    activities,
    activity,
    comments_of,
    cta,
    load_activities,
    load_ctas,
    notes_of,
)
from singer_messages import TEXT, record, schema
from singer_runs import TargetRun, Tenant

LINES = "one\ntwo\r\nthree\rfour"
HTML = "one<br>two<br>three<br>four"
PAGES = {
    "objects": {
        "Page__gc": {
            "fields": {
                "Code__gc": {"type": "STRING", "required": True},
                "Text__gc": {"type": "RICHTEXTAREA", "length": 40},
            }
        }
    },
    "bulk_jobs": {"pages": {"object": "Page__gc", "operation": "insert"}},
    "limits": {"bulk_calls_per_hour": 0},
}


@pytest.fixture
def tenant(start_tenant: Callable[..., Tenant]) -> Tenant:
    return start_tenant(**TENANT)


def load_page(tenant: Tenant, text: str, **entry: Any) -> TargetRun:
    stream = {"object_type": "custom_object", "custom_object_name": "Page__gc", **entry}
    lines = [schema("pages", {"Code__gc": TEXT, "Text__gc": TEXT}, keys=["Code__gc"])]
    lines.append(record("pages", Code__gc="a", Text__gc=text))
    return tenant.load(*lines, object_type=None, streams={"pages": stream})


def pages(tenant: Tenant) -> list[str]:
    return [row["Text__gc"] for row in tenant.rows("Page__gc")]


@pytest.mark.parametrize(("rich_text", "written"), [(None, HTML), ("html", HTML), ("as_is", LINES)])
def test_notes_and_comments_are_written_as_html_by_default(
    tenant: Tenant, rich_text: str | None, written: str
) -> None:
    entry = {"rich_text": rich_text} if rich_text else {}
    load_activities(tenant, [activity(1, Notes=LINES)], entry=entry)
    load_ctas(tenant, [cta(1, Comments=LINES)], entry=entry)
    assert notes_of(tenant) == {"r1": written}
    assert comments_of(tenant) == {"r1": written}


@pytest.mark.parametrize(
    "text", ["<p>one</p>\n<p>two</p>", "one<BR/>\ntwo", "<ul>\n<li>a</li></ul>"]
)
def test_text_with_markup_is_kept(tenant: Tenant, text: str) -> None:
    load_activities(tenant, [activity(1, Notes=text)])
    assert notes_of(tenant) == {"r1": text}


@pytest.mark.parametrize("text", ["5 < 6\nbr>", "a <b>\nc"])
def test_other_angle_brackets_are_no_markup(tenant: Tenant, text: str) -> None:
    load_activities(tenant, [activity(1, Notes=text)])
    assert notes_of(tenant) == {"r1": text.replace("\n", "<br>")}


@pytest.mark.parametrize("held", [LINES, HTML, "one<br/>two<BR />three<br>four"])
def test_other_form_of_line_breaks_is_unchanged(tenant: Tenant, held: str) -> None:
    load_activities(tenant, activities([1]))
    model = tenant.sandbox.tenant.named_object("activity_timeline")
    gsid = tenant.rows("activity_timeline")[0]["Gsid"]
    tenant.sandbox.tenant.store.update(model, [(gsid, (("Notes",), [held]))])
    run = load_activities(tenant, [activity(1, Notes=LINES)])
    assert run.outcomes("activities") == {"unchanged": 1}
    run = load_activities(tenant, [activity(1, Notes=LINES + "\nfive")])
    assert run.outcomes("activities") == {"updated": 1}


@pytest.mark.parametrize("transport", [{}, {"transport": "bulk", "bulk_job_id": "pages"}])
@pytest.mark.parametrize(("rich_text", "written"), [({}, LINES), ({"rich_text": "html"}, HTML)])
def test_rich_text_of_other_objects_is_written_as_html_on_request(
    start_tenant: Callable[..., Tenant],
    transport: dict[str, str],
    rich_text: dict[str, str],
    written: str,
) -> None:
    tenant = start_tenant(**PAGES)
    assert load_page(tenant, LINES, **transport, **rich_text).exit_code == 0
    assert pages(tenant) == [written]


def test_too_long_html_is_rejected(start_tenant: Callable[..., Tenant]) -> None:
    tenant = start_tenant(**PAGES)
    run = load_page(tenant, "x" * 36 + "\n", rich_text="as_is")
    assert run.outcomes("pages") == {"created": 1}
    run = load_page(tenant, "x" * 37 + "\n", rich_text="html")
    assert run.codes == ["too_long"]
