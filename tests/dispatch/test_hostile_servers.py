"""Servers that hang, drip, vanish or point elsewhere, for real, on loopback: what each outcome is taken for."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from apprise.plugins.slack import NotifySlack
from werkzeug import Request, Response

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.dispatch import redact, send
from ewarn.terms import Payload

PAYLOAD = Payload(audience="internal", format="text", subject="s", body=b"hello")
TOKEN = "T0KENT0KEN"
MAIL = "mailto://127.0.0.1:{port}?mode=insecure&from={{from}}&to={{address}}"
Script = Callable[[socket.socket], None]


@pytest.fixture
def deliver(make_delivery: Any, make_recipient: Any) -> Callable[..., send.Outcome]:
    def run(url: str, seconds: float = 0.6, **delivery: Any) -> send.Outcome:
        channel = ChannelDefinition(id="m", title="m", url=url, format="text", live=True, timeout_seconds=seconds)
        secrets = {"token": TOKEN}
        to = make_recipient("anna")
        return send.deliver(make_delivery(**delivery), PAYLOAD, channel, to, secrets.__getitem__, "a@b.test")

    return run


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], int]]:
    """A server that does with each connection what it is told; returns its port."""
    over, servers = threading.Event(), []

    def start(script: Script) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while not over.is_set():
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(peer,), daemon=True).start()

        def talk(peer: socket.socket) -> None:
            with peer:
                try:
                    script(peer)
                except OSError:
                    return
                if not getattr(script, "closes", False):
                    over.wait(10)

        threading.Thread(target=serve, daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    over.set()
    for server in servers:
        server.close()


def smtp(until: str, *, closes: bool, taken: list[bytes] | None = None) -> Script:
    """A mail server that behaves until a command, and then hangs, or closes."""

    def script(peer: socket.socket) -> None:
        peer.sendall(b"220 half" if until == "banner" else b"220 here\r\n")
        lines = peer.makefile("rb")
        while until != "banner":
            said = lines.readline()
            word = said.strip().upper()[:4].decode()
            if not said or word == until:
                return
            if word == "DATA":
                peer.sendall(b"354 go\r\n")
                for line in lines:
                    if taken is not None:
                        taken.append(line)
                    if line == b".\r\n":
                        break
                if until == "reply":
                    return
            peer.sendall(b"250 ok\r\n")

    script.closes = closes  # type: ignore[attr-defined]
    return script


@pytest.mark.parametrize(
    ("until", "closes", "unknown"),
    [
        ("banner", False, False), ("banner", True, False), ("MAIL", False, False), ("RCPT", True, False),
        ("DATA", False, True), ("reply", False, True), ("reply", True, True),
    ],
)  # fmt: skip
def test_only_a_break_from_data_on_leaves_it_open_whether_a_mail_arrived(
    deliver: Any, scripted: Any, until: str, closes: bool, unknown: bool
) -> None:
    outcome = deliver(MAIL.format(port=scripted(smtp(until, closes=closes))))
    assert (outcome.ok, outcome.retry, outcome.silent, outcome.unknown) == (False, True, True, unknown), outcome


def test_a_mail_server_that_drips_its_banner_is_left_behind_in_the_channels_time(deliver: Any, scripted: Any) -> None:
    def drip(peer: socket.socket) -> None:
        for letter in b"220 " + b"x" * 200:
            peer.sendall(bytes([letter]))
            time.sleep(0.1)

    began = time.monotonic()
    outcome = deliver(MAIL.format(port=scripted(drip)), seconds=0.3)
    assert outcome.retry and outcome.silent and outcome.unknown and time.monotonic() - began < 5


def test_a_webhook_that_drips_its_answer_may_have_the_message(deliver: Any, scripted: Any) -> None:
    def drip(peer: socket.socket) -> None:
        peer.recv(65536)
        for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
            peer.sendall(bytes([letter]))
            time.sleep(0.1)

    outcome = deliver(f"json://127.0.0.1:{scripted(drip)}/in", seconds=0.3)
    assert outcome.retry and outcome.silent and outcome.unknown


class OneRefused:
    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


def test_one_refused_address_ends_its_own_delivery_and_no_other(
    make_delivery: Any, make_recipient: Any, scripted: Any
) -> None:
    box = OneRefused()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        url = MAIL.format(port=port)
        channel = ChannelDefinition(id="m", title="m", url=url, format="text", live=True, timeout_seconds=3)
        said = {
            name: send.deliver(make_delivery(id=name), PAYLOAD, channel, make_recipient(name), str, "a@b.test")
            for name in ("anna", "gone", "ben")
        }
    finally:
        server.stop()
    assert [said[name].ok for name in said] == [True, False, True] and len(box.taken) == 2
    assert not said["gone"].retry and not said["gone"].blocked and "SMTP 550" in said["gone"].error


def test_tls_from_the_start_is_spoken_and_an_unknown_certificate_stops_the_whole_server(
    deliver: Any, tmp_path: Any, openssl: str
) -> None:
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([openssl, *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    box = OneRefused()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port, ssl_context=context)
    server.start()
    try:
        url = f"mailtos://127.0.0.1:{port}?mode=ssl&from={{from}}&to={{address}}"
        refused = deliver(url, seconds=5)
        assert (refused.retry, refused.blocked, refused.unknown) == (True, True, False)
        assert "certificate is not trusted" in refused.error and box.taken == []
        assert deliver(url + "&verify=no", seconds=5).ok and box.taken == ["anna@partner.test"]
    finally:
        server.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["json", "http", "slack"])
def test_no_redirect_is_followed_and_no_other_host_sees_anything(
    deliver: Any, httpserver: Any, scripted: Any, monkeypatch: Any, caplog: Any, status: int, scheme: str
) -> None:
    seen: list[bytes] = []

    def elsewhere(peer: socket.socket) -> None:
        seen.append(peer.recv(65536))
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    there = f"http://127.0.0.1:{scripted(elsewhere)}/stolen"
    path = "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ" if scheme == "slack" else f"/in/{TOKEN}"
    httpserver.expect_request(path).respond_with_data("moved", status=status, headers={"Location": there})
    caplog.set_level(logging.DEBUG)
    for name in redact.LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    if scheme == "slack":
        monkeypatch.setattr(NotifySlack, "webhook_url", httpserver.url_for("/services"))
        outcome = deliver("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?image=no&footer=no", seconds=3)
    else:
        outcome = deliver(f"{scheme}://{httpserver.host}:{httpserver.port}/in/{{secret:token}}", seconds=3)
    assert not outcome.ok and not outcome.unknown and "needs correcting" in outcome.error
    assert seen == [], "the message and its secrets went to another host"
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name in redact.LOGGERS)
    assert TOKEN not in ours + outcome.error and "TIiajkdn" not in outcome.error


@pytest.mark.parametrize(("said", "seconds"), [("90", 90.0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0), ("soon", 0.0)])
def test_the_wait_that_a_server_asks_for_is_heard(deliver: Any, httpserver: Any, said: str, seconds: float) -> None:
    def busy(request: Request) -> Response:
        return Response("busy", status=429, headers={"Retry-After": said})

    httpserver.expect_request("/in").respond_with_handler(busy)
    outcome = deliver(f"json://{httpserver.host}:{httpserver.port}/in", seconds=3)
    assert (outcome.retry, outcome.blocked, outcome.wait_seconds) == (True, True, seconds) and not outcome.unknown


def test_a_refused_connection_is_never_taken_for_a_message_that_may_have_arrived(deliver: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for url in (f"json://127.0.0.1:{port}/in", MAIL.format(port=port)):
            outcome = deliver(url)
            assert (outcome.retry, outcome.silent, outcome.unknown) == (True, True, False)
