"""Fetching over real HTTP on loopback: conditional, bounded, and never led inside a private network."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import TerminalSourceError, TransientSourceError
from ewarn.intake import addresses
from ewarn.intake.fetch import Fetched, fetch

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
BODY = b"<rss version='2.0'><channel/></rss>"
Get = Callable[..., Fetched]


@pytest.fixture
def get(feed: FeedDefinition) -> Get:
    def getting(
        url: str, validators: dict[str, str] | None = None, loopback: bool = True, **changes: object
    ) -> Fetched:
        definition = feed.model_copy(update={"url": url, "timeout_seconds": 5.0, **changes})
        return fetch(definition, validators=validators or {}, allow_loopback=loopback, now=NOW)

    return getting


def test_new_bytes_come_with_their_validators(httpserver: HTTPServer, get: Get) -> None:
    httpserver.expect_request("/feed").respond_with_data(
        BODY, headers={"ETag": '"1"', "Last-Modified": "Mon, 03 Mar 2025"}
    )
    got = get(httpserver.url_for("/feed"))
    assert (got.status, got.body) == ("new", BODY)
    assert got.validators == {"etag": '"1"', "last_modified": "Mon, 03 Mar 2025"}
    agent = httpserver.log[0][0].headers["User-Agent"]
    assert agent.startswith("ewarn/")


def test_the_validators_of_last_time_give_not_modified(httpserver: HTTPServer, get: Get) -> None:
    headers = {"If-None-Match": '"1"', "If-Modified-Since": "Mon, 03 Mar 2025"}
    httpserver.expect_request("/feed", headers=headers).respond_with_data(b"", status=304)
    old = {"etag": '"1"', "last_modified": "Mon, 03 Mar 2025"}
    got = get(httpserver.url_for("/feed"), old)
    assert (got.status, got.body, got.validators) == ("not modified", b"", old)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_answer_is_inflated(httpserver: HTTPServer, get: Get, pack: Callable[[bytes], bytes]) -> None:
    coding = "gzip" if pack is gzip.compress else "deflate"
    httpserver.expect_request("/feed").respond_with_data(pack(BODY), headers={"Content-Encoding": coding})
    assert get(httpserver.url_for("/feed")).body == BODY


def test_a_gzip_bomb_is_stopped_at_the_cap(httpserver: HTTPServer, get: Get) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    httpserver.expect_request("/feed").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(TerminalSourceError, match="larger than"):
        get(httpserver.url_for("/feed"), max_bytes=1_000_000)


@pytest.mark.parametrize("announced", [True, False])
def test_too_many_bytes_are_refused(httpserver: HTTPServer, get: Get, announced: bool) -> None:
    def large(_: Request) -> Response:
        body = [b"x" * 100_000] * 20
        return Response(b"".join(body) if announced else iter(body))

    httpserver.expect_request("/feed").respond_with_handler(large)
    with pytest.raises(TerminalSourceError, match="larger than"):
        get(httpserver.url_for("/feed"), max_bytes=1_000_000)


@pytest.mark.parametrize(("status", "error"), [(404, TerminalSourceError), (403, TerminalSourceError),
                                               (500, TransientSourceError), (503, TransientSourceError)])  # fmt: skip
def test_errors_say_whether_a_retry_makes_sense(httpserver: HTTPServer, get: Get, status: int, error: type) -> None:
    httpserver.expect_request("/feed").respond_with_data(b"no", status=status)
    with pytest.raises(error, match=str(status)):
        get(httpserver.url_for("/feed"))


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120.0), ("Mon, 10 Mar 2025 12:05:00 GMT", 300.0), ("soon", None)]
)
def test_retry_after_is_passed_on(httpserver: HTTPServer, get: Get, header: str, seconds: float | None) -> None:
    httpserver.expect_request("/feed").respond_with_data(b"", status=429, headers={"Retry-After": header})
    with pytest.raises(TransientSourceError) as caught:
        get(httpserver.url_for("/feed"))
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html></html>", b"\n <HTML><body>Sorry</body></HTML>"])
def test_a_web_page_is_an_error(httpserver: HTTPServer, get: Get, page: bytes) -> None:
    httpserver.expect_request("/feed").respond_with_data(page)
    with pytest.raises(TerminalSourceError, match="web page"):
        get(httpserver.url_for("/feed"))


def test_redirects_are_followed_and_counted(httpserver: HTTPServer, get: Get) -> None:
    httpserver.expect_request("/old").respond_with_data(b"", status=301, headers={"Location": "/feed"})
    httpserver.expect_request("/feed").respond_with_data(BODY)
    httpserver.expect_request("/loop").respond_with_data(b"", status=302, headers={"Location": "/loop"})
    assert get(httpserver.url_for("/old")).final_url == httpserver.url_for("/feed")
    with pytest.raises(TerminalSourceError, match="redirects"):
        get(httpserver.url_for("/loop"))


def test_loopback_is_refused_unless_it_is_allowed(httpserver: HTTPServer, get: Get) -> None:
    with pytest.raises(TerminalSourceError, match="private network"):
        get(httpserver.url_for("/feed"), loopback=False)
    assert httpserver.log == []


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://192.168.1.1:9", "http://[fd00::1]/",
               "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "file:///etc/passwd", "http://user:pw@127.0.0.1/",
               "ftp://127.0.0.1/"],
)  # fmt: skip
def test_a_redirect_leads_to_no_private_address(httpserver: HTTPServer, get: Get, target: str) -> None:
    httpserver.expect_request("/feed").respond_with_data(b"", status=302, headers={"Location": target})
    with pytest.raises(TerminalSourceError):
        get(httpserver.url_for("/feed"))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "100.64.0.1", "224.0.0.1", "::ffff:127.0.0.1"])
def test_only_public_addresses_pass_the_check(address: str) -> None:
    addresses.check_peer("93.184.216.34", "https://example.org", allow_loopback=False)
    with pytest.raises(TerminalSourceError):
        addresses.check_peer(address, "https://example.org", allow_loopback=False)


@pytest.fixture
def drip() -> Iterator[str]:
    """A server that answers one byte every tenth of a second, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<")
            while not ended.wait(0.1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/feed"
    ended.set()
    listener.close()
    thread.join(2)


def test_a_drip_ends_at_the_deadline(drip: str, get: Get) -> None:
    with pytest.raises(TransientSourceError, match="longer than"):
        get(drip, timeout_seconds=0.6)


def test_a_silent_server_is_a_time_out(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TransientSourceError):
        get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_seconds=0.4)


def test_a_refused_connection_is_worth_a_retry(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientSourceError):
        get(f"http://127.0.0.1:{port}/")


def test_an_answer_that_breaks_off_is_worth_a_retry(httpserver: HTTPServer, get: Get) -> None:
    packed = gzip.compress(BODY * 50)
    httpserver.expect_request("/feed").respond_with_data(packed[:-20], headers={"Content-Encoding": "gzip"})
    with pytest.raises(TransientSourceError, match="broke off"):
        get(httpserver.url_for("/feed"))
