"""The service itself: which request gets which page. GET changes nothing; only a button pressed writes an answer.

In: the folder with the published list and the spool, keys, a clock. Out: a Starlette application. A token is its own
proof: whoever has it answers for that delivery, and nobody else can make a request that counts.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ewarn.answers import forms, reports
from ewarn.answers.guard import Guard
from ewarn.answers.limits import Limit, network
from ewarn.answers.pages import HERE, Pages
from ewarn.personal import shown, spool, tokens
from ewarn.personal import told as telling
from ewarn.terms import LONDON

NOT_KEPT = "Your report could not be kept. Go back, and send it again in a few minutes, or ring whoever you work with."
PUBLISHED_MISSING = "The list of alerts is not there yet. Please try again in a few minutes."


class Service:
    """One running service. `now` is the clock; tests give their own."""

    def __init__(
        self, folder: Path, keys: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.folder, self.keys, self.now = folder, tuple(keys), now
        self.pages = Pages(self)
        self._list: tuple[int, shown.Shown] | None = None
        self.looks, self.posts = Limit(120, 60), Limit(20, 3600)
        self.by_network, self.codes, self.all_codes = Limit(240, 60), Limit(10, 600), Limit(300, 60)
        self.reports, self.all_reports, self.coming = Limit(30, 3600), Limit(300, 3600), 0

    def listed(self) -> shown.Shown:
        """The published list, read again where it was replaced. Raises: HTTPException 503."""
        path = self.folder / shown.FILE
        try:
            stamp = path.stat().st_mtime_ns
            if self._list is None or self._list[0] != stamp:
                self._list = (stamp, shown.read(path))
        except (OSError, ValueError, KeyError, ValidationError):
            if self._list is None:
                raise HTTPException(503, PUBLISHED_MISSING) from None
        return self._list[1]

    def today(self) -> date:
        return self.now().astimezone(LONDON).date()

    def limited(self, limit: Limit, name: str) -> None:
        """Raises: HTTPException 429 where there were too many tries."""
        if not limit.allows(name, time.monotonic()):
            raise HTTPException(429, headers={"Retry-After": str(int(limit.seconds))})

    def behind(self, token: str) -> tuple[str, shown.ShownDelivery, shown.ShownAlert]:
        """What a token is about. Raises: HTTPException 404, the same for every token that does not count."""
        opened = tokens.opened(self.keys, token)
        delivery = self.listed().delivery(opened.delivery) if opened else None
        alert = self.listed().alerts.get(delivery.alert) if delivery else None
        if opened is None or delivery is None or alert is None or self.today() > opened.until:
            raise HTTPException(404)
        return opened.delivery, delivery, alert

    async def look(self, request: Request) -> Response:
        """GET /r/TOKEN: what was sent, how it stands, and the form. It records nothing."""
        token = request.path_params["token"]
        self.limited(self.looks, token)
        _, delivery, alert = self.behind(token)
        return self.pages.answer(request, delivery, alert)

    async def answer(self, request: Request) -> Response:
        """POST /r/TOKEN: the answer is on the disk before anybody is thanked; the same one twice is one."""
        token = request.path_params["token"]
        self.limited(self.posts, token)
        name, delivery, alert = self.behind(token)
        said = await forms.fields(request)
        given = {key: forms.line(said.get(key, "")) for key in ("name", "organisation")}
        given["text"] = forms.prose(said.get("text", ""))
        act = said.get("act", "")
        faults = _faults(act, given, delivery.shared)
        if faults:
            return self.pages.answer(request, delivery, alert, given, faults, "forwarded" in said)
        told = spool.Answer(delivery=name, act=act, at=self.now(), forwarded="forwarded" in said, **given)
        folder = self.folder / "spool"
        if spool.count(folder) >= spool.MOST_FILES:
            raise HTTPException(503, "Your answer could not be kept. Please reply to the message instead.")
        spool.put(folder, told, self.keys)
        return self.pages.thanks(request, delivery, alert, told)

    async def ask_code(self, request: Request) -> Response:
        return self.pages.code(request)

    async def code(self, request: Request) -> Response:
        """POST /a: a code leads to its page, at the same slow pace for everybody."""
        self.limited(self.codes, _from(request))
        self.limited(self.all_codes, "all")
        typed = tokens.code_as_typed((await forms.fields(request)).get("code", ""))
        marks = [tokens.code_mark(key, typed) for key in self.keys] if typed else []
        name = self.listed().by_code(marks)
        delivery = self.listed().delivery(name) if name else None
        if delivery is None or self.today() > delivery.until:
            return self.pages.code(request, fault=True)
        return RedirectResponse(f"r/{tokens.token(self.keys, name, delivery.until)}", 303)

    async def ask_report(self, request: Request) -> Response:
        """GET /report: the form, with a ticket of its own. It records nothing."""
        return self.pages.report(request, telling.ticket(self.keys, self.now()))

    async def report(self, request: Request) -> Response:
        """POST /report: sealed and on the disk before the reference is given; the same form twice is one report."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403)
        self.limited(self.reports, _from(request))
        self.limited(self.all_reports, "all")
        if self.coming >= reports.AT_ONCE:
            raise HTTPException(503, NOT_KEPT, headers={"Retry-After": "60"})
        self.coming += 1
        try:
            said = await reports.posted(request)
        finally:
            self.coming -= 1
        return await run_in_threadpool(self._kept, request, said)

    def _kept(self, request: Request, said: reports.Posted) -> Response:
        now, folder = self.now(), self.folder / telling.FOLDER
        faults, ticket = reports.faults(said, self.today()), said.words["ticket"]
        waiting, held = telling.room(folder)
        if said.photo and held + len(said.photo) > telling.MOST_BYTES:
            faults["photo"] = "No photo can be taken at the moment. Send the report without it, and say you have one."
        if not telling.ticket_counts(self.keys, ticket, now):
            ticket = telling.ticket(self.keys, now)
            faults["send"] = "This form was open for more than a day. Look at it again, and send it once more."
        if faults:
            return self.pages.report(request, ticket, said.words, faults, bool(said.photo))
        if waiting >= telling.MOST_FILES:
            raise HTTPException(503, NOT_KEPT)
        words = reports.told(said.words)
        ref = telling.reference(self.keys, ticket, words, said.photo)
        try:
            telling.put(folder, telling.Sent(ref=ref, at=now, told=words, photo=said.photo), self.keys)
        except OSError:
            raise HTTPException(503, NOT_KEPT) from None
        return self.pages.reported(request, ref, bool(words.contact), bool(said.photo))

    async def verify(self, request: Request) -> Response:
        """GET /v/REFERENCE: genuine or not, whose, of which day, in force or not; nothing of what it says."""
        reference = request.path_params["reference"]
        return self.pages.verify(request, reference, self.listed().of_reference(reference))

    async def ask_reference(self, request: Request) -> Response:
        """GET /v?reference=...: the same for a reference typed in."""
        said = forms.line(request.query_params.get("reference", ""))[:60].upper()
        return self.pages.verify(request, said, self.listed().of_reference(said))

    async def health(self, request: Request) -> Response:
        self.listed()
        return PlainTextResponse("ok")

    async def style(self, request: Request) -> Response:
        return FileResponse(HERE / "answers.css", media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def bounded(self, request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        """Every request of a network counts, whatever it asks for."""
        self.limited(self.by_network, _from(request))
        return await call(request)

    async def fault(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = error.detail if isinstance(error, HTTPException) and status == 503 else ""
        response = self.pages.fault(request, status, said)
        response.headers.update(dict(getattr(error, "headers", None) or {}))
        return response


def _faults(act: str, given: dict[str, str], shared: bool) -> dict[str, str]:
    """What keeps an answer from being taken, by field."""
    found = {}
    if act not in spool.ACTS:
        found["act"] = "Press one of the two buttons."
    for key, words in (("name", "your name"), ("organisation", "your organisation")):
        if shared and not given[key]:
            found[key] = f"Enter {words}: several people read this mailbox."
        if len(given[key]) > spool.LONGEST_NAME:
            found[key] = f"Keep {words} within {spool.LONGEST_NAME} characters."
    if len(given["text"]) > spool.LONGEST_TEXT:
        found["text"] = f"Keep it within {spool.LONGEST_TEXT} characters."
    if act == "acted" and not given["text"]:
        found["text"] = "Say in a few words what was done."
    return found


def _from(request: Request) -> str:
    return network(request.client.host if request.client else "")


class PublicFiles(StaticFiles):
    """Feeds, signed messages and public keys as they lie, to be read; nothing hidden but `.well-known`."""

    def lookup_path(self, path: str) -> Any:
        hidden = [part for part in Path(path).parts if part.startswith(".") and part != ".well-known"]
        return ("", None) if hidden else super().lookup_path(path)


def application(service: Service, public: Path) -> Any:
    """The routes, with nothing behind them but the service and one folder of published files."""

    def bounded(act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            return await service.bounded(request, act)

        return run

    routes = [
        Route("/r/{token}", bounded(service.look), methods=["GET"]),
        Route("/r/{token}", bounded(service.answer), methods=["POST"]),
        Route("/a", bounded(service.ask_code), methods=["GET"]),
        Route("/a", bounded(service.code), methods=["POST"]),
        Route("/report", bounded(service.ask_report), methods=["GET"]),
        Route("/report", bounded(service.report), methods=["POST"]),
        Route("/v", bounded(service.ask_reference), methods=["GET"]),
        Route("/v/{reference}", bounded(service.verify), methods=["GET"]),
        Route("/health", service.health, methods=["GET"]),
        Route("/answers.css", service.style, methods=["GET"]),
        Mount("/", PublicFiles(directory=public, check_dir=False)),
    ]
    handlers: Any = {HTTPException: service.fault, Exception: service.fault}
    return Guard(Starlette(routes=routes, exception_handlers=handlers))
