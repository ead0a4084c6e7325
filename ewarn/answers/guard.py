"""What stands around every answer of the service: headers that let a page do nothing but be read and be posted back.

In: requests and responses. Out: the same with headers; a declared body that is too large is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ewarn.answers.forms import LARGEST_BODY
from ewarn.answers.reports import LARGEST_REPORT

POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
    "strict-transport-security": "max-age=31536000",
}
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Guard:
    """Wraps an application."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.inner(scope, receive, send)  # type: ignore[no-any-return]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {bytes(name).lower() for name, _ in message["headers"]}
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in given]
                if b"cache-control" not in given:
                    own.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *own]
            await send(message)

        if _declared(scope) > _largest(scope):
            await guarded({"type": "http.response.start", "status": 413, "headers": [(b"connection", b"close")]})
            return await guarded({"type": "http.response.body", "body": b"That is too long."})
        await self.inner(scope, receive, guarded)


def _largest(scope: Any) -> int:
    """A report may carry a photograph; nothing else is more than a few kilobytes."""
    return LARGEST_REPORT if (scope["method"], scope["path"]) == ("POST", "/report") else LARGEST_BODY


def _declared(scope: Any) -> int:
    lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0
