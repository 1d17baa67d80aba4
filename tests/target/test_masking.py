"""Masking a field warns that rejects would show it."""

from __future__ import annotations

import logging

import pytest

from target_gainsight.singer.stream_maps import warn_of_unmasked_rejects


@pytest.mark.parametrize(
    "definition",
    [{"email": None}, {"email": "__NULL__"}, {"email": "sha256(email)"}, {"email": "fake.email()"}],
)
def test_map_that_masks_or_removes_field_warns(
    caplog: pytest.LogCaptureFixture, definition: dict[str, str | None]
) -> None:
    warn_of_unmasked_rejects({"contacts": {"name": "name.strip()", **definition}})
    assert "masks or removes email, but the reject file keeps" in caplog.text


@pytest.mark.parametrize(
    "stream_maps",
    [
        {},
        {"contacts": None},
        {"contacts": {"Email": "email.lower()", "__else__": None}},
    ],
)
def test_map_that_hides_nothing_logs_nothing(
    caplog: pytest.LogCaptureFixture, stream_maps: dict[str, dict[str, str | None] | None]
) -> None:
    caplog.set_level(logging.DEBUG)
    warn_of_unmasked_rejects(stream_maps)
    assert not caplog.text
