"""Which addresses a feed may be fetched from: public ones only, at every redirect.

In: an address. Out: the network addresses that were checked and that may be connected to, and no others: a name is
resolved once, so that a second answer of the name service cannot lead inside. The rampart against being sent inside.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from urllib.parse import urlsplit

from ewarn.errors import TerminalSourceError, TransientSourceError

RESOLVE_SECONDS = 10.0
# Ways in which an IPv6 address carries an IPv4 one that a gateway would connect to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def check(url: str, allow_loopback: bool, patience_seconds: float = RESOLVE_SECONDS) -> list[str]:
    """The host's network addresses in the name service's order; every one of them is public.

    Refuses what is not http(s). `allow_loopback`: 127.0.0.1 and ::1 too.
    Raises: TerminalSourceError where it is refused, TransientSourceError where the name cannot be resolved.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:
        raise TerminalSourceError(f"the address cannot be read: {error}", where=url) from error
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise TerminalSourceError(
            "not a plain http or https address", where=url, next_step="Correct the url in the feed's definition."
        )
    try:
        found = _resolved(host, port, min(patience_seconds, RESOLVE_SECONDS))
    except (OSError, UnicodeError) as error:
        raise TransientSourceError(
            f"the host name cannot be resolved: {host}", where=url, next_step="Try again later."
        ) from error
    for address in found:
        check_peer(address, url, allow_loopback)
    return found


def _resolved(host: str, port: int, patience_seconds: float) -> list[str]:
    """A host's addresses. The system's resolver knows no time-out of ours, so it is asked in a thread of its own."""
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result(list(dict.fromkeys(str(info[4][0]) for info in found)))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(timeout=max(patience_seconds, 0.0))


def check_peer(address: str, url: str, allow_loopback: bool) -> None:
    """Refuse a network address that is not public. Raises: TerminalSourceError."""
    ip = _inmost(ipaddress.ip_address(address.partition("%")[0]))
    if (ip.is_loopback and allow_loopback) or (ip.is_global and not ip.is_multicast):
        return
    raise TerminalSourceError(
        f"the address leads to {ip}, inside a private network",
        where=url,
        next_step="Feeds are fetched from public addresses only; drop the file instead.",
    )


def _inmost(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address inside a mapped, translated or tunnelled IPv6 one; otherwise the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
