"""A mailbox at a server (IMAP), read for what came back: every message once, each left where it is.

In: the mailbox's address, its password, seconds to wait. Out: messages that were not read by us before; what was read
is marked with a keyword of our own, or as seen where the server takes none. It must never delete or move a message,
speak unencrypted to another machine, nor let an address or a password into a fault.
Source: RFC 3501 (IMAP4rev1): BODY.PEEK, keywords, PERMANENTFLAGS.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ewarn.dispatch.redact import mask
from ewarn.errors import UnusableInput, UsageFault

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PORTS = {"imaps": 993, "imap": 143}
KEYWORD = "$EwarnRead"
MOST = 500  # of one run; the next one takes the rest
CHECK = "Check bounces_mailbox, bounces_secret and the server."
TRUST = (
    "Name the server as its certificate does. If the certificate is your own, let this machine trust who signed it "
    "(Debian: /usr/local/share/ca-certificates and update-ca-certificates). Nothing was read, and no password was sent."
)
SHAPE = 'Write bounces_mailbox = "imaps://user@host/INBOX"; the password is named by bounces_secret.'


class Place(NamedTuple):
    """Where a mailbox is."""

    scheme: str
    user: str
    host: str
    port: int
    folder: str


def place(address: str) -> Place:
    """imaps://user@host:993/INBOX, or imap:// with STARTTLS; a user's own @ is written %40. Raises: UsageFault."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or not parts.username or parts.password:
        raise UsageFault("this is no mailbox's address", where="bounces_mailbox", next_step=SHAPE)
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if re.search(r'["\\\r\n\x00]', folder):
        raise UsageFault("a folder's name holds a strange character", where="bounces_mailbox", next_step=SHAPE)
    return Place(parts.scheme, unquote(parts.username), parts.hostname, port or PORTS[parts.scheme], folder)


@dataclass
class Opened:
    """One session with a chosen folder."""

    server: imaplib.IMAP4
    mark: str
    largest: int

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """(uid, bytes) of what we have not read, oldest first; a message too large to be a report comes cut short."""
        wanted = ("UNKEYWORD", self.mark) if self.mark == KEYWORD else ("UNSEEN",)
        _, found = self.server.uid("SEARCH", *wanted)
        for uid in (found[0] or b"").decode().split()[:MOST]:
            _, rows = self.server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{self.largest + 1}>)")
            body = next((row[1] for row in rows or () if isinstance(row, tuple)), None)
            if body is not None:
                yield uid, bytes(body)

    def done(self, uid: str) -> None:
        """Mark a message as read by us."""
        self.server.uid("STORE", uid, "+FLAGS.SILENT", f"({self.mark})")


@contextmanager
def opened(address: str, password: str, largest: int, seconds: float = 20.0) -> Iterator[Opened]:
    """Raises: UsageFault for the address; UnusableInput where the server cannot be used, in words that name nobody."""
    where = place(address)
    server: imaplib.IMAP4 | None = None
    try:
        server = _connected(where, seconds)
        server.login(where.user, password)
        state, said = server.select(f'"{where.folder}"')
        if state != "OK":
            raise imaplib.IMAP4.error(f"the folder cannot be opened: {_text(said)}")
        flags = b" ".join(row for row in server.response("PERMANENTFLAGS")[1] if isinstance(row, bytes))
        yield Opened(server, KEYWORD if b"\\*" in flags or KEYWORD.encode() in flags else "\\Seen", largest)
    except ssl.SSLCertVerificationError as error:
        raise _fault("the mailbox's certificate is not trusted", error.verify_message, TRUST) from error
    except (imaplib.IMAP4.error, OSError) as error:
        raise _fault(f"the mailbox cannot be read ({type(error).__name__})", _text(error.args)) from error
    finally:
        if server is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()


def _connected(where: Place, seconds: float) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if where.scheme == "imaps":
        return imaplib.IMAP4_SSL(where.host, where.port, ssl_context=context, timeout=seconds)
    server = imaplib.IMAP4(where.host, where.port, timeout=seconds)
    if where.host not in LOOPBACK:
        try:
            if "STARTTLS" not in server.capabilities:
                raise imaplib.IMAP4.error("it offers no encryption (STARTTLS), and nothing was said to it")
            server.starttls(context)
        except BaseException:
            with suppress(OSError):
                server.shutdown()
            raise
    return server


def _fault(what: str, words: str, next_step: str = CHECK) -> UnusableInput:
    return UnusableInput(f"{what}: {mask(words)[:200]}", next_step=next_step)


def _text(said: object) -> str:
    rows = said if isinstance(said, (list, tuple)) else [said]
    return " ".join(row.decode(errors="replace") if isinstance(row, bytes) else str(row) for row in rows if row)
