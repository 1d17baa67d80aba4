"""GSIDs: their shape, fresh ones for records and lasting ones for picklist items.

A GSID is 36 upper-case alphanumerics whose first four name the object [O].
"""

import hashlib
import os
import re
import string

GSID_LENGTH = 36
PICKLIST_ITEM_PREFIX = "1I00"

_ALPHABET = string.digits + string.ascii_uppercase
_SHAPE = re.compile(r"[0-9A-Z]{36}")
_RANDOM_BYTES = 16


def is_gsid(text: str) -> bool:
    """Return whether a text has the shape of a GSID."""
    return _SHAPE.fullmatch(text) is not None


def new_gsids(prefix: str, count: int) -> list[str]:
    """Fresh GSIDs in no particular order, so that no client comes to rely on one."""
    digits = os.urandom(_RANDOM_BYTES * count).hex().upper()
    width = 2 * _RANDOM_BYTES
    return [prefix + digits[start : start + width] for start in range(0, width * count, width)]


def derived_gsid(prefix: str, *parts: str) -> str:
    """Return the same GSID for the same parts, so that picklist items survive a restart."""
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest(), "big")
    digits = []
    for _ in range(GSID_LENGTH - len(prefix)):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return prefix + "".join(digits)
