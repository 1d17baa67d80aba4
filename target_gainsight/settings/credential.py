"""Who we are to the tenant, as it is given: an access key, or an M2M OAuth client and its secret.

What is secret is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_gainsight.settings.model import KeyCredential, OAuthCredential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_gainsight.settings.errors import Mistakes
    from target_gainsight.settings.model import Credential

CREDENTIAL_SETTINGS = ("access_key", "client_id", "client_secret")

RIGHT = (
    "the tenant's REST API access key, or client_id and client_secret instead (M2M OAuth); one of "
    "the two is needed and enough"
)
RIGHT_TEXT = "copied as Gainsight shows it: visible ASCII characters only"
BOTH = "client_id and client_secret together"


def parse_credential(
    given: Mapping[str, Any], mistakes: Mistakes, *, wrong: frozenset[str]
) -> Credential:
    """Read who we are.

    Args:
        given: ``CREDENTIAL_SETTINGS``; None for what is not given.
        mistakes: Takes the mistakes.
        wrong: Names of the settings that were given but cannot be read: not called missing.

    Returns:
        The credential; meaningless when there were mistakes.
    """
    texts = {name: (given[name] or "").strip() for name in CREDENTIAL_SETTINGS}
    told = [name for name in CREDENTIAL_SETTINGS if texts[name] or name in wrong]
    _check_combination(told, mistakes)
    for name in told:
        _check_text(name, texts[name], mistakes)
    if "client_id" in told:
        return OAuthCredential(texts["client_id"], texts["client_secret"])
    return KeyCredential(texts["access_key"])


def _check_combination(told: list[str], mistakes: Mistakes) -> None:
    """See that there is one credential, and that it is whole."""
    if not told:
        mistakes.add("access_key", "nothing", RIGHT)
    elif "access_key" in told and len(told) > 1:
        others = " and ".join(told[1:])
        mistakes.add("access_key", f"a key beside {others}", RIGHT)
    elif told == ["client_id"]:
        mistakes.add("client_secret", "nothing beside client_id", BOTH)
    elif told == ["client_secret"]:
        mistakes.add("client_id", "nothing beside client_secret", BOTH)


def _check_text(name: str, text: str, mistakes: Mistakes) -> None:
    """See that it can be sent; one that could not be read has no text here."""
    if not all("!" <= char <= "~" for char in text):
        mistakes.add(name, "something with blanks, line ends or other characters", RIGHT_TEXT)
    elif name == "client_id" and ":" in text:
        mistakes.add(name, "something with a colon", RIGHT_TEXT)
