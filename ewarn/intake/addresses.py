"""Which addresses a feed may be fetched from: public ones only, at every redirect.

The rampart against being sent inside.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from urllib.parse import urlsplit

from ewarn.errors import TerminalSourceError, TransientSourceError

RESOLVE_SECONDS = 10.0


def check(url: str, allow_loopback: bool) -> None:
    """Refuse an address that is not http(s), or whose host is not public. `allow_loopback`: 127.0.0.1 and ::1 too.

    Raises: TerminalSourceError where it is refused, TransientSourceError where the name cannot be resolved.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:
        raise TerminalSourceError(f"the address has no valid port: {error}", where=url) from error
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise TerminalSourceError(
            "not a plain http or https address", where=url, next_step="Correct the url in the feed's definition."
        )
    try:
        found = _resolved(host, port)
    except (OSError, UnicodeError) as error:
        raise TransientSourceError(
            f"the host name cannot be resolved: {host}", where=url, next_step="Try again later."
        ) from error
    for address in found:
        check_peer(address, url, allow_loopback)


def _resolved(host: str, port: int) -> set[str]:
    """A host's addresses. The system's resolver knows no time-out of ours, so it is asked in a thread of its own."""
    answer: Future[set[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result({str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(timeout=RESOLVE_SECONDS)


def check_peer(address: str, url: str, allow_loopback: bool) -> None:
    """Refuse a network address that is not public."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    ip = mapped or ip
    if (ip.is_loopback and allow_loopback) or (ip.is_global and not ip.is_multicast):
        return
    raise TerminalSourceError(
        f"the address leads to {ip}, inside a private network",
        where=url,
        next_step="Feeds are fetched from public addresses only; drop the file instead.",
    )
