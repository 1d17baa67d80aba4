"""Foreign text on the page is fully visible, except secrets."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_gainsight.sandbox.page.texts import duration, escaped, format_time, indented, redacted

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["access_token", "accesskey", "Access-Key", "client_secret", "password", "Authorization"]
)


@given(st.text(st.characters(codec=None, categories=None)))
def test_invisible_characters_are_escaped(text: str) -> None:
    for each in escaped(text):
        assert each in "\n\t\u200d" or unicodedata.category(each)[0] not in "CZ" or each.isspace()
        assert unicodedata.category(each) not in {"Cf", "Cs"} or each == "\u200d"


@given(st.text(st.characters(exclude_categories=("C", "Z"))))
def test_text_that_can_be_seen_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@given(_JSON)
def test_indenting_changes_only_whitespace(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=3)):
        assert json.loads(indented(text)) == value


@given(_JSON, st.integers(0, 200))
def test_shortened_body_keeps_whole_characters(value: object, length: int) -> None:
    text = json.dumps(value)[:length]
    assert indented(text).translate({10: None, 32: None}) == text.translate({10: None, 32: None})


def test_body_that_is_no_json_is_kept() -> None:
    assert indented("grant_type=a, b: [c]") == "grant_type=a, b: [c]"


def test_deep_nesting_is_not_indented_without_end() -> None:
    assert len(indented("[" * 2_000)) < 2_000 * 40


@given(_NAMES, st.text(min_size=1), st.integers(0, 400))
def test_secret_values_are_removed_even_if_shortened(name: str, value: str, length: int) -> None:
    secret = f"<{value}>"
    body = json.dumps({"a": [1, {name: secret}], "b": 2}, ensure_ascii=False)
    assert f"<{value}" not in redacted(body[: len(body) - min(length, len(body) - 12)])
    assert json.loads(redacted(body)) == {"a": [1, {name: "•••"}], "b": 2}


@given(_NAMES, st.integers() | st.booleans() | st.none())
def test_secret_that_is_no_text_is_hidden(name: str, value: object) -> None:
    assert json.loads(redacted(json.dumps({name: value}))) == {name: "•••"}


@pytest.mark.parametrize("text", ["Basic plan", "a bearer of news", "tokens=3", '{"keys": "x"}'])
def test_words_that_only_resemble_secrets_stay(text: str) -> None:
    assert redacted(text) == text


def test_times_are_written_in_utc() -> None:
    assert format_time(0.25) == "1970-01-01 00:00:00.250"
    assert [duration(each) for each in (60.0, 3600.0, 86_400.0, 2.0)] == [
        "minute",
        "hour",
        "day",
        "2 seconds",
    ]
