"""Fetching a feed over HTTP: a definition and the validators of last time in, new bytes or 'not modified' out.

Bounded in every direction: a total deadline, a cap on the bytes before and after inflating, five redirects, each to a
public address. Proxies and credentials of the environment are not used. A retry that makes sense is a
TransientSourceError, any other failure a TerminalSourceError.
"""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx

from ewarn import __version__
from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError, TransientSourceError
from ewarn.intake import addresses

_MOST_REDIRECTS = 5
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)


@dataclass(frozen=True)
class Fetched:
    """What came. `validators` (etag, last_modified) go into the next call; `body` is empty when not modified."""

    status: Literal["new", "not modified"]
    body: bytes
    validators: dict[str, str]
    final_url: str


def fetch(feed: FeedDefinition, *, validators: Mapping[str, str], allow_loopback: bool, now: datetime) -> Fetched:
    """Fetch a feed conditionally. `now` dates a Retry-After. Raises: TransientSourceError, TerminalSourceError."""
    watch = _Deadline(feed.timeout_seconds)
    limits = httpx.Timeout(min(feed.timeout_seconds, 15))
    url = feed.url
    with (
        watch,
        httpx.Client(timeout=limits, follow_redirects=False, trust_env=False) as client,
        _plain_errors(feed, watch),
    ):
        for _ in range(_MOST_REDIRECTS + 1):
            addresses.check(url, allow_loopback)
            headers = _headers(feed, validators)
            with client.stream("GET", url, headers=headers, extensions={"trace": watch.trace}) as response:
                _check_peer(response, url, allow_loopback)
                if response.status_code not in (301, 302, 303, 307, 308):
                    return _answer(response, feed, dict(validators), url, watch, now)
                url = _next_address(response, url)
    raise TerminalSourceError(
        f"more than {_MOST_REDIRECTS} redirects", where=feed.url, next_step="Put the final address into the definition."
    )


def _headers(feed: FeedDefinition, validators: Mapping[str, str]) -> dict[str, str]:
    headers = {
        "User-Agent": feed.user_agent or f"ewarn/{__version__} (drug early warning; feed reader)",
        "Accept": _ACCEPT,
        "Accept-Encoding": "gzip, deflate",
    }
    if validators.get("etag"):
        headers["If-None-Match"] = validators["etag"]
    if validators.get("last_modified"):
        headers["If-Modified-Since"] = validators["last_modified"]
    return headers


def _answer(
    response: httpx.Response, feed: FeedDefinition, old: dict[str, str], url: str, watch: _Deadline, now: datetime
) -> Fetched:
    if response.status_code == 304 and old:
        return Fetched("not modified", b"", old, url)
    _check_status(response, url, now)
    body = b"".join(_inflated(response, feed, watch))
    head = body[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise TerminalSourceError(
            "a web page came instead of a feed", where=url, next_step="Open the address; the feed may have moved."
        )
    if not head:
        raise TransientSourceError("the answer is empty", where=url, next_step="Try again later.")
    named = {"etag": response.headers.get("etag", ""), "last_modified": response.headers.get("last-modified", "")}
    return Fetched("new", body, {name: value for name, value in named.items() if value}, url)


def _check_status(response: httpx.Response, url: str, now: datetime) -> None:
    code = response.status_code
    if code == 200:
        return
    said = f"the publisher answered {code} {response.reason_phrase}".strip()
    if code in (408, 425, 429, 304) or code >= 500:
        raise TransientSourceError(
            said, where=url, next_step="It is tried again by itself.", retry_after_seconds=_retry_after(response, now)
        )
    raise TerminalSourceError(said, where=url, next_step="Open the address; correct or disable the feed's definition.")


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; at most a day."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text), 86_400.0)
    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), 86_400.0)


def _inflated(response: httpx.Response, feed: FeedDefinition, watch: _Deadline) -> Iterator[bytes]:
    """The body, inflated piece by piece, never more than one byte over the cap in memory."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise TerminalSourceError(f"an encoding nobody asked for: {encoding}", where=feed.url)
    if int(response.headers.get("content-length", "0") or 0) > feed.max_bytes:
        raise _too_large(feed)
    packed = encoding not in ("", "identity")
    inflate = zlib.decompressobj(wbits=47) if packed else None
    received = total = 0
    for chunk in response.iter_raw():
        watch.check()
        received += len(chunk)
        if received > feed.max_bytes:
            raise _too_large(feed)
        for piece in _pieces(inflate, chunk, feed.max_bytes - total + 1) if inflate else (chunk,):
            total += len(piece)
            if total > feed.max_bytes:
                raise _too_large(feed)
            yield piece
    watch.check()
    if inflate is not None and received and not inflate.eof:
        raise TransientSourceError("the answer broke off", where=feed.url, next_step="Try again later.")


def _pieces(inflate: Any, chunk: bytes, most: int) -> Iterator[bytes]:
    """One chunk inflated to at most `most` bytes."""
    try:
        yield inflate.decompress(chunk, most)
    except zlib.error as error:
        raise TerminalSourceError(f"the compressed answer is damaged: {error}") from error


def _too_large(feed: FeedDefinition) -> TerminalSourceError:
    return TerminalSourceError(
        f"the feed is larger than {feed.max_bytes:,} bytes",
        where=feed.url,
        next_step="Look at the address; raise max_bytes if the feed is right.",
    )


def _next_address(response: httpx.Response, url: str) -> str:
    target: str = urljoin(url, response.headers.get("location", ""))
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise TerminalSourceError("a redirect from https to plain http", where=url, next_step="Ask the publisher.")
    return target


def _check_peer(response: httpx.Response, url: str, allow_loopback: bool) -> None:
    """The address that was really connected to, in case the name resolved differently the second time."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if peer:
        addresses.check_peer(str(peer[0]), url, allow_loopback)


@contextmanager
def _plain_errors(feed: FeedDefinition, watch: _Deadline) -> Iterator[None]:
    """httpx's errors as ours."""
    try:
        yield
    except (httpx.TransportError, OSError) as error:
        watch.check()
        kind = "it took too long" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        raise TransientSourceError(
            f"the feed could not be fetched: {kind}", where=feed.url, next_step="It is tried again by itself."
        ) from error
    except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
        raise TerminalSourceError(f"the feed could not be fetched: {error}", where=feed.url) from error


class _Deadline:
    """A bound on the whole exchange.

    A drip of single bytes outlives any read time-out, so the socket itself is shut.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpx's report on the connection: remembers the socket that is being read."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def check(self) -> None:
        """Raises: TransientSourceError once the deadline has passed."""
        if time.monotonic() >= self._end:
            raise TransientSourceError(
                f"the answer took longer than {self.seconds:g} seconds", next_step="Try again later."
            )

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._socket = None
