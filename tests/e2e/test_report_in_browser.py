"""The report of a run in a real browser: phone and desktop, light and dark, hostile values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser as browsers
import pytest
from browser import Browser
from report_document import HOSTILE, document, failed_document
from selenium.common.exceptions import NoAlertPresentException

from target_gainsight.singer.reporting.report_page import render_report

pytestmark = pytest.mark.e2e

PHONE, DESKTOP = 390, 1280


def hostile_document() -> dict[str, object]:
    """A run whose names and values are those of an attacker."""
    made = document(run=HOSTILE, tenant=HOSTILE, files={HOSTILE: HOSTILE})
    counts = made["streams"].pop("nps_responses")
    made["streams"][HOSTILE * 3] = counts | {"fields_changed": {HOSTILE: 3}}
    [example] = made["rejects"]["unknown_option"]["examples"]
    example |= {"key": {HOSTILE: HOSTILE}, "field": HOSTILE, "value": HOSTILE, "message": HOSTILE}
    made["error"] = {"code": HOSTILE, "message": HOSTILE, "suggestion": HOSTILE}
    return made


DOCUMENTS = {"night": document(), "failed": failed_document(), "hostile": hostile_document()}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    programs = browsers.find_programs()
    if programs is None:
        pytest.skip("no Chromium with its driver: apt-get install chromium chromium-driver")
    with browsers.running_browser(programs, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(params=DOCUMENTS)
def page(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A report, opened from its file; it loads nothing and complains about nothing."""
    path = tmp_path / "report.html"
    path.write_text(render_report(DOCUMENTS[request.param]), encoding="utf-8")
    browser.emulate()
    browser.requested()
    browser.complaints()
    browser.open(path.as_uri())
    yield browser
    with pytest.raises(NoAlertPresentException):
        _ = browser.driver.switch_to.alert.text
    assert browser.requested() == [path.as_uri()]
    assert browser.complaints() == []


def test_text_stands_out_in_light_and_dark(page: Browser) -> None:
    for scheme in ("light", "dark"):
        page.emulate(scheme=scheme)
        ground = page.style("body", "background-color")
        assert (browsers.luminance(ground) < 0.2) == (scheme == "dark")
        for color, behind, words in page.text_colors():
            assert browsers.contrast(color, behind) >= 4.5, (scheme, words)


def test_no_scrolling_sideways_on_phone_or_desktop(page: Browser) -> None:
    for width in (PHONE, DESKTOP):
        page.emulate(width=width)
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_one_heading_and_a_title(page: Browser) -> None:
    assert len(page.find_all("h1")) == 1
    assert page.driver.title
    assert page.find("html").get_attribute("lang") == "en"
    unnamed = [each for each in page.find_all("summary, [role]") if not each.accessible_name]
    assert unnamed == []


def test_injected_script_does_not_run(page: Browser) -> None:
    page.driver.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        "document.body.append(script);"
    )
    assert page.driver.execute_script("return window.ran") is None
    assert any("Content Security Policy" in each for each in page.complaints())
