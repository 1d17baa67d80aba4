"""Reads the page's HTML as a browser would, as far as the promises need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import requests
from tenant_api import Api

_LOADING = {"script", "iframe", "object", "embed", "audio", "video", "source"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.links: dict[str, str] = {}
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.selected: list[str] = []
        self.inputs: dict[str, list[str]] = {}
        self._cell: list[str] | None = None
        self._link: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes.update(given)
        self._start_of_table(tag)
        if tag == "a":
            self._link = (given["href"], [])
        if "src" in given or tag in _LOADING or tag == "link":
            self.loaded.append(given.get("src", given.get("href", tag)))
        if tag == "option" and "selected" in given:
            self.selected.append(given["value"])
        if tag == "input":
            self.inputs.setdefault(given["name"], []).append(given.get("value", ""))

    def _start_of_table(self, tag: str) -> None:
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self._cell = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell is not None:
            self._cell.append(data)
        if self._link is not None:
            self._link[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None
        if tag == "a" and self._link is not None:
            self.links["".join(self._link[1]).strip()] = self._link[0]
            self._link = None


@dataclass(frozen=True)
class Page:
    """A page as returned.

    Attributes:
        tables: their rows of cells, the heading first.
        links: address by text.
        loaded: what a browser would fetch with it.
        tags, attributes: every kind that occurs.
    """

    status: int
    headers: dict[str, str]
    html: str
    text: str
    tables: list[list[list[str]]]
    links: dict[str, str]
    loaded: list[str]
    tags: set[str]
    attributes: set[str]
    selected: list[str] = field(default_factory=list)
    inputs: dict[str, list[str]] = field(default_factory=dict)

    def column(self, name: str, table: int = 0) -> list[str]:
        heading, *rows = self.tables[table]
        return [row[heading.index(name)] for row in rows]


def open_page(api: Api, path: str = "/", **query: str | list[str]) -> Page:
    """Get an address of the page as a browser does: without an access key."""
    answer = requests.get(f"{api.running.base_url}{path}", params=query, timeout=60)
    reader = _Reader()
    reader.feed(answer.text)
    reader.close()
    return Page(
        answer.status_code,
        dict(answer.headers),
        answer.text,
        " ".join("".join(reader.texts).split()),
        reader.tables,
        reader.links,
        reader.loaded,
        reader.tags,
        reader.attributes,
        reader.selected,
        reader.inputs,
    )
