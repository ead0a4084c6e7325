"""Takes tokens, passwords and addresses out of anything that is logged or stored.

In: text and the secrets that may be in it. Out: the text with masks. It must never see a log line go by unmasked while
a message is being sent: the filter sits on the loggers themselves, before any handler.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

MASK = "***"
LOGGERS = (
    "apprise",
    "urllib3.connectionpool",
    "requests",
    "requests_oauthlib",
    "slack_sdk.web.base_client",
    "notifications_python_client.base",
)
USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")
HTTP_PATH = re.compile(r"(https?://[^/\s'\"?]+)[/?][^\s'\",]*")
MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*|[\w.+-]+%40[\w.-]+")


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the secrets (plain, quoted, or split at slashes), user names in addresses, paths and e-mails."""
    for secret in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = USER_INFO.sub(f"{MASK}@", text)
    text = HTTP_PATH.sub(rf"\1/{MASK}", text)
    return MAIL.sub(MASK, text)


def _forms(secrets: Iterable[str]) -> set[str]:
    whole = {s for s in secrets if s}
    parts = {part for s in whole for part in re.split(r"[/:\s,;]+", s) if len(part) >= 6}
    return whole | parts | {quote(s, safe="") for s in whole} | {quote(s) for s in whole}


class _Masking(logging.Filter):
    """One filter for all attempts under way; an attempt adds its secrets and takes them away again."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.attempts: list[frozenset[str]] = []
        self.secrets: frozenset[str] = frozenset()

    def begin(self, secrets: frozenset[str]) -> None:
        with self.lock:
            self.attempts.append(secrets)
            self.secrets = self.secrets | secrets

    def end(self, secrets: frozenset[str]) -> None:
        with self.lock:
            self.attempts.remove(secrets)
            self.secrets = frozenset().union(*self.attempts)

    def filter(self, record: logging.LogRecord) -> bool:
        if self.attempts:
            record.msg, record.args = mask(record.getMessage(), self.secrets), ()
            record.exc_info = record.exc_text = None
        return True


MASKING = _Masking()


@contextmanager
def masked_logs(secrets: Iterable[str]) -> Iterator[None]:
    """While this holds, nothing that the sending libraries log carries one of the secrets, at any level, in any thread.

    The filter is set once and stays: one that came and went could be missed by a thread that logs just then.
    """
    held = frozenset(secrets)
    MASKING.begin(held)
    for name in LOGGERS:
        logging.getLogger(name).addFilter(MASKING)
    try:
        yield
    finally:
        MASKING.end(held)
