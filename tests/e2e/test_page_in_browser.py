"""The sandbox's page in a real browser: the keyboard alone, hostile values, both color schemes."""

from __future__ import annotations

from collections.abc import Iterator

import browser as browsers
import pytest
import requests
from browser import Browser
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from target_gainsight.sandbox import RunningSandbox, start_sandbox

pytestmark = pytest.mark.e2e

_HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
_ADDRESSES = (
    "/",
    "/rows?object=company",
    "/rows?object=company&sort=Name&order=descending",
    "/rows?object=company&field=ARR&operator=is&text=x",
    "/rows?object=nothing",
    "/calls",
    "/call?number=1",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    programs = browsers.find_programs()
    if programs is None:
        pytest.skip("no Chromium with its driver: apt-get install chromium chromium-driver")
    with browsers.running_browser(programs, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    path = tmp_path_factory.mktemp("tenant") / "tenant.db"
    with start_sandbox(path, config={"limits": {"calls_per_minute": 5}}) as running:
        names = [*(f"Company {number}" for number in range(118)), "Acme", _HOSTILE]
        running.tenant.seed("company", [{"Name": name, "ARR": 10} for name in names])
        for number in range(8):
            requests.post(
                f"{running.base_url}/v1/data/objects/company",
                json={"records": [{"Name": _HOSTILE if number == 4 else f"N{number}"}]},
                headers={"accesskey": running.access_key},
                timeout=60,
            )
        yield running


@pytest.fixture
def page(browser: Browser, sandbox: RunningSandbox) -> Iterator[Browser]:
    """The overview, opened; at the end nothing was loaded from elsewhere and nothing complained."""
    browser.emulate()
    browser.requested()
    browser.complaints()
    browser.open(sandbox.base_url + "/")
    yield browser
    with pytest.raises(NoAlertPresentException):
        _ = browser.driver.switch_to.alert.text
    requested = browser.requested()
    assert requested
    elsewhere = [url for url in requested if not url.startswith(f"{sandbox.base_url}/")]
    assert [url for url in elsewhere if not url.startswith("data:")] == []
    failed = [each for each in browser.complaints() if "status of 40" not in each]
    assert failed == []


def test_the_keyboard_alone_finds_a_company(page: Browser) -> None:
    page.press(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "Skip to the content"
    page.press(Keys.ENTER)
    page.tab_to('a[href="/rows?object=company"]')
    page.enter()
    page.tab_to('select[name="field"]')
    page.type_ahead("Name")
    page.press(Keys.TAB, Keys.TAB)
    page.enter("acme")
    assert page.find("main > .wide tbody th").text == "Acme"
    page.tab_to("tbody th a")
    page.enter()
    assert "Acme" in page.find("table.record").text


def test_the_keyboard_alone_finds_a_refused_call(page: Browser) -> None:
    page.tab_to('a[href="/calls"]')
    page.enter()
    page.tab_to('select[name="outcome"]')
    page.type_ahead("above")
    page.enter(Keys.TAB, Keys.TAB)
    assert len(page.find_all("tbody tr")) == 3
    page.tab_to("a.path")
    page.enter()
    assert "GU_2400" in page.find("main").text
    page.tab_to("pre")


def test_details_open_with_the_keyboard(page: Browser) -> None:
    page.tab_to("#rate ~ figure summary")
    page.press(Keys.ENTER)
    assert page.find("#rate ~ figure table").is_displayed()


def test_the_focus_can_be_seen(page: Browser) -> None:
    page.tab_to('a[href="/calls"]')
    assert page.style('a[href="/calls"]', "outline-style") == "solid"
    assert page.style('a[href="/calls"]', "outline-width") == "3px"


def test_a_form_filters_and_pages_keep_the_filter(page: Browser) -> None:
    page.click('a[href="/rows?object=company"]')
    Select(page.find('select[name="field"]')).select_by_visible_text("Name")
    page.find('input[name="text"]').send_keys("company")
    page.click("form button")
    assert "of 118, of 125 in all" in page.find("[role=status]").text
    page.click("a[rel=next]")
    page.click("a[rel=next]")
    assert len(page.find_all("main > .wide tbody tr")) == 18
    assert page.find('input[name="text"]').get_attribute("value") == "company"


def test_hostile_values_are_text_on_every_page(page: Browser, sandbox: RunningSandbox) -> None:
    page.open(f"{sandbox.base_url}/rows?object=company&field=Name&operator=contains&text=<script>")
    assert [each.text for each in page.find_all("main > .wide tbody th")] == [
        _HOSTILE,
        _HOSTILE,
    ]
    page.click("a.gsid")
    assert _HOSTILE in page.find("table.record").text
    page.open(f"{sandbox.base_url}/call?number=5")
    assert _HOSTILE in page.find("pre").text


def test_injected_script_does_not_run(page: Browser) -> None:
    page.driver.execute_script(
        "document.body.insertAdjacentHTML('beforeend',"
        ' \'<img src="data:," onerror="window.ran = 1">\');'
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        "document.body.append(script);"
    )
    assert page.driver.execute_script("return window.ran") is None
    assert any("Content Security Policy" in each for each in page.complaints())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", _ADDRESSES)
def test_text_stands_out_in_both_color_schemes(
    page: Browser, sandbox: RunningSandbox, scheme: str, address: str
) -> None:
    page.emulate(scheme=scheme)
    page.open(sandbox.base_url + address)
    assert (browsers.luminance(page.style("body", "background-color")) < 0.2) == (scheme == "dark")
    for colors in page.text_colors():
        assert browsers.contrast(*colors[:2]) >= 4.5, colors


@pytest.mark.parametrize("address", _ADDRESSES)
def test_a_narrow_screen_needs_no_scrolling_sideways(
    page: Browser, sandbox: RunningSandbox, address: str
) -> None:
    page.emulate(width=360)
    page.open(sandbox.base_url + address)
    width = page.driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= 360


def test_phone_shows_names_and_the_newest_minutes(page: Browser, sandbox: RunningSandbox) -> None:
    page.emulate(width=390)
    page.open(sandbox.base_url + "/rows?object=company")
    name, second = page.find_all("main > .wide thead th")[:2]
    assert name.text == "Name"
    assert second.rect["x"] + second.rect["width"] < 390
    page.open(sandbox.base_url + "/")
    rows = page.find("table.objects thead th:last-child").rect
    assert rows["x"] + rows["width"] <= 390
    assert page.find("#objects").rect["y"] < page.find("#rate").rect["y"]
    newest = page.find_all("svg.chart rect.served[height]")[-1].rect
    assert 0 < newest["x"] < newest["x"] + newest["width"] <= 390


def test_page_reloads_while_it_is_live(page: Browser, sandbox: RunningSandbox) -> None:
    page.open(sandbox.base_url + "/rows?object=person")
    assert "Arrived later" not in page.driver.page_source
    page.go(page.driver.find_element("link text", "Refresh live").click)
    sandbox.tenant.seed("person", [{"Name": "Arrived later"}])
    page.go(lambda: None)
    assert "Arrived later" in page.driver.page_source


@pytest.mark.parametrize("address", _ADDRESSES)
def test_every_control_has_a_name_and_every_page_a_heading(
    page: Browser, sandbox: RunningSandbox, address: str
) -> None:
    page.open(sandbox.base_url + address)
    for opening in page.find_all("summary"):
        opening.click()
    controls = page.find_all("a, button, select, input:not([type=hidden]), summary, [role=region]")
    assert [each.get_attribute("outerHTML") for each in controls if not each.accessible_name] == []
    assert len(page.find_all("h1")) == 1
    assert page.find("html").get_attribute("lang") == "en"
    assert page.driver.title
