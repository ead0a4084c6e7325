"""Takes tokens, passwords and addresses out of anything that is logged or stored.

In: text and the secrets that may be in it. Out: the text with masks. It must never see a log line go by unmasked while
a message is being sent: the filter sits on the loggers themselves, before any handler.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

MASK = "***"
LOGGERS = ("apprise", "urllib3.connectionpool", "requests", "requests_oauthlib")
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
    parts = {part for s in whole for part in re.split(r"[/:]", s) if len(part) >= 6}
    return whole | parts | {quote(s, safe="") for s in whole} | {quote(s) for s in whole}


class _Masking(logging.Filter):
    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self.secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask(record.getMessage(), self.secrets), ()
        record.exc_info = record.exc_text = None
        return True


@contextmanager
def masked_logs(secrets: Iterable[str]) -> Iterator[None]:
    """While this holds, nothing that the sending libraries log carries one of the secrets, at any level."""
    masking = _Masking(frozenset(secrets))
    for name in LOGGERS:
        logging.getLogger(name).addFilter(masking)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(masking)
