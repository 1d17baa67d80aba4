"""Headless Chromium for the tests: found, started with a profile of its own, and listened to."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

_MOST_SECONDS = 60
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root, as in most containers, may not start Chromium's own sandbox
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_IS_ANOTHER_PAGE = "return !window.isLeft && document.readyState === 'complete'"
_COLORS = """
const grounds = element => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!color.endsWith(', 0)')) return color;
  }
  return getComputedStyle(document.body).backgroundColor;
};
return [...document.querySelectorAll('body *')]
  .filter(each => each.checkVisibility() &&
    [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  .map(each => {
    const style = getComputedStyle(each);
    const inSvg = each instanceof SVGElement;
    return [inSvg ? style.fill : style.color, grounds(each), each.textContent.slice(0, 40)];
  });
"""


@dataclass(frozen=True)
class Programs:
    """Paths of Chromium and its driver."""

    browser: str
    driver: str


def find_programs() -> Programs | None:
    """Find Debian's Chromium, or Google's Chrome, with the driver that belongs to it."""
    browser = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    driver = shutil.which("chromedriver")
    return Programs(browser, driver) if browser and driver else None


class Browser:
    """A browser that records requests and console errors."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def go(self, lead: Callable[[], object]) -> None:
        """Do what leads to another page, and wait until that one is there.

        The page that is left carries a mark. An element of it would not do: asked about one while
        the pages change, the driver sometimes fails instead of calling it stale.
        """
        self.driver.execute_script("window.isLeft = true")
        lead()
        wait = WebDriverWait(
            self.driver, _MOST_SECONDS, 0.02, ignored_exceptions=[WebDriverException]
        )
        wait.until(lambda driver: driver.execute_script(_IS_ANOTHER_PAGE))

    def click(self, selector: str) -> None:
        """Click what leads to another page."""
        self.go(self.find(selector).click)

    def enter(self, *keys: str) -> None:
        """Press keys, the last of them Enter, which leads to another page."""
        self.go(lambda: self.press(*keys, Keys.ENTER))

    def type_ahead(self, text: str, most: int = 5) -> None:
        """Type into a list that has the focus until it shows what begins so.

        A browser that is kept waiting between two letters takes the second for a new beginning.
        """
        for _ in range(most):
            self.press(text)
            chosen = Select(self.driver.switch_to.active_element).first_selected_option
            if chosen.text.lower().startswith(text.lower()):
                return
        message = f"typing {text!r} chooses {chosen.text!r}"
        raise AssertionError(message)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, selector: str, most: int = 60) -> None:
        """Press Tab until the element has the focus."""
        wanted = self.find(selector)
        for _ in range(most):
            self.press(Keys.TAB)
            if self.driver.switch_to.active_element == wanted:
                return
        message = f"{most} tabs do not reach {selector}"
        raise AssertionError(message)

    def style(self, selector: str, name: str) -> str:
        return str(self.find(selector).value_of_css_property(name))

    def emulate(self, *, scheme: str = "light", width: int = 1280) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def requested(self) -> list[str]:
        """Addresses requested since the last call."""
        entries = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        messages = [entry["message"] for entry in entries]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def text_colors(self) -> list[tuple[str, str, str]]:
        """Color, color of the ground and words of each element with text of its own."""
        found: list[list[str]] = self.driver.execute_script(_COLORS)
        return [(color, ground, words) for color, ground, words in found]

    def complaints(self) -> list[str]:
        """Console messages since the last call: errors, refused loads, broken policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def running_browser(programs: Programs, profile: Path) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = programs.browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs.driver))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def luminance(color: str) -> float:
    """The relative luminance of `rgb(…)`, as WCAG 2 defines it."""
    parts = [int(each) / 255 for each in re.findall(r"\d+", color)[:3]]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(text: str, ground: str) -> float:
    """The contrast of two colors, as WCAG 2 defines it."""
    lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
