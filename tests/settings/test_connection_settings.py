"""The tenant's address and the credential."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from given import ENOUGH, NO_CREDENTIAL, NO_DOMAIN, errors, errors_in, only_error, read

from target_gainsight.settings.parsing import parse_settings


@pytest.mark.parametrize(
    "domain",
    [
        "initech.gainsightcloud.com",
        "https://initech.gainsightcloud.com",
        "https://initech.gainsightcloud.com/",
        "  Initech.GainsightCloud.com ",
        "initech.us2.gainsightcloud.com",
    ],
)
def test_domain_is_read_from_any_pasted_form(domain: str) -> None:
    connection = read(domain=domain).connection
    assert connection.base_url.startswith("https://initech.")
    assert connection.base_url.endswith("gainsightcloud.com")


@pytest.mark.parametrize(
    "domain",
    [
        "initech",
        "http://initech.gainsightcloud.com",
        "https://initech.gainsightcloud.com/v1/data",
        "initech.gainsightcloud.com:8443",
        "in itech.gainsightcloud.com",
        "-initech.gainsightcloud.com",
        "initech..com",
        "*.gainsightcloud.com",
        "a" * 64 + ".gainsightcloud.com",
        ".".join(["abcdefgh"] * 30),
    ],
)
def test_invalid_domain_is_refused_with_an_example(domain: str) -> None:
    error = only_error(domain=domain)
    assert error.startswith(f"domain: got '{domain[:20]}")
    assert "a host name such as mycompany.gainsightcloud.com, or sandbox" in error


def test_without_domain_and_credential_both_are_named() -> None:
    assert errors_in({}) == [NO_CREDENTIAL, NO_DOMAIN]


@pytest.mark.parametrize(
    "given",
    [
        "https://u:hunter2@initech.com",
        "ann:hunter2@initech.com",
        "https:/ann:hunter2",
        "https:ann:hunter2",
        "ann:hunter2",
    ],
)
def test_password_in_url_is_hidden(given: str) -> None:
    for name in ("domain", "base_url"):
        error = only_error(**{name: given})
        assert error.startswith(f"{name}: got ")
        assert "hunter2" not in error


def test_key_in_url_query_is_hidden() -> None:
    assert "s3cret" not in only_error(base_url="https://proxy.example/?accesskey=s3cret")


@pytest.mark.parametrize(
    "url",
    [
        "http://initech.gainsightcloud.com",
        "http://192.168.0.7:8080",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "//127.0.0.1",
        "https://[::1",
        "https://proxy.example:0",
        "https://proxy.example/#part",
        "proxy.example",
    ],
)
def test_plain_http_is_refused_except_to_loopback(url: str) -> None:
    error = only_error(base_url=url)
    assert error.startswith(f"base_url: got '{url}', expected https://")
    assert "https://host[:port], or plain http to a loopback address only" in error


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://localhost:8080/",
        "http://[::1]:8080",
        "https://proxy.example:8443/gainsight",
    ],
)
def test_base_url_reaches_proxy_or_test_server(url: str) -> None:
    assert read(base_url=url).connection.base_url == url.rstrip("/")


def test_base_url_wins_and_needs_no_domain() -> None:
    local = {"base_url": "http://localhost:1", "access_key": "k3y"}
    for given in (local, {**local, "domain": "initech.com"}, {**local, "domain": "sandbox"}):
        connection = parse_settings(given).connection
        assert connection.base_url == "http://localhost:1"
        assert connection.sandbox_path is None


@pytest.mark.parametrize("domain", ["sandbox", " Sandbox "])
def test_sandbox_file_has_a_default_path(domain: str) -> None:
    connection = parse_settings({"domain": domain}).connection
    assert connection.sandbox_path == Path("gainsight-sandbox.db")
    assert connection.sandbox_config is None


def test_sandbox_file_and_description_are_configurable() -> None:
    connection = read(domain="sandbox", sandbox_path="here/t.db", sandbox_config="t.yml").connection
    assert connection.sandbox_path == Path("here/t.db")
    assert connection.sandbox_config == Path("t.yml")


def test_all_errors_are_listed_at_once_each_once() -> None:
    wrong: dict[str, Any] = {
        "access_key": 5,
        "domain": "nowhere",
        "calls_per_day": 0,
        "sync_mode": "mirror",
        "lookup_keys": ["A", "B", "C", "D"],
        "dry_run": "perhaps",
        "streams": {"a": {"object_tipe": "person"}, "b": 7},
    }
    found = errors_in(wrong)
    assert sorted(each.split()[0].rstrip(":") for each in found) == [
        "access_key",
        "calls_per_day",
        "domain",
        "dry_run",
        "lookup_keys",
        "streams.a.object_tipe",
        "streams.b",
        "sync_mode",
    ]
    assert all(each.endswith((".", "?")) for each in found)


def test_reported_value_is_shortened_to_one_line() -> None:
    error = only_error(domain="x\n\x1b[31m" + "y" * 500)
    assert "\n" not in error
    assert "\x1b" not in error
    assert len(error) < 250


def test_null_counts_as_not_given() -> None:
    given = dict.fromkeys(("object_type", "calls_per_day", "streams", "lookup_keys", "dry_run"))
    assert read(**given) == read()


def test_wrong_setting_is_not_reported_as_missing() -> None:
    [domain] = errors_in({**ENOUGH, "domain": 7})
    assert domain.startswith("domain: got 7, expected a host name ")
    [base_url] = errors(base_url=7)
    assert base_url.startswith("base_url: got 7, expected https://")
