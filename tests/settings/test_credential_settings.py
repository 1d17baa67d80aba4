"""Exactly one complete credential, which is never shown."""

from __future__ import annotations

from typing import Any

import pytest
from given import NO_CREDENTIAL, errors_in
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from target_gainsight.settings.parsing import parse_settings

DOMAIN = {"domain": "initech.gainsightcloud.com"}
OAUTH = {"client_id": "initech", "client_secret": "s3cret"}
KEY = ("k3y", "", "")
CLIENT = ("", "initech", "s3cret")


def credential(**given: Any) -> tuple[str, str, str]:
    """The access key, client ID and client secret."""
    connection = parse_settings(DOMAIN | given).connection
    return connection.access_key, connection.client_id, connection.client_secret


def errors(**given: Any) -> list[str]:
    return errors_in(DOMAIN | given)


def test_access_key_is_a_credential() -> None:
    assert credential(access_key="k3y") == KEY


def test_client_id_and_secret_are_a_credential() -> None:
    assert credential(**OAUTH) == CLIENT


def test_blanks_around_a_credential_are_taken_off() -> None:
    assert credential(access_key=" k3y\n") == KEY
    padded = {name: f"  {value}\r\n" for name, value in OAUTH.items()}
    assert credential(**padded) == CLIENT


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_blank_credential_counts_as_missing(blank: str | None) -> None:
    nothing = dict.fromkeys(("access_key", *OAUTH), blank)
    assert errors(**nothing) == [NO_CREDENTIAL]
    assert credential(**{**nothing, "access_key": "k3y"}) == KEY
    assert credential(**{**nothing, **OAUTH}) == CLIENT


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        (["client_id"], "client_id"),
        (["client_secret"], "client_secret"),
        (["client_id", "client_secret"], "client_id and client_secret"),
    ],
)
def test_two_kinds_of_credential_at_once_are_refused(beside: list[str], named: str) -> None:
    both = {"access_key": "k3y", **{name: OAUTH[name] for name in beside}}
    [error] = errors(**both)
    assert error.startswith(
        f"access_key, client_id, client_secret: got access_key and {named}, expected either "
    )


@pytest.mark.parametrize(
    ("half", "missing"), [("client_id", "client_secret"), ("client_secret", "client_id")]
)
@pytest.mark.parametrize("blank", ["", None])
def test_half_a_pair_is_refused(half: str, missing: str, blank: str | None) -> None:
    given = {half: OAUTH[half], missing: blank}
    [error] = errors(**given)
    assert error.startswith(f"access_key, client_id, client_secret: got {half}, expected either ")


@pytest.mark.parametrize("name", ["access_key", "client_id", "client_secret"])
@pytest.mark.parametrize("text", ["two words", "li\nne", "li\r\nX-More: yes", "schlüssel", "a\0b"])
def test_unsendable_credential_is_refused(name: str, text: str) -> None:
    given = {"access_key": text} if name == "access_key" else {**OAUTH, name: text}
    [error] = errors(**given)
    expected = "text as Gainsight shows it, without blanks or line breaks"
    assert error == f"{name}: got a hidden value, expected {expected}."


@pytest.mark.parametrize("name", ["access_key", "client_secret"])
@pytest.mark.parametrize("value", [12345, ["s3cret"], {"key": "s3cret"}, True])
def test_secret_of_wrong_type_is_hidden_and_not_missing(name: str, value: object) -> None:
    given = {name: value} if name == "access_key" else {**OAUTH, name: value}
    [error] = errors(**given)
    assert error.startswith(f"{name}: got a hidden value, expected text as Gainsight shows it")


@pytest.mark.parametrize("domain", ["sandbox", " Sandbox "])
@pytest.mark.parametrize("given", [{}, OAUTH, {"access_key": "k3y", **OAUTH}, {"client_id": "x"}])
def test_sandbox_needs_no_credential(domain: str, given: dict[str, str]) -> None:
    assert credential(domain=domain, **given) == ("", "", "")
    assert parse_settings({"domain": domain, **given}).connection.sandbox_path is not None


def test_base_url_needs_credential_even_for_sandbox_domain() -> None:
    [error] = errors_in({"domain": "sandbox", "base_url": "http://localhost:1"})
    assert error == NO_CREDENTIAL


def test_settings_print_no_secret() -> None:
    assert "k3y" not in repr(parse_settings({**DOMAIN, "access_key": "k3y"}))
    assert "s3cret" not in repr(parse_settings({**DOMAIN, **OAUTH}))


def printed(given: dict[str, Any]) -> str:
    """The credential that was given, or the errors in it."""
    try:
        return repr(parse_settings(DOMAIN | given))
    except ConfigValidationError as error:
        return "\n".join(error.errors)


SECRET = st.just("S3CRET") | st.text().map(lambda text: f"{text}S3CRET") | st.just(["S3CRET"])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "access_key": SECRET | st.none() | st.integers(),
            "client_id": st.text() | st.none() | st.integers(),
            "client_secret": SECRET | st.none() | st.integers(),
        },
    )
)
def test_any_input_is_parsed_or_refused_without_showing_secrets(given: dict[str, Any]) -> None:
    assert printed(given)
    assert "S3CRET" not in printed(given)
