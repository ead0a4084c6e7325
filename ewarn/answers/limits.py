"""How often: a bounded count of tries for each token, address or code, kept in memory and in no readable form.

In: what is counted and an instant. Out: yes or no. It must never hold an address in clear, nor grow without end.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections import OrderedDict
from hashlib import blake2b

MOST_HELD = 50_000


class Limit:
    """At most `times` in `seconds`, for each name apart. Names are kept as hashes under a key of this process."""

    def __init__(self, times: int, seconds: float) -> None:
        self.times, self.seconds = times, seconds
        self._key = secrets.token_bytes(32)
        self._held: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def allows(self, name: str, now: float) -> bool:
        """Count one try; whether it is still within the bound."""
        mark = blake2b(name.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()
        since, count = self._held.pop(mark, (now, 0))
        if now - since >= self.seconds:
            since, count = now, 0
        self._held[mark] = (since, count + 1)
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return count < self.times


def network(address: str) -> str:
    """What one household or office shares: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
