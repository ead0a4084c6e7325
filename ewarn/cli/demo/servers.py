"""Real servers on 127.0.0.1: one SMTP server, one HTTP server with an Atom feed and webhooks.

What arrives is kept as files under the demo's home: mail/*.eml, webhook/*-partners.json and webhook/*-duty.json.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
BODY_LIMIT = 1_000_000


@dataclass
class Servers:
    """What runs: its ports, the feed it serves, the folders it fills."""

    mail: Path
    webhook: Path
    smtp_port: int = 0
    http_port: int = 0
    feed: bytes = b""
    feed_requests: list[int] = field(default_factory=list)

    @property
    def feed_url(self) -> str:
        return f"http://{LOOPBACK}:{self.http_port}/notices.atom"

    def keep(self, folder: Path, name: str, body: bytes) -> Path:
        """Write one arrival under the next number."""
        with _NUMBERING:
            path = folder / f"{len(list(folder.iterdir())) + 1:03d}{name}"
            path.write_bytes(body)
        return path


_NUMBERING = threading.Lock()


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """Both servers on free ports until the block ends."""
    servers = Servers(folder / "mail", folder / "webhook")
    for made in (servers.mail, servers.webhook):
        made.mkdir(parents=True, exist_ok=True)
    http = ThreadingHTTPServer((LOOPBACK, 0), _receiver(servers))
    http.daemon_threads = True
    servers.http_port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    smtp = _smtp(servers)
    thread.start()
    smtp.start()
    try:
        yield servers
    finally:
        smtp.stop()
        http.shutdown()
        http.server_close()


def _smtp(servers: Servers) -> Any:
    from aiosmtpd.controller import Controller

    bound = socket.create_server((LOOPBACK, 0))
    servers.smtp_port = bound.getsockname()[1]

    class Mailbox:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            head = f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
            servers.keep(servers.mail, ".eml", head + bytes(envelope.content))
            return "250 kept"

    class OnThatSocket(Controller):
        def _create_server(self) -> Any:
            return self.loop.create_server(self._factory_invoker, sock=bound)

    return OnThatSocket(Mailbox(), hostname=LOOPBACK, port=servers.smtp_port)


def _receiver(servers: Servers) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/notices.atom":
                self.send_error(404)
                return
            tag = '"' + hashlib.sha256(servers.feed).hexdigest()[:16] + '"'
            status = 304 if self.headers.get("If-None-Match") == tag else 200
            servers.feed_requests.append(status)
            self._reply(status, servers.feed if status == 200 else b"", "application/atom+xml; charset=utf-8", tag)

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if not 0 < size <= BODY_LIMIT:
                self.send_error(413)
                return
            path = "partners" if self.path.startswith("/partners") else "duty"
            servers.keep(servers.webhook, f"-{path}.json", _pretty(self.rfile.read(size)))
            self._reply(200, b"ok", "text/plain; charset=utf-8")

        def _reply(self, status: int, body: bytes, kind: str, tag: str = "") -> None:
            self.send_response(status)
            if tag:
                self.send_header("ETag", tag)
            if status != 304:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: stdout and stderr belong to the command."""

    return Receiver


def _pretty(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode()
    except ValueError:
        return body
