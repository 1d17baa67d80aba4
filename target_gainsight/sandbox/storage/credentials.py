"""OAuth clients and tokens of the tenant."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from target_gainsight.sandbox.config.config import TenantConfig
from target_gainsight.sandbox.storage.store import Store


@dataclass
class _Granted:
    ends_at: float
    calls_left: int | None


class GrantedTokens:
    """The granted tokens that have not expired; kept in memory.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[str, _Granted] = {}
        self._lock = Lock()

    def grant(self, seconds: float, calls: int) -> str:
        """Grant a token that expires after some seconds and, unless 0, some calls."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._tokens = {
                known: granted for known, granted in self._tokens.items() if granted.ends_at > now
            }
            self._tokens[token] = _Granted(now + seconds, calls or None)
        return token

    def use(self, token: str) -> bool:
        """Make a call with a token; whether it may be made."""
        with self._lock:
            granted = self._tokens.get(token)
            if granted is None or granted.ends_at <= self._clock() or granted.calls_left == 0:
                self._tokens.pop(token, None)
                return False
            if granted.calls_left is not None:
                granted.calls_left -= 1
            return True

    def end_all(self) -> None:
        """End every token, as an administrator does who revokes a client."""
        with self._lock:
            self._tokens.clear()


def with_client(config: TenantConfig, store: Store) -> TenantConfig:
    """Return the tenant with an M2M OAuth client: the described one, or one made for its file."""
    made = {
        "client_id": f"sandbox-{secrets.token_hex(8)}",
        "client_secret": secrets.token_urlsafe(32),
    }
    store.execute_many('INSERT OR IGNORE INTO "_client" VALUES (?, ?)', list(made.items()))
    kept = dict(store.rows('SELECT name, value FROM "_client"'))
    return replace(
        config,
        client_id=config.client_id or kept["client_id"],
        client_secret=config.client_secret or kept["client_secret"],
    )
