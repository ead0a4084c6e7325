"""One request at the desk: who asks, what they sent, and the few ways to answer.

In: a request that the access table let through. Out: pages, redirects. A form is read once, its token and origin are
checked before anything looks at it, and every answer says how fresh the sources are.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from secrets import token_urlsafe
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import BackgroundTasks, Depends, Request
from jinja2 import Environment
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ewarn import __version__
from ewarn.desk.access import API, FOR_ENFORCEMENT, TABLE, Line, may
from ewarn.desk.slowing import Pace, Slowing
from ewarn.errors import EwarnError, Refused, UsageFault
from ewarn.pipeline import api_tokens, freshness, onetime, purposes, signin
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.pipeline.sessions import Visitor

SESSION, VISIT, SAID, HALF, KNOWN = "ewarn", "ewarn-visit", "ewarn-said", "ewarn-half", "ewarn-known"
LOOPBACK = ("127.0.0.1", "::1")
SEEN_EVERY_SECONDS = 300
SAFE = ("GET", "HEAD")


@dataclass
class Shop:
    """What all requests share: how to open the house, the clock, the templates, who is being slowed down."""

    open_house: Callable[[], House]
    clock: Callable[[], datetime]
    pages: Environment
    slowing: Slowing = field(default_factory=Slowing)
    pace: Pace = field(default_factory=Pace)
    seen: dict[str, datetime] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class Desk:
    """What a page is given. `form` is empty unless something was posted and its token was right."""

    def __init__(self, request: Request, visitor: Visitor | None, form: FormData | None) -> None:
        self.request, self.visitor, self.form = request, visitor, form or FormData()
        self.shop: Shop = request.app.state.shop
        self.house = self.shop.open_house()
        self.now = self.shop.clock()

    # -- what was sent -------------------------------------------------------------------------------------------

    def text(self, name: str, longest: int = 4000) -> str:
        """A field of the form, trimmed; '' where it was not sent. Raises: UsageFault where it is too long."""
        value = self.form.get(name)
        found = value.strip().replace("\r\n", "\n") if isinstance(value, str) else ""
        if len(found) > longest:
            raise UsageFault(f"'{name}' holds more than {longest} characters", next_step="Say it in fewer words.")
        return found

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file with something in it."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def asked(self, name: str, default: str = "") -> str:
        """A filter out of the address."""
        return self.request.query_params.get(name, default)[:200].strip()

    # -- who asks ------------------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """The proof that verbs ask for. Raises: Refused where nobody is signed in."""
        if self.visitor is None:
            raise Refused("nobody is signed in", next_step="Sign in.")
        return self.visitor.actor(self.now)

    def may(self, method: str, path: str) -> bool:
        """Whether the visitor may use a page or act: `path` as it stands in the access table. For links and buttons."""
        if self.limited and (method, path) not in FOR_ENFORCEMENT:
            return False
        return may(TABLE[method, path], self.visitor.roles if self.visitor else None)

    @cached_property
    def limited(self) -> bool:
        """Whether the visitor enforces the law: they see no reporter and no seller, nor anybody's words of them."""
        return self.visitor is not None and purposes.enforces(self.house, self.visitor.person)

    def shows(self, path: str) -> bool:
        """Whether the menu shows a page: it is there, and it is for the visitor."""
        return ("GET", path) in TABLE and self.may("GET", path)

    @cached_property
    def anchor(self) -> tuple[str, bool]:
        """What a form's token is bound to: the session, or a cookie of the visit; and whether that cookie is new."""
        held = self.request.cookies.get(SESSION) or self.request.cookies.get(VISIT)
        return (held, False) if held else (token_urlsafe(24), True)

    @property
    def csrf(self) -> str:
        return token_for(self.shop, self.house, self.anchor[0])

    # -- answers -------------------------------------------------------------------------------------------------

    def page(self, template: str, code: int = 200, **words: Any) -> Response:
        """A page of ours; `errors` (field -> what to do) stand in a summary above it."""
        said = onetime.unseal(self.house, "said", self.request.cookies.get(SAID, ""), 120) or ""
        shown = {"errors": {}, "values": {}, "desk": self, "said": said, "now": self.now, "version": __version__}
        text = self.shop.pages.get_template(template).render(**(shown | self.common() | words))
        answer = HTMLResponse(text, code)
        if said:
            answer.delete_cookie(SAID)
        if self.anchor[1]:
            self.keep(answer, VISIT, self.anchor[0], 6 * 3600)
        return answer

    def common(self) -> dict[str, Any]:
        """What the layout shows on every page."""
        settings = self.house.settings
        fresh = freshness.line(self.house, self.now) if self.visitor else None
        return {"fresh": fresh, "standing": settings.standing, "issuer_name": settings.issuer_name,
                "origin": settings.origin, "openid": settings.desk_openid_issuer}  # fmt: skip

    def go(self, path: str, said: str = "") -> Response:
        """To another page of ours, with a sentence that it shows once."""
        answer = RedirectResponse(inside(path), 303)
        if said:
            self.keep(answer, SAID, onetime.seal(self.house, "said", said), 120)
        return answer

    def keep(self, answer: Response, name: str, value: str, seconds: int) -> None:
        """A cookie that no script can read and no other site can send along."""
        answer.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="lax", secure=scheme(self.request) == "https"
        )


def inside(path: str) -> str:
    """A path of ours, whatever somebody put into the address."""
    parts = urlsplit(path)
    bad = parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//") or "\\" in path
    return "/" if bad or any(ord(c) < 32 for c in path) else path


def token_for(shop: Shop, house: House, anchor: str) -> str:
    """The token a form carries: only we can make it, and only for that browser."""
    if "forms" not in shop.keys:
        shop.keys["forms"] = onetime.key_for(house, "forms")
    key = shop.keys["forms"]
    return hmac.digest(key, anchor.encode(), "sha256").hex()


def behind_proxy(request: Request) -> bool:
    """Whether a proxy on this machine, which the settings name, passed this on."""
    peer = request.client.host if request.client else ""
    return peer in LOOPBACK and bool(request.app.state.shop.open_house().settings.desk_proxy_header)


def scheme(request: Request) -> str:
    return request.headers.get("x-forwarded-proto", "") if behind_proxy(request) else request.url.scheme


def address(request: Request) -> str:
    """Where a request comes from."""
    peer = request.client.host if request.client else ""
    passed = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
    return passed if passed and behind_proxy(request) else peer


# -- dependencies of every page, in this order -------------------------------------------------------------------


async def posted(request: Request) -> FormData | None:
    """The form of a POST. Raises: HTTPException for one that another site sent, or that carries no token of ours."""
    if request.method in SAFE:
        return None
    _same_site(request)
    try:
        form = await request.form(max_files=2, max_fields=200, max_part_size=512 * 1024)
    except HTTPException as error:
        raise HTTPException(413 if "size" in str(error.detail) else 400, "The form could not be read.") from error
    shop: Shop = request.app.state.shop
    anchor = request.cookies.get(SESSION) or request.cookies.get(VISIT) or ""
    token = form.get("csrf")
    expected = token_for(shop, shop.open_house(), anchor)
    if not anchor or not isinstance(token, str) or not hmac.compare_digest(token.encode(), expected.encode()):
        raise HTTPException(403, "This form is too old, or did not come from this desk. Open the page again.")
    return form


def _same_site(request: Request) -> None:
    """Raises: HTTPException where the browser says that another site sent it."""
    origin = request.headers.get("origin")
    host = urlsplit(origin).netloc if origin else ""
    site = request.headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and host != request.headers.get("host")) or site not in ("same-origin", "none"):
        raise HTTPException(403, "This form was sent by another site.")


def admitted(request: Request, after: BackgroundTasks, form: Annotated[FormData | None, Depends(posted)]) -> Desk:
    """The visit, where the access table lets it through. Raises: SignInFirst, HTTPException, CodeFirst."""
    line = TABLE[request.method, request.scope["route"].path]
    token = bearer(request)
    desk = Desk(request, _holder(request, after, token) if token else _visitor(request, after), form)
    request.state.desk = desk
    if request.url.path.startswith(API):
        _paced(desk)
    named = "" if token else named_by_proxy(request)
    if named and request.method in SAFE and line.roles is not None and not _is(desk.visitor, named):
        raise ThroughProxy(named)
    if desk.visitor is None and line.roles is not None:
        raise SignInFirst
    if not may(line, desk.visitor.roles if desk.visitor else None):
        raise HTTPException(403, "This page is not for your role.")
    if desk.limited and (line.method, line.path) not in FOR_ENFORCEMENT:
        raise HTTPException(403, "This page may show who reported or sold something: it is not for enforcement.")
    if line.acts:
        _fresh_code(desk, line)
    return desk


class SignInFirst(Exception):
    """Nobody is signed in."""


class ThroughProxy(Exception):
    """The proxy on this machine names somebody who has no session yet; `person` is the id it gives."""

    def __init__(self, person: str) -> None:
        super().__init__(person)
        self.person = person


def named_by_proxy(request: Request) -> str:
    """The id that the proxy on this machine gives; '' from anywhere else, whatever a header says."""
    if not behind_proxy(request):
        return ""
    return request.headers.get(request.app.state.shop.open_house().settings.desk_proxy_header, "").strip().lower()


def _is(visitor: Visitor | None, person: str) -> bool:
    return visitor is not None and visitor.person.id == person


class CodeFirst(Exception):
    """Acting needs a new one-time code; `fault` is what was wrong with the one that was given."""

    def __init__(self, line: Line, fault: str = "") -> None:
        super().__init__(line.path)
        self.line, self.fault = line, fault


def _fresh_code(desk: Desk, line: Line) -> None:
    """Take the code that stands in the form, where the session's newest one is too old to act on."""
    visitor = desk.visitor
    if visitor is None or visitor.code_is_recent(desk.now):
        return
    code = desk.text("one_time_code", 40)
    if not code:
        raise CodeFirst(line)
    keys = [("both", f"code {visitor.person.id} {address(desk.request)}")]
    if wait := desk.shop.slowing.wait(keys, desk.now):
        raise CodeFirst(line, f"Wait {wait:.0f} seconds before the next try.")
    try:
        signin.confirm(desk.house, visitor, code, desk.now)
    except Refused as error:
        desk.shop.slowing.failed(keys, desk.now)
        raise CodeFirst(line, f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}") from error
    desk.shop.slowing.passed(keys)
    desk.visitor = signin.visitor(desk.house, visitor.token, desk.now)


def _visitor(request: Request, after: BackgroundTasks) -> Visitor | None:
    """Who is signed in. That a session is in use goes on record every few minutes, after the answer."""
    shop: Shop = request.app.state.shop
    token, now = request.cookies.get(SESSION, ""), shop.clock()
    found = signin.visitor(shop.open_house(), token, now) if token else None
    if found is not None and (now - found.seen_at).total_seconds() > SEEN_EVERY_SECONDS:
        after.add_task(_seen, shop, found.mark)
    return found


def bearer(request: Request) -> str:
    """The token that a system reads with; '' at the pages, which take none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if request.url.path.startswith(API) and kind.lower() == "bearer" else ""


def _holder(request: Request, after: BackgroundTasks, token: str) -> Visitor | None:
    """Who holds the token. That it is in use goes on record every few minutes, after the answer."""
    shop: Shop = request.app.state.shop
    now = shop.clock()
    found = api_tokens.holder(shop.open_house(), token, now)
    last = shop.seen.get(found.mark) if found is not None else None
    if found is not None and (last is None or (now - last).total_seconds() > SEEN_EVERY_SECONDS):
        shop.seen[found.mark] = now
        after.add_task(_used, shop, found.mark)
    return found


def _used(shop: Shop, token_id: str) -> None:
    with suppress(EwarnError):
        api_tokens.used(shop.open_house(), token_id, shop.clock())


def _paced(desk: Desk) -> None:
    """Raises: HTTPException for who asks too often: counted by person, strangers by address."""
    who = f"person {desk.visitor.person.id}" if desk.visitor else f"address {address(desk.request)}"
    if wait := desk.shop.pace.wait(who, desk.now):
        seconds = str(max(1, round(wait)))
        raise HTTPException(429, "You ask too often.", headers={"Retry-After": seconds})


def _seen(shop: Shop, mark: str) -> None:
    """That a session is in use. A busy store loses nothing by not being told."""
    with suppress(EwarnError):
        signin.seen(shop.open_house(), mark, shop.clock())


Visit = Annotated[Desk, Depends(admitted)]


def fields(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The words of a form, to be sent again; never files, tokens or codes."""
    pairs = form.multi_items() if isinstance(form, FormData) else list(form.items())
    return [(k, v) for k, v in pairs if isinstance(v, str) and k not in ("csrf", "one_time_code")]
