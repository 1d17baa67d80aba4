"""Errors are grouped by what the caller does next, and their names are stable."""

from __future__ import annotations

import inspect

import pytest

from target_gainsight import api
from target_gainsight.api import GainsightError, RefusedError, errors


def test_every_error_is_public() -> None:
    kinds = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, GainsightError)
    }
    assert kinds <= set(vars(api))


def test_error_without_context_is_its_message() -> None:
    assert str(GainsightError("no such thing")) == "no such thing"
    assert str(GainsightError()) == "GainsightError"


def test_error_is_one_line_of_bounded_length() -> None:
    error = RefusedError("refused", description="a\tb\r\n" + "x" * 1000, status=400)
    assert "\n" not in str(error)
    assert str(error).startswith("refused (HTTP 400, a\\tb\\r\\nxxx")
    assert len(str(error)) < 350


@pytest.mark.parametrize("name", ["message", "method", "path", "status", "code", "request_id"])
def test_every_error_has_every_detail(name: str) -> None:
    assert not getattr(GainsightError(), name)
