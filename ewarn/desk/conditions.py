"""What holds for every answer and every request: strict conditions for the browser, and a bound on what may come in.

In: any request. Out: the same with headers that allow nothing from elsewhere and no script in the page; a body beyond
the bound is refused before it is read.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 6 * 1024 * 1024
# Scripts are files of ours or none at all; nothing inline, no eval, nothing from elsewhere; forms go to us alone.
CONDITIONS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class TooLarge(Exception):
    """More came than may come."""


class Conditions:
    """ASGI middleware: headers on every answer, a bound on every body."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self.app, self.largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        came, begun = 0, False

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.largest:
                raise TooLarge
            return message

        async def conditioned(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(CONDITIONS)
                if not scope["path"].startswith("/assets/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        said = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            if not said.isdigit() or int(said) > self.largest:
                raise TooLarge
            await self.app(scope, bounded, conditioned)
        except TooLarge:
            if not begun:
                words = f"That is more than {self.largest // 1024 // 1024} MB: send less at a time.\n"
                await PlainTextResponse(words, 413)(scope, receive, conditioned)
