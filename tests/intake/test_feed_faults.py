"""Every way in which a feed's answer can be wrong, over a real server on loopback: what comes of it, which cap held.

Memory is counted, not guessed: what a hostile answer may cost is a multiple of the cap, never of what it unpacks to.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.catalogue.definitions import FeedDefinition
from ewarn.errors import SourceBusy, TerminalSourceError, TransientSourceError
from ewarn.intake import Staged, addresses, feedreader, fetch, read
from ewarn.intake import fetch as fetch_function

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{0}</channel></rss>'
ITEM = "<item><title>{0}</title><guid>{1}</guid><link>https://example.org/{1}</link></item>"
GOOD = RSS.format(ITEM.format("Alert", "n1")).encode()
CAP = 1_000_000
Take = Callable[..., Staged]
module = sys.modules[fetch_function.__module__]


@pytest.fixture
def take(httpserver: HTTPServer, feed: FeedDefinition, known: Any) -> Take:
    """Serve an answer, fetch it for real and read it."""

    def taking(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None, **changes: Any) -> Staged:
        raw = body.encode() if isinstance(body, str) else body
        httpserver.clear_all_handlers()
        httpserver.expect_request("/feed").respond_with_data(raw, status=status, headers=headers or {})
        definition = feed.model_copy(update={"url": httpserver.url_for("/feed"), "max_bytes": CAP, **changes})
        came = fetch(definition, validators={}, allow_loopback=True, now=NOW)
        return read(definition, came.body, known, received_at=NOW, backfill=False)

    return taking


def titles(staged: Staged) -> list[str]:
    return staged.records["title"].to_list()


# ---------------------------------------------------------------- what the publisher says instead


@pytest.mark.parametrize(
    "page",
    ["<!DOCTYPE html><title>Sign in</title>", "<!-- x --><html><body>Sign in</body></html>",
     "<?xml version='1.0'?><!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'><body/></html>"],
)  # fmt: skip
def test_a_login_page_is_an_error(take: Take, page: str) -> None:
    with pytest.raises(TerminalSourceError, match="a web page came instead of a feed"):
        take(page)


@pytest.mark.parametrize("status", [204, 300, 401, 403, 404, 410])
def test_a_refusal_is_final_and_says_its_number(take: Take, status: int) -> None:
    with pytest.raises(TerminalSourceError, match=str(status)):
        take("", status)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("90", 90.0), ("Mon, 10 Mar 2025 12:10:00 GMT", 600.0), ("Mon, 10 Mar 2025 11:00:00 GMT", 0.0),
     ("99999999999999", 604_800.0), ("²", None), ("", None)],
)  # fmt: skip
def test_a_busy_publisher_says_when(take: Take, status: int, header: str, seconds: float | None) -> None:
    with pytest.raises(SourceBusy) as caught:
        take("", status, {"Retry-After": header})
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("body", ["", " \n\t", "\ufeff"])
def test_an_empty_answer_is_no_empty_feed(take: Take, body: str) -> None:
    with pytest.raises(TransientSourceError, match="empty"):
        take(body)


@pytest.mark.parametrize(
    "body",
    ["<opml version='2.0'><body/></opml>", "<a><item><title>A</title></item></a>", "<?xml version='1.0'?>", "plain",
     "{}", "[1, 2]", '{"version": "https://jsonfeed.org/version/1.1"}', '{"items": []}', "<rss", "\0\0\0"],
)  # fmt: skip
def test_what_is_no_feed_is_an_error(take: Take, body: str) -> None:
    with pytest.raises(TerminalSourceError, match="no feed"):
        take(body)


# ---------------------------------------------------------------- caps on bytes, inflation and time


def test_a_gzip_bomb_costs_the_cap_and_not_what_it_unpacks_to(take: Take) -> None:
    bomb = gzip.compress(bytes(200_000_000))
    assert len(bomb) < CAP, "the cap on what arrives is not what stops it"
    tracemalloc.start()
    try:
        with pytest.raises(TerminalSourceError, match="larger than 1,000,000 bytes"):
            take(bomb, headers={"Content-Encoding": "gzip"})
        assert tracemalloc.get_traced_memory()[1] < 20 * CAP, "a tenth of it; half of that are certificates"
    finally:
        tracemalloc.stop()


def test_gzip_in_several_members_is_read_whole(take: Take) -> None:
    parts = gzip.compress(GOOD[:60]) + gzip.compress(GOOD[60:])
    assert titles(take(parts, headers={"Content-Encoding": "gzip"})) == ["Alert"]


@pytest.mark.parametrize(
    ("packed", "error"),
    [(gzip.compress(GOOD * 9)[:-12], TransientSourceError), (b"\x1f\x8b" + b"\xff" * 40, TerminalSourceError),
     (gzip.compress(GOOD, mtime=0) + b"rubbish", TerminalSourceError)],
)  # fmt: skip
def test_damaged_gzip_is_never_taken_for_whole(take: Take, packed: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        take(packed, headers={"Content-Encoding": "gzip"})


def test_an_encoding_nobody_asked_for_is_refused(take: Take) -> None:
    with pytest.raises(TerminalSourceError, match="nobody asked for: br"):
        take(GOOD, headers={"Content-Encoding": "br"})


@dataclass
class Dripping:
    """A server that says a byte at a time, for ever; `sent` counts them."""

    url: str = ""
    sent: int = 0
    gone: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(params=["headers", "body"])
def drip(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    listener = socket.create_server(("127.0.0.1", 0))
    dripping, ended = Dripping(f"http://127.0.0.1:{listener.getsockname()[1]}/"), threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + (b"y\r\n\r\n<" if request.param == "body" else b""))
            while not ended.wait(0.05):
                try:
                    connection.sendall(b" ")
                    dripping.sent += 1
                except OSError:
                    dripping.gone.set()
                    return

    threading.Thread(target=serve, daemon=True).start()
    yield dripping
    ended.set()
    listener.close()


def test_a_drip_is_hung_up_on_at_the_deadline(drip: Dripping, feed: FeedDefinition) -> None:
    definition = feed.model_copy(update={"url": drip.url, "timeout_seconds": 0.5})
    with pytest.raises(TransientSourceError, match=r"longer than 0\.5 seconds"):
        fetch(definition, validators={}, allow_loopback=True, now=NOW)
    assert drip.gone.wait(20), "our end of the connection is closed"
    assert 0 < drip.sent < CAP, "the deadline ended it, not the cap on bytes"


def test_a_name_service_that_hangs_is_inside_the_deadline(
    feed: FeedDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ended = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        asked.set()
        ended.wait(30)
        raise OSError

    monkeypatch.setattr(addresses.socket, "getaddrinfo", hang)
    with pytest.raises(TransientSourceError, match=r"cannot be resolved|longer than 3 seconds"):
        fetch(feed.model_copy(update={"timeout_seconds": 3.0}), validators={}, allow_loopback=False, now=NOW)
    assert asked.is_set()
    ended.set()


# ---------------------------------------------------------------- where it leads


def redirected(httpserver: HTTPServer, *targets: str, status: int = 302) -> str:
    """A chain of addresses, each sending on to the next, the last to the last target."""
    for hop, target in enumerate(targets):
        headers = {"Location": target}
        httpserver.expect_request(f"/hop{hop}").respond_with_data(b"", status=status, headers=headers)
    return httpserver.url_for("/hop0")


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize(
    "inside", ["http://10.0.0.1/", "http://169.254.169.254/", "http://[fe80::1]/", "http://[64:ff9b::a00:1]/",
               "http://[2002:a00:1::]/", "http://[::10.0.0.1]/", "http://0x0a000001/", "http://10.1/"],
)  # fmt: skip
def test_no_hop_leads_inside(httpserver: HTTPServer, feed: FeedDefinition, inside: str, hops: int) -> None:
    url = redirected(httpserver, *[f"/hop{n}" for n in range(1, hops)], inside)
    with pytest.raises(TerminalSourceError, match="private network"):
        fetch(feed.model_copy(update={"url": url}), validators={}, allow_loopback=True, now=NOW)
    assert len(httpserver.log) == hops


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(
    httpserver: HTTPServer, feed: FeedDefinition
) -> None:
    url = f"http://localhost:{httpserver.port}/feed"
    with pytest.raises(TerminalSourceError, match="private network"):
        fetch(feed.model_copy(update={"url": url}), validators={}, allow_loopback=False, now=NOW)
    assert httpserver.log == []


class Names:
    """A name service of our own for names under .test: one answer after another, the last for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked, self.real = list(answers), 0, socket.getaddrinfo

    def __call__(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
        if not str(host).endswith(".test"):
            return self.real(host, port, *rest, **more)
        address = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_second_answer_of_the_name_service_cannot_lead_elsewhere(
    httpserver: HTTPServer, feed: FeedDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/feed").respond_with_data(GOOD)
    names = Names("127.0.0.1", "10.0.0.1")
    monkeypatch.setattr(addresses.socket, "getaddrinfo", names)
    definition = feed.model_copy(update={"url": f"http://feed.test:{httpserver.port}/feed"})
    assert fetch(definition, validators={}, allow_loopback=True, now=NOW).body == GOOD
    assert names.asked == 1
    assert httpserver.log[0][0].headers["Host"] == f"feed.test:{httpserver.port}"


def test_a_loop_ends(httpserver: HTTPServer, feed: FeedDefinition) -> None:
    url = redirected(httpserver, "/hop1", "/hop0")
    with pytest.raises(TerminalSourceError, match="more than 5 redirects"):
        fetch(feed.model_copy(update={"url": url}), validators={}, allow_loopback=True, now=NOW)
    assert len(httpserver.log) == 6


@pytest.mark.parametrize(
    ("statuses", "moved"), [((301,), 1), ((308, 301), 2), ((301, 302), 1), ((302, 301), 0), ((307,), 0)]
)
def test_a_move_for_good_is_told_up_to_the_first_passing_redirect(
    httpserver: HTTPServer, feed: FeedDefinition, statuses: tuple[int, ...], moved: int
) -> None:
    for hop, status in enumerate(statuses):
        headers = {"Location": f"/hop{hop + 1}"}
        httpserver.expect_request(f"/hop{hop}").respond_with_data(b"", status=status, headers=headers)
    httpserver.expect_request(f"/hop{len(statuses)}").respond_with_data(GOOD)
    url = httpserver.url_for("/hop0")
    came = fetch(feed.model_copy(update={"url": url}), validators={}, allow_loopback=True, now=NOW)
    assert came.moved_to == (httpserver.url_for(f"/hop{moved}") if moved else "")


@pytest.fixture
def secure(
    openssl: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A TLS server for 'feed.test' whose maker we trust; the callable says where it redirects to."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    call = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=feed.test",
            "-addext", "subjectAltName=DNS:feed.test", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(call, check=True, capture_output=True)
    monkeypatch.setattr(module, "_trusted", lambda: ssl.create_default_context(cafile=str(certificate)))
    monkeypatch.setattr(addresses.socket, "getaddrinfo", Names("127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(ssl_context=context)
    server.start()
    server.expect_request("/feed").respond_with_data(GOOD)

    def redirect(target: str) -> None:
        server.expect_request("/old").respond_with_data(b"", status=301, headers={"Location": target})

    yield f"https://feed.test:{server.port}", redirect
    server.stop()


def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    secure: tuple[str, Callable[[str], None]], feed: FeedDefinition
) -> None:
    where, _ = secure
    ask = feed.model_copy
    assert fetch(ask(update={"url": f"{where}/feed"}), validators={}, allow_loopback=True, now=NOW).body == GOOD
    other = where.replace("feed.test", "other.test")
    with pytest.raises(TransientSourceError, match="certificate"):
        fetch(ask(update={"url": f"{other}/feed"}), validators={}, allow_loopback=True, now=NOW)


def test_https_never_leads_to_plain_http(
    secure: tuple[str, Callable[[str], None]], feed: FeedDefinition, httpserver: HTTPServer
) -> None:
    where, redirect = secure
    redirect(httpserver.url_for("/feed"))
    with pytest.raises(TerminalSourceError, match="https to plain http"):
        fetch(feed.model_copy(update={"url": f"{where}/old"}), validators={}, allow_loopback=True, now=NOW)
    assert httpserver.log == []


# ---------------------------------------------------------------- what the parser meets


def entities(*declared: str, title: str) -> str:
    return f"<?xml version='1.0'?><!DOCTYPE r [{''.join(declared)}]>" + RSS.split("?>")[1].format(
        ITEM.format(title, "n1")
    )


BOMBS = {
    "nested": entities(
        '<!ENTITY a0 "lol">', *(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)), title="&a9;"
    ),
    "wide": entities(f'<!ENTITY a "{"x" * 100_000}">', title="&a;" * 100_000),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_an_xml_bomb_reaches_a_limit_that_is_named(take: Take, bomb: str) -> None:
    with pytest.raises(TerminalSourceError, match=r"limit of (size of what it unpacks to|memory|processor time)"):
        take(bomb)


WORDY = RSS.format("".join(ITEM.format("word " * 40, n) for n in range(4_000))).encode()
DEEP = (RSS.split("{")[0] + "<item><title>" + "<a>" * 1_000_000).encode()
LIMITS = {
    "memory": (WORDY, {"_MEMORY_BYTES": 40_000_000, "_MEMORY_A_BYTE": 0}),
    "size of what it unpacks to": (WORDY, {"_ANSWER_BYTES": 1_000}),
    "processor time": (DEEP, {"_CPU_SECONDS": 1, "_CPU_A_MB": 0, "_PATIENCE": 100}),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_of_the_parser_holds(feed: FeedDefinition, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """The error names the one that was reached; without it the same feed is read."""
    body, numbers = LIMITS[limit]
    feedreader._parsed.cache_clear()
    for name, value in numbers.items():
        monkeypatch.setattr(feedreader, name, value)
    with pytest.raises(TerminalSourceError, match=f"its limit of {limit}"):
        feedreader.read(feed, body)
    monkeypatch.undo()
    if body is WORDY:
        assert len(feedreader.read(feed, body).entries) == 4_000


@pytest.mark.parametrize("reference", ["SYSTEM 'file://{0}'", "SYSTEM '{0}'", "PUBLIC 'x' 'file://{0}'"])
def test_an_external_entity_reads_no_file(take: Take, tmp_path: Path, reference: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the canary sings")
    staged = take(entities(f"<!ENTITY x {reference.format(secret)}>", title="Seen: &x;"))
    assert "canary" not in str([frame.to_dicts() for frame in (staged.records, staged.rejects)])
    assert staged.records.height + staged.rejects.height == 1


def test_an_external_entity_asks_no_server(take: Take, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/entity").respond_with_data("the canary sings")
    where = httpserver.url_for("/entity")
    take(entities(f"<!ENTITY % p SYSTEM '{where}'>%p;<!ENTITY x SYSTEM '{where}'>", title="Seen: &x;"))
    assert [request.path for request, _ in httpserver.log] == ["/feed"]


@pytest.mark.parametrize(
    ("act", "refused"),
    [("open('/etc/hostname')", True), ("__import__('socket').create_connection(('127.0.0.1', 1))", True),
     ("__import__('subprocess').run(['true'])", True), ("__import__('encodings.koi8_r')", False)],
)  # fmt: skip
def test_the_parser_stands_behind_a_fence(act: str, refused: bool) -> None:
    child = Path(feedreader.__file__).with_name("feedchild.py")
    code = f"import runpy; runpy.run_path({str(child)!r})['fence'](); {act}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert ("PermissionError" in done.stderr) == refused, done.stderr


@pytest.mark.parametrize(
    "title",
    ["&lt;script&gt;alert(1)&lt;/script&gt;Alert", "<![CDATA[<script>alert(1)</script>Alert]]>",
     "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;Alert",
     "<![CDATA[<img src='https://t.example/x.png'/>Alert]]>",
     "A&#x200b;l\u202eert&#xAD;", "<![CDATA[&lt;![CDATA[Alert]]&gt;]]>", "&#65;lert",
     "<![CDATA[<svg/onload=x>Alert]]>"],
)  # fmt: skip
def test_a_title_becomes_harmless_plain_text(take: Take, title: str) -> None:
    assert titles(take(RSS.format(ITEM.format(title, "n1")))) == ["Alert"]


@pytest.mark.parametrize(
    ("body", "title", "noted"),
    [
        ("<?xml version='1.0' encoding='iso-8859-1'?>{}", "Café £5 ’", "declares iso-8859-1"),
        ("<?xml version='1.0' encoding='utf-16'?>{}", "Café £5 ’", "declares utf-16"),
        ("<?xml version='1.0' encoding='nonsense'?>{}", "Café £5 ’", "declares nonsense"),
    ],
)
def test_utf_8_under_a_wrong_name_is_read_as_utf_8_and_said(take: Take, body: str, title: str, noted: str) -> None:
    staged = take(body.format(RSS.split("?>")[1].format(ITEM.format(title, "n1"))).encode())
    assert titles(staged) == [title] and noted in staged.notes[0]


def test_another_encoding_under_the_name_of_utf_8_is_said(take: Take) -> None:
    staged = take(RSS.format(ITEM.format("Café £5 ’", "n1")).encode("cp1252"))
    assert titles(staged) == ["Café £5 ’"] and "windows-1252" in staged.notes[0]


def test_an_entry_that_was_cut_off_is_rejected_and_those_before_it_kept(take: Take) -> None:
    whole = RSS.format(ITEM.format("First", "n1") + ITEM.format("Second of the two", "n2"))
    staged = take(whole[: whole.index(" of the two")])
    assert titles(staged) == ["First"]
    assert staged.rejects.select("position", "reason").rows() == [("entry 2", "the feed breaks off inside this entry")]


def test_a_json_feed_with_odd_types_loses_no_item(take: Take) -> None:
    items = [
        {"id": 7, "title": "A number for an id", "url": "javascript:alert(1)"},
        {"id": True, "title": {"a": 1}, "content_html": "<b>Words</b> of the text"},
        {"id": "z", "title": "Odd \ud800 halves", "date_published": "0001-01-01T00:00:00+05:00"},
        "a text", None, 3, [{}], {}, {"id": "only"},
        {"url": "/relative", "title": ["x"], "summary": "Known by its link", "date_modified": "2025-03-01T10:00:00z"},
    ]  # fmt: skip
    staged = take(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))
    assert staged.records.height + staged.rejects.height == len(items)
    assert staged.records.select("position", "title", "published_at").rows() == [
        ("entry 1", "A number for an id", None),
        ("entry 3", "Odd ? halves", None),
        ("entry 10", "Known by its link", datetime(2025, 3, 1, 10, tzinfo=UTC)),
    ]
    assert staged.records["link"].to_list()[0] == ""
    assert "date that cannot be read" in staged.notes[0]


def test_entries_past_the_most_that_are_read_are_rejects(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = take(RSS.format("".join(ITEM.format("A", n) for n in range(5_003))))
    assert (staged.records.height, staged.rejects.height) == (5_000, 3)
    assert "only the first 5,000" in staged.rejects["reason"][0]


# ---------------------------------------------------------------- publishers as they are


def test_gov_uk_entries_are_known_again_when_they_are_edited(take: Take) -> None:
    entry = (
        "<entry><id>https://www.gov.uk/government/news/x#{0}</id><updated>{0}</updated><title>{1}</title>"
        "<link rel='alternate' href='https://www.gov.uk/government/news/x'/><summary type='html'>s</summary></entry>"
    )
    atom = "<feed xmlns='http://www.w3.org/2005/Atom'><id>f</id><title>t</title>{}</feed>"
    first = take(atom.format(entry.format("2025-03-01T10:00:00+00:00", "Recal")))
    edited = take(atom.format(entry.format("2025-03-05T09:00:00+00:00", "Recall")))
    assert first.records["key"].to_list() == edited.records["key"].to_list()
    assert first.records["content_hash"].to_list() != edited.records["content_hash"].to_list()


def test_rss_without_guid_is_known_by_its_link(take: Take) -> None:
    staged = take(RSS.format("<item><title>A</title><link>https://example.org/a?x=1&amp;y=2</link></item>"))
    assert staged.records["entry_id"].to_list() == ["https://example.org/a?x=1&y=2"] == staged.records["link"].to_list()


def test_rss_1_0_is_read(take: Take) -> None:
    staged = take(
        "<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel rdf:about='c'/>"
        "<item rdf:about='https://example.org/1'><title>A</title><link>https://example.org/1?utm=2</link>"
        "<dc:date>2025-03-01T23:30:00Z</dc:date></item></rdf:RDF>"
    )
    assert staged.records.select("entry_id", "published_at").rows() == [
        ("https://example.org/1", datetime(2025, 3, 1, 23, 30, tzinfo=UTC))
    ]


def test_a_wordpress_item_is_read(take: Take) -> None:
    staged = take(
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item>"
        "<title>Don&#8217;t take it &#038; tell others</title><link>https://example.org/p/</link>"
        "<pubDate>Mon, 03 Mar 2025 11:26:30 BST</pubDate><guid isPermaLink='false'>https://example.org/?p=12</guid>"
        "<description><![CDATA[]]></description><content:encoded><![CDATA[<p>The <b>whole</b> text.</p><p>More.</p>]]>"
        "</content:encoded></item></channel></rss>"
    )
    assert staged.records.select("entry_id", "title", "summary", "published_at").rows() == [
        ("https://example.org/?p=12", "Don’t take it & tell others", "The whole text. More.",
         datetime(2025, 3, 3, 10, 26, 30, tzinfo=UTC))
    ]  # fmt: skip


def test_an_item_without_a_title_is_known_by_its_first_words(take: Take) -> None:
    item = "<item><guid>n1</guid><description>Metonitazene was found. {}</description></item>".format("word " * 60)
    (title,) = titles(take(RSS.format(item)))
    assert title.startswith("Metonitazene was found.") and title.endswith("…") and len(title) <= 120


def test_validators_are_sent_and_a_304_keeps_them(httpserver: HTTPServer, feed: FeedDefinition) -> None:
    def answer(request: Request) -> Response:
        return Response(status=304 if request.headers.get("If-None-Match") == '"1"' else 200, response=GOOD)

    httpserver.expect_request("/feed").respond_with_handler(answer)
    definition = feed.model_copy(update={"url": httpserver.url_for("/feed")})
    came = fetch(definition, validators={"etag": '"1"'}, allow_loopback=True, now=NOW)
    assert (came.status, came.body, came.validators) == ("not modified", b"", {"etag": '"1"'})
