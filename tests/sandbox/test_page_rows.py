"""The page's objects, rows, filters and records."""

from __future__ import annotations

from typing import Any

import pytest
from page_reading import Page, open_page
from tenant_api import Api, OpenTenant

_HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>&amp;"


def _rows(api: Api, object_name: str, *filters: tuple[str, str, str], **more: str) -> Page:
    fields, operators, texts = zip(*filters, strict=True) if filters else ((), (), ())
    return open_page(
        api,
        "/rows",
        object=object_name,
        field=list(fields),
        operator=list(operators),
        text=list(texts),
        **more,
    )


@pytest.fixture
def companies(api: Api) -> Api:
    """Three companies and two responses, one of them without a company."""
    acme, *_ = api.tenant.seed(
        "company",
        [
            {"Name": "Acme", "ARR": 1200.5, "Stage": "Launched", "Tags": ["Pilot", "Reference"]},
            {"Name": "Bolt", "ARR": 90, "Stage": "Churn", "RenewalDate": "2026-02-01"},
            {"Name": "Zürich Käse", "Tags": ["Strategic"]},
        ],
    )
    api.tenant.seed(
        "CG_NPS_Response__gc",
        [
            {"responseId__gc": "R1", "score__gc": 9, "companyId__gc": acme},
            {"responseId__gc": "R2", "score__gc": 10},
        ],
    )
    return api


def test_overview_counts_rows_of_every_object(companies: Api) -> None:
    filled, unused = open_page(companies).tables[:2]
    assert [[row[0], row[1], row[3]] for row in filled[1:]] == [
        ["CG_NPS_Response__gc", "NPS Response", "2"],
        ["company", "Company", "3"],
        ["gsuser", "User", "3"],
    ]
    assert {row[3] for row in unused[1:]} == {"0"}
    assert "person" in {row[0] for row in unused[1:]}


def test_objects_come_before_the_rate(companies: Api) -> None:
    text = open_page(companies).text
    assert text.index("empty objects") < text.index("Rate") < text.index("Latest calls")


def test_overview_links_objects_to_rows(companies: Api) -> None:
    links = open_page(companies).links
    for name in ("company", "CG_NPS_Response__gc", "person"):
        assert open_page(companies, links[name]).status == 200


def test_rows_are_readable_and_newest_first(companies: Api) -> None:
    page = _rows(companies, "company")
    assert page.column("Name") == ["Zürich Käse", "Bolt", "Acme"]
    assert page.column("ARR") == ["", "90", "1200.5"]
    assert page.column("Tags") == ["Strategic", "", "Pilot, Reference"]
    assert page.column("Stage") == ["", "Churn", "Launched"]
    assert "Industry" not in page.tables[0][0]
    assert "ModifiedDate" not in page.tables[0][0]
    assert "Rows 1 to 3 of 3, the newest first." in page.text


def test_names_come_before_gsids(companies: Api) -> None:
    page = _rows(companies, "company")
    assert (page.tables[0][0][0], page.tables[0][0][-1]) == ("Name", "Gsid")
    record = open_page(companies, page.links["Bolt"])
    assert record.text.index("Bolt") < record.text.index(page.column("Gsid")[1])


def test_every_column_is_shown_on_request(companies: Api) -> None:
    page = _rows(companies, "company", every="1")
    assert {"Industry", "ModifiedDate"} <= set(page.tables[0][0])


def test_lookup_is_named_and_linked(companies: Api) -> None:
    page = _rows(companies, "CG_NPS_Response__gc")
    assert page.column("companyId__gc") == ["", "Acme"]
    record = open_page(companies, page.links["Acme"])
    assert ["Name", "STRING", "Acme"] in record.tables[0]
    assert ["Stage", "PICKLIST", "Launched"] in record.tables[0]


def test_gsid_links_to_record_with_every_field(companies: Api) -> None:
    page = _rows(companies, "company", ("Name", "is", "Bolt"))
    (gsid,) = page.column("Gsid")
    record = open_page(companies, page.links[gsid])
    shown = {row[0]: row[2] for row in record.tables[0][1:]}
    assert shown["ARR"] == "90"
    assert shown["Industry"] == "empty"
    assert shown["CreatedBy"] == "Ada Park"
    assert set(shown) == set(companies.tenant.named_object("company").fields) - {"Gsid"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("Name", "contains", "ACM")], ["Acme"]),
        ([("Name", "is", "acme")], ["Acme"]),
        ([("Name", "is_not", "Acme")], ["Zürich Käse", "Bolt"]),
        ([("Name", "at_least", "Bolt")], ["Zürich Käse", "Bolt"]),
        ([("Name", "contains", "%")], []),
        ([("Name", "contains", "' OR 1=1 --")], []),
        ([("Name", "contains", "Käse")], ["Zürich Käse"]),
        ([("ARR", "is", "1,200.50")], ["Acme"]),
        ([("ARR", "is_not", "90")], ["Zürich Käse", "Acme"]),
        ([("ARR", "at_least", "90")], ["Bolt", "Acme"]),
        ([("ARR", "at_most", "100")], ["Bolt"]),
        ([("ARR", "contains", "200")], ["Acme"]),
        ([("ARR", "empty", "")], ["Zürich Käse"]),
        ([("ARR", "filled", "ignored")], ["Bolt", "Acme"]),
        ([("Stage", "is", "launched")], ["Acme"]),
        ([("Stage", "is_not", "Launched")], ["Zürich Käse", "Bolt"]),
        ([("Tags", "contains", "refer")], ["Acme"]),
        ([("Tags", "is", "Pilot, Reference")], ["Acme"]),
        ([("RenewalDate", "at_most", "2026-12")], ["Bolt"]),
        ([("CreatedDate", "contains", "2026-05-28T")], ["Zürich Käse", "Bolt", "Acme"]),
        ([("CreatedBy", "is", "Ada Park")], ["Zürich Käse", "Bolt", "Acme"]),
        ([("ARR", "at_least", "90"), ("Stage", "is", "Churn")], ["Bolt"]),
        ([("", "is", "x"), ("Name", "contains", "")], ["Zürich Käse", "Bolt", "Acme"]),
    ],
)
def test_filter_compares_shown_values(
    companies: Api, filters: list[tuple[str, str, str]], found: list[str]
) -> None:
    page = _rows(companies, "company", *filters)
    assert page.status == 200
    assert (page.column("Name") if found else []) == found
    if not found:
        assert "No rows, of 3 in all." in page.text


def test_lookup_is_filtered_by_shown_name(companies: Api) -> None:
    page = _rows(companies, "CG_NPS_Response__gc", ("companyId__gc", "contains", "cme"))
    assert page.column("responseId__gc") == ["R1"]


def test_boolean_is_filtered_by_shown_word(api: Api) -> None:
    api.tenant.seed("Types__gc", [{"flag__gc": True}, {"flag__gc": False}, {}])
    assert _rows(api, "Types__gc", ("flag__gc", "is", "true")).column("flag__gc") == ["true"]
    assert _rows(api, "Types__gc", ("flag__gc", "is", "false")).column("flag__gc") == ["false"]


def test_datetime_is_filtered_by_shown_milliseconds(api: Api) -> None:
    moments = [f"2026-02-01T10:00:00.{milliseconds:03d}Z" for milliseconds in range(0, 1000, 37)]
    api.tenant.seed("Types__gc", [{"moment__gc": each} for each in moments])
    for each in moments:
        page = _rows(api, "Types__gc", ("moment__gc", "is", each))
        assert page.column("moment__gc") == [each]


@pytest.mark.parametrize(
    ("field", "names", "filled"),
    [
        ("Name", ["Acme", "Bolt", "Zürich Käse"], 3),
        ("ARR", ["Bolt", "Acme", "Zürich Käse"], 2),
        ("Stage", ["Bolt", "Acme", "Zürich Käse"], 2),
        ("Tags", ["Acme", "Zürich Käse", "Bolt"], 2),
    ],
)
def test_rows_are_sorted_by_a_click_on_a_heading(
    companies: Api, field: str, names: list[str], filled: int
) -> None:
    ascending = open_page(companies, _rows(companies, "company").links[field])
    assert ascending.column("Name") == names
    assert f"sorted by {field}." in ascending.text
    descending = open_page(companies, ascending.links[field])
    assert descending.column("Name") == [*names[:filled][::-1], *names[filled:]]
    unsorted = open_page(companies, descending.links[field])
    assert unsorted.column("Name") == ["Zürich Käse", "Bolt", "Acme"]


def test_sorted_rows_keep_filters_and_pages(api: Api) -> None:
    api.tenant.seed("company", [{"Name": f"c{number % 60:03d}"} for number in range(0, 180, 3)])
    page = open_page(api, _rows(api, "company", ("Name", "contains", "c")).links["Name"])
    following = open_page(api, page.links["Next"])
    names = [*page.column("Name"), *following.column("Name")]
    assert names == sorted(names)
    assert len(names) == 60
    assert following.inputs["text"] == ["c", ""]
    assert following.inputs["sort"] == ["Name"]


def test_unknown_sort_field_is_refused(companies: Api) -> None:
    page = _rows(companies, "company", sort="Nmae")
    assert page.status == 400
    assert "company has no field 'Nmae'." in page.text


@pytest.mark.parametrize("path", ["/", "/rows?object=company&sort=Name", "/calls"])
def test_page_refreshes_itself_on_request(companies: Api, path: str) -> None:
    still = open_page(companies, path)
    assert "http-equiv" not in still.attributes
    live = open_page(companies, still.links["Refresh live"])
    assert '<meta http-equiv="refresh" content="5">' in live.html
    stopped = open_page(companies, live.links["Stop refreshing"])
    assert (stopped.text, "http-equiv" in stopped.attributes) == (still.text, False)


def test_form_keeps_filters_and_offers_another(companies: Api) -> None:
    page = _rows(companies, "company", ("Name", "is", 'a"b'))
    assert page.selected == ["Name", "is", "contains"]
    assert page.inputs["text"] == ['a"b', ""]
    assert page.inputs["object"] == ["company"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("ARR", "at_least", "much"), "ARR holds numbers, and 'much' is none."),
        (("Nmae", "is", "x"), "company has no field 'Nmae'."),
        (("Name", "resembles", "x"), "There is no filter 'resembles'."),
    ],
)
def test_invalid_filter_is_reported_and_editable(
    companies: Api, wanted: tuple[str, str, str], message: str
) -> None:
    page = _rows(companies, "company", wanted)
    assert page.status == 400
    assert message in page.text
    assert wanted[2] in page.inputs["text"]


def test_rows_come_a_page_at_a_time_with_the_filters_kept(api: Api) -> None:
    api.tenant.seed("company", [{"Name": f"C{number:03d}"} for number in range(120)])
    seen: list[str] = []
    page = _rows(api, "company", ("Name", "contains", "c"))
    assert "Page 1 of 3" in page.text
    assert "Newer" not in page.links
    while True:
        seen += page.column("Name")
        if "Older" not in page.links:
            break
        page = open_page(api, page.links["Older"])
    assert seen == [f"C{number:03d}" for number in reversed(range(120))]
    assert "Rows 101 to 120 of 120" in page.text
    assert open_page(api, page.links["Newer"]).column("Name")[0] == "C069"


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "99", "9" * 12, "9" * 400, "1; DROP"])
def test_any_page_number_shows_some_page(companies: Api, page: str) -> None:
    assert len(_rows(companies, "company", page=page).column("Name")) == 3


@pytest.mark.parametrize("path", ["/rows?object=nothing", "/rows", "/record?object=company&gsid=x"])
def test_missing_page_is_reported_with_link_back(companies: Api, path: str) -> None:
    page = open_page(companies, path)
    assert page.status == 404
    assert "Not found" in page.text
    assert page.links["To what is in the tenant"] == "/"


def test_markup_from_outside_is_text_wherever_it_stands(open_tenant: OpenTenant) -> None:
    name = f"a/../{_HOSTILE}?&=#"
    described: dict[str, Any] = {
        "label": _HOSTILE,
        "fields": {
            "Name": {"type": "STRING", "label": _HOSTILE},
            _HOSTILE: {"type": "STRING"},
            "choice__gc": {"type": "PICKLIST", "options": [_HOSTILE]},
        },
    }
    api = open_tenant(objects={name: described})
    api.tenant.seed(name, [{"Name": _HOSTILE, _HOSTILE: _HOSTILE, "choice__gc": _HOSTILE}])
    overview = open_page(api)
    rows = open_page(api, overview.links[name])
    record = open_page(api, rows.links[rows.column("Gsid")[0]])
    filtered = _rows(api, name, (_HOSTILE, "is", _HOSTILE), ("choice__gc", "is", _HOSTILE))
    mistaken = _rows(api, name, (_HOSTILE + "!", "is", _HOSTILE))
    missing = open_page(api, "/rows", object=_HOSTILE)
    for page in (overview, rows, record, filtered, mistaken, missing):
        assert "script" not in page.tags
        assert "onerror" not in page.attributes
        assert set(page.loaded) == {"/page/style.css", "/page/icon.svg"}
    assert rows.column("Name") == [_HOSTILE]
    assert filtered.column(_HOSTILE) == [_HOSTILE]
    assert mistaken.status == 400
    assert ["choice__gc", "PICKLIST", _HOSTILE] in record.tables[0]


def test_characters_that_cannot_be_seen_are_written_out(api: Api) -> None:
    api.tenant.seed("company", [{"Name": "a\x1b[31mb\u202ec\x00d\u200be"}])
    assert _rows(api, "company").column("Name") == ["a\\x1b[31mb\\u202ec\\x00d\\u200be"]


def test_long_value_is_cut_in_table_only(api: Api) -> None:
    api.tenant.seed("company", [{"Name": "Acme", "Summary": "word " * 20_000}])
    page = _rows(api, "company")
    assert len(page.column("Summary")[0]) == 200
    record = open_page(api, page.links[page.column("Gsid")[0]])
    assert ["Summary", "RICHTEXTAREA", ("word " * 20_000).strip()] in record.tables[0]


def test_object_with_many_fields_is_shown(open_tenant: OpenTenant) -> None:
    api = open_tenant(auto_create=True)
    record = {f"c{number}__gc": number for number in range(1_500)}
    assert api.insert("Wide__gc", {**record, "Name": "x"}).status_code == 200
    page = _rows(api, "Wide__gc", ("c1499__gc", "is", "1499"))
    assert page.column("c1499__gc") == ["1499"]
