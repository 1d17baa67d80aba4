"""Foreign text is printable in JSON and YAML and keeps its value."""

from __future__ import annotations

import json

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from target_gainsight.mapping.escaping import printable_json, yaml_scalar

texts = st.text() | st.text(st.characters(categories=["Cc", "Cf", "Co"]))


@given(texts)
@example("\x7f")
@example("\ud800")
@example("\U000e0001")
def test_printable_json_keeps_the_value(text: str) -> None:
    printable = printable_json(json.dumps([text], ensure_ascii=False, indent=1))
    assert printable.replace("\n", "").isprintable()
    assert json.loads(printable) == [text]


@given(texts | st.integers() | st.booleans())
@example("\U000e0001")
@example("No")
@example("2026-02-01")
@example("a: b # c")
def test_yaml_reads_a_scalar_as_the_same_value(value: object) -> None:
    scalar = yaml_scalar(value)
    assert scalar.isprintable()
    assert yaml.safe_load(f"key: {scalar}") == {"key": value}
