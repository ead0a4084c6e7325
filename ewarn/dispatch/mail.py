"""An Apprise mail object that sends the stored text and the stored HTML as they are.

In: an Apprise mail address and the two parts. Out: one multipart message to one address. Apprise's own mail object
makes the text part itself out of the HTML (spacing, links and the approved wording are lost) and adds a second
Message-ID to a given one; here both parts are the approved bytes. It must never send to a second address.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from functools import cache
from typing import Any, cast

from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

from ewarn.dispatch.answered import Answered
from ewarn.dispatch.envelope import Envelope
from ewarn.terms import Delivery

SCHEMAS = ("mailto", "mailtos")
NEVER_RETRIED = (501, 550, 551, 553)
SERVER_WIDE = (421, 530, 534, 535, 538)  # a wrong password, no encryption, a server that closes: not this recipient's


class TwoPartMail(Answered, NotifyEmail):  # type: ignore[no-untyped-call]
    """One e-mail of stored parts."""

    def __init__(self, parts: Mapping[str, str], delivery: Delivery, around: Envelope, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        if len(self.targets) != 1 or self.cc or self.bcc:
            raise ValueError("an e-mail channel must lead to exactly one address")
        self.parts, self.delivery, self.around = parts, delivery, around

    @classmethod
    def of(cls, url: str, parts: Mapping[str, str], delivery: Delivery, around: Envelope | None = None) -> TwoPartMail:
        """Raises: ValueError, TypeError where the address is not a usable mail address."""
        results = NotifyEmail.parse_url(url)  # type: ignore[no-untyped-call]
        if not results:
            raise ValueError("not a mail address")
        return cls(parts, delivery, around or Envelope(key=delivery.id if delivery else ""), **results)

    @property
    def text(self) -> str:
        return self.parts["text"]

    def send(self, body: str, title: str = "", *_: Any, **__: Any) -> bool:
        """Called by Apprise, once. Temporary answers and lost connections can be retried; a refused address cannot."""
        try:
            message = self._message(self.parts.get("subject", title))
            with self._session() as server:
                server.ehlo_or_helo_if_needed()
                self._handed_over(server)
                server.send_message(message)
            return True
        except smtplib.SMTPResponseException as error:
            self.unknown &= not 400 <= error.smtp_code < 600
            self.blocked = error.smtp_code in SERVER_WIDE
            self._failed(f"SMTP {error.smtp_code}: {_words(error.smtp_error)}", error.smtp_code not in NEVER_RETRIED)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            self.unknown, self.blocked = False, code in SERVER_WIDE
            self._failed(f"SMTP {code}: {_words(words)}", code not in NEVER_RETRIED)
        except ssl.SSLCertVerificationError as error:
            self.blocked = True
            self._failed(f"the mail server's certificate is not trusted: {error}", True)
        except (OSError, smtplib.SMTPException) as error:
            self._failed(f"the mail server did not answer: {type(error).__name__}: {error}", True)
        except UnicodeError:
            self._failed("a user name, password or address holds characters that a mail server cannot take", False)
        return False

    def _handed_over(self, server: smtplib.SMTP) -> None:
        """From the DATA command on, a connection that breaks leaves it open whether the message arrived."""
        data = server.data

        def noted(*args: Any) -> tuple[int, bytes]:
            self.unknown = True
            return data(*args)

        server.data = noted  # type: ignore[assignment]

    def _failed(self, fault: str, retry: bool) -> None:
        self.fault, self.may_retry = fault, retry
        self.logger.warning(fault)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        context = _context(bool(self.verify_certificate))
        host, port, wait = str(self.smtp_host), int(self.port or 0), float(self.socket_connect_timeout)
        if self.secure_mode == SecureMailMode.SSL:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=wait, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=wait)
        try:
            if self.secure_mode == SecureMailMode.STARTTLS:
                server.starttls(context=context)
            if self.user and self.password:
                server.login(self.user, self.password)
            yield server
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _message(self, subject: str) -> EmailMessage:
        name, sender = self.from_addr[0], str(self.from_addr[1])
        message = EmailMessage(policy=SMTP)
        message["Subject"] = self.around.subject(subject)
        message["From"] = formataddr((" ".join(str(name or "").split()), sender))
        message["To"] = self.targets[0][1]
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = self.around.message_id
        thread, first = self.parts.get("references", ""), self.around.in_reply_to
        if thread or first:
            message["References"] = f"{thread} {first}".strip()
        if first:
            message["In-Reply-To"] = first
        if self.delivery.alert:
            message["List-Id"] = f"Local drug alerts <alerts.{sender.rpartition('@')[2] or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Ewarn-Delivery"] = self.delivery.id
        message["X-Ewarn-Standing"] = self.delivery.standing.value
        for key, value in {**self.around.headers(), **self.headers}.items():
            message[key] = value
        message.set_content(self.text)
        if self.parts.get("html"):
            message.add_alternative(self.parts["html"], subtype="html")
            self._show(message)
        for sheet in self.around.attached:
            message.add_attachment(sheet.body, maintype="application", subtype="pdf", filename=sheet.name)
        return message

    def _show(self, message: EmailMessage) -> None:
        """The pictures that the HTML shows go with it (multipart/related), so that nothing is fetched from anywhere."""
        page = cast(EmailMessage, message.get_body(("html",)))
        for picture in self.around.inline:
            page.add_related(
                picture.body, maintype="image", subtype="jpeg", cid=f"<{picture.cid}>", filename=picture.name,
                disposition="inline",
            )  # fmt: skip


@cache
def _context(verify: bool) -> ssl.SSLContext:
    """Made once: reading the machine's certificates takes longer than sending a message."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _words(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
