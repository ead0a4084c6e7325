"""Fetching a feed over HTTP: a definition and the validators of last time in, new bytes or 'not modified' out.

Bounded in every direction: a total deadline, a cap on the bytes before and after inflating, five redirects, each to a
public address that was resolved once and is the one connected to. Proxies and credentials of the environment are not
used. A retry that makes sense is a TransientSourceError (a SourceBusy where the publisher asks us to wait), any other
failure a TerminalSourceError.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx

from ewarn import __version__
from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import SourceBusy, TerminalSourceError, TransientSourceError
from ewarn.intake import addresses
from ewarn.intake.inflate import Inflater

_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_FOR_GOOD = (301, 308)
_BUSY = (429, 503)
_LONGEST_WAIT = timedelta(days=7)
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)


@dataclass(frozen=True)
class Fetched:
    """What came. `validators` (etag, last_modified) go into the next call; `body` is empty when not modified.

    moved_to: where the publisher says the feed has gone for good; empty where it has not.
    """

    status: Literal["new", "not modified"]
    body: bytes
    validators: dict[str, str]
    final_url: str
    moved_to: str = ""


def fetch(
    feed: FeedDefinition, *, validators: Mapping[str, str], allow_loopback: bool, now: datetime, url: str = ""
) -> Fetched:
    """Fetch a feed conditionally, from its definition's address or from `url`. `now` dates a Retry-After.

    Raises: TransientSourceError, SourceBusy, TerminalSourceError.
    """
    watch = _Deadline(feed.timeout_seconds)
    here = moved_to = ""
    there, for_good = url or feed.url, True
    with (
        watch,
        httpx.Client(timeout=watch.limits(), follow_redirects=False, trust_env=False, verify=_trusted()) as client,
        _plain_errors(feed, watch),
    ):
        for _ in range(_MOST_REDIRECTS + 1):
            here = there
            with _asked(client, here, _headers(feed, validators), allow_loopback, watch) as response:
                if response.status_code not in _REDIRECTS:
                    return _answer(response, feed, dict(validators), here, moved_to, watch, now)
                there = _next_address(response, here)
                for_good = for_good and response.status_code in _FOR_GOOD
                moved_to = there if for_good else moved_to
    raise TerminalSourceError(
        f"more than {_MOST_REDIRECTS} redirects", where=feed.url, next_step="Put the final address into the definition."
    )


@contextmanager
def _asked(
    client: httpx.Client, url: str, headers: Mapping[str, str], allow_loopback: bool, watch: _Deadline
) -> Iterator[httpx.Response]:
    """The answer of the first of the host's addresses that takes the connection; nothing else is ever connected to."""
    found = addresses.check(url, allow_loopback, watch.left())[:_MOST_ADDRESSES]
    asked = httpx.URL(url)
    extensions = {"sni_hostname": asked.raw_host.decode(), "trace": watch.trace}
    for number, address in enumerate(found, 1):
        request = client.build_request(
            "GET", asked.copy_with(host=address), headers={**headers, "Host": asked.netloc.decode()},
            extensions=extensions | {"timeout": watch.limits().as_dict()},
        )  # fmt: skip
        try:
            response = client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            watch.check()
            if number == len(found):
                raise
            continue
        try:
            yield response
        finally:
            response.close()
        return


def _trusted() -> ssl.SSLContext:
    """The certificates a publisher's must descend from; the environment's are not used."""
    return httpx.create_ssl_context(trust_env=False)


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
    response: httpx.Response,
    feed: FeedDefinition,
    old: dict[str, str],
    url: str,
    moved_to: str,
    watch: _Deadline,
    now: datetime,
) -> Fetched:
    if response.status_code == 304 and old:
        return Fetched("not modified", b"", old, url, moved_to)
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
    return Fetched("new", body, {name: value for name, value in named.items() if value}, url, moved_to)


def _check_status(response: httpx.Response, url: str, now: datetime) -> None:
    code = response.status_code
    if code == 200:
        return
    said = f"the publisher answered {code} {response.reason_phrase}".strip()
    if code in _BUSY:
        wait = _retry_after(response, now)
        raise SourceBusy(said, where=url, next_step="It is asked again when it said.", retry_after_seconds=wait)
    if code in (304, 408, 425) or code >= 500:
        raise TransientSourceError(said, where=url, next_step="It is tried again by itself.")
    raise TerminalSourceError(said, where=url, next_step="Open the address; correct or disable the feed's definition.")


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds of a Retry-After header, given in seconds or as a date; at most a week, or a slip would silence us."""
    text = response.headers.get("retry-after", "").strip()
    most = _LONGEST_WAIT.total_seconds()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), most)
    try:
        return min(max((parsedate_to_datetime(text) - now).total_seconds(), 0.0), most)
    except (ValueError, TypeError, OverflowError):
        return None


def _inflated(response: httpx.Response, feed: FeedDefinition, watch: _Deadline) -> Iterator[bytes]:
    """The body, inflated piece by piece, never more than one byte over the cap in memory."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise TerminalSourceError(f"an encoding nobody asked for: {encoding[:40]}", where=feed.url)
    if int(response.headers.get("content-length", "0") or 0) > feed.max_bytes:
        raise _too_large(feed)
    inflater = None if encoding in ("", "identity") else Inflater()
    received = total = 0
    for chunk in response.iter_raw():
        watch.check()
        received += len(chunk)
        if received > feed.max_bytes:
            raise _too_large(feed)
        for piece in inflater.pieces(chunk, feed.max_bytes - total + 1) if inflater else (chunk,):
            total += len(piece)
            if total > feed.max_bytes:
                raise _too_large(feed)
            yield piece
    watch.check()
    if inflater is not None and received and not inflater.whole:
        raise TransientSourceError("the answer broke off", where=feed.url, next_step="Try again later.")


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
    """A bound on the whole exchange, name resolution and redirects included.

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

    def left(self) -> float:
        """Seconds until the deadline. Raises: TransientSourceError once it has passed."""
        self.check()
        return self._end - time.monotonic()

    def limits(self) -> httpx.Timeout:
        """What one connection or one read may take of what is left."""
        return httpx.Timeout(max(min(self.left(), 15), 0.001))

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
