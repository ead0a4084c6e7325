"""What a web server's answer says besides its status: how long to wait, and whether the message had left at all.

In: requests made while `heard` holds, in the same thread. Out: what was heard. Apprise answers yes or no and keeps the
rest to itself; this stands where requests hands a message to the network. It must never follow a redirect: with the
message would go its secrets, and a 302 makes an empty GET of it whose 200 proves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import apprise
import requests
import requests.sessions
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, NewConnectionError
from urllib3.util import Retry

ASSET = apprise.AppriseAsset(http_redirects=False)


@dataclass
class Heard:
    """`asked`: a request was made; `left`: it may have reached the server; `wait_seconds` the server asked for."""

    asked: bool = False
    left: bool = False
    status: int = 0
    wait_seconds: float = 0.0


class _Here(threading.local):
    notes: Heard | None = None


_HERE = _Here()


class ListeningAdapter(HTTPAdapter):
    """The usual way to the network; what was heard is noted for whoever listens in this thread."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        notes = _HERE.notes
        if notes is None:
            return super().send(request, *args, **kwargs)
        notes.asked = True
        try:
            answer = super().send(request, *args, **kwargs)
        except requests.RequestException as error:
            notes.left = notes.left or not _never_left(error)
            raise
        notes.left, notes.status = True, answer.status_code
        notes.wait_seconds = max(notes.wait_seconds, _seconds(answer.headers.get("Retry-After", "")))
        return answer


requests.sessions.HTTPAdapter = ListeningAdapter  # type: ignore[attr-defined]


@contextmanager
def heard() -> Iterator[Heard]:
    """What is heard of the requests of this thread while this holds."""
    before, _HERE.notes = _HERE.notes, Heard()
    try:
        yield _HERE.notes
    finally:
        _HERE.notes = before


def _never_left(error: requests.RequestException) -> bool:
    """Whether no connection was made, or its certificate was refused: then nothing of the message was sent."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    causes = [error, *error.args, *(getattr(cause, "reason", None) for cause in error.args)]
    return any(isinstance(cause, NewConnectionError) for cause in causes)


def _seconds(retry_after: str) -> float:
    """A Retry-After header as seconds from now; 0 where there is none that can be read."""
    with suppress(InvalidHeader, ValueError, OverflowError):
        return max(0.0, Retry().parse_retry_after(retry_after)) if retry_after else 0.0
    return 0.0
