"""The desk put together: pages, the access table, and what is said when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, RedirectResponse

from ewarn.desk import pages as page_groups
from ewarn.desk import words
from ewarn.desk.access import API, TABLE
from ewarn.desk.conditions import Conditions
from ewarn.desk.pages.signing import SESSION_SECONDS
from ewarn.desk.visit import SESSION, CodeFirst, Desk, Shop, SignInFirst, ThroughProxy, admitted, fields, inside
from ewarn.errors import EwarnError, Refused, StoreBusy, UsageFault
from ewarn.pipeline import signin
from ewarn.pipeline.house import House
from ewarn.pipeline.sessions import CodeNeeded
from ewarn.terms import PersonRole, Standing

OpenHouse = Callable[[], House]
Clock = Callable[[], datetime]
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
STANDING_WORDS = {
    Standing.ACTUAL: "Internal. Signals are unverified indications, not alerts.",
    Standing.EXERCISE: "EXERCISE. Nothing on this page is real.",
    Standing.TEST: "TEST. Nothing on this page is real.",
}
STATUS = {Refused: 403, UsageFault: 400, StoreBusy: 503}


def create_app(open_house: OpenHouse, clock: Clock) -> FastAPI:
    """The desk. Pages are read from the published copy. Raises: RuntimeError where a page has no line in the table."""
    app = FastAPI(title="ewarn desk", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(admitted)])
    app.state.shop = Shop(open_house, clock, environment())
    groups = page_groups.all_groups()
    _every_page_has_its_line(groups)
    for group in groups:
        app.include_router(group)
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    _faults(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, *open_hosts(open_house)])
    app.add_middleware(Conditions)
    return app


def open_hosts(open_house: OpenHouse) -> tuple[str, ...]:
    """The names the settings add; none where the house cannot be opened, which the pages will say."""
    with suppress(EwarnError):
        return open_house().settings.desk_hosts
    return ()


FILTERS = (
    *("london", "clock", "day", "number", "ago", "span", "plural"),
    *("pair", "signal_pair", "case_pair", "report_pair", "urgent"),
)


@cache
def environment() -> Environment:
    """Templates that escape everything, and filters for times and numbers."""
    made = Environment(
        loader=PackageLoader("ewarn.desk"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    for name in FILTERS:
        made.filters[name] = getattr(words, name)
    made.globals |= {"STANDING_WORDS": STANDING_WORDS, "PersonRole": PersonRole}
    return made


def _every_page_has_its_line(groups: Sequence[APIRouter]) -> None:
    routes = [route for group in groups for route in group.routes if isinstance(route, APIRoute)]
    served = {(method, route.path) for route in routes for method in route.methods or ()}
    if served != set(TABLE):
        missing, unused = sorted(served - set(TABLE)), sorted(set(TABLE) - served)
        raise RuntimeError(f"the access table and the pages differ: no line for {missing}, no page for {unused}")


def _faults(app: FastAPI) -> None:
    """Every fault is a page of ours that says what, and what to do next."""

    def told(request: Request, status: int, what: str, next_step: str = "") -> Response:
        if request.url.path.startswith(API):
            return JSONResponse({"what": what[:1].upper() + what[1:].rstrip("."), "next_step": next_step}, status)
        desk = getattr(request.state, "desk", None) or Desk(request, None, None)
        what = what[:1].upper() + what[1:].rstrip(".")
        return desk.page("fault.html", status, what=what, next_step=next_step)

    @app.exception_handler(EwarnError)
    def plain_fault(request: Request, fault: EwarnError) -> Response:
        status = next((code for kind, code in STATUS.items() if isinstance(fault, kind)), 503)
        if status == 400 and request.url.path.startswith(API) and request.path_params:
            status = 404
        try:
            return told(request, status, fault.what, fault.next_step)
        except EwarnError:  # the house itself cannot be opened
            return Response(f"{fault.what}. {fault.next_step}\n", status, media_type="text/plain")

    @app.exception_handler(HTTPException)
    def plain_answer(request: Request, fault: HTTPException) -> Response:
        said = {404: "There is no such page", 405: "This page takes nothing of that kind in"}
        answer = told(request, fault.status_code, said.get(fault.status_code, str(fault.detail)))
        answer.headers.update({name: value for name, value in (fault.headers or {}).items() if name != "Allow"})
        return answer

    @app.exception_handler(RequestValidationError)
    def odd_words(request: Request, fault: RequestValidationError) -> Response:
        return told(request, 400, "The address holds something that is not understood here")

    @app.exception_handler(SignInFirst)
    def sign_in_first(request: Request, fault: SignInFirst) -> Response:
        if request.url.path.startswith(API):
            answer = told(request, 401, "No token that holds was given", "Send one made on your account page.")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.method == "GET":
            target = str(request.url.replace(path="/sign-in", query="").include_query_params(after=after))
            return RedirectResponse(target, 303)
        return told(request, 403, "You are not signed in, or your session has ended", "Sign in, then do it again.")

    @app.exception_handler(ThroughProxy)
    def through_proxy(request: Request, fault: ThroughProxy) -> Response:
        desk: Desk = request.state.desk
        try:
            begun = signin.through(desk.house, fault.person, "proxy", desk.now)
        except Refused as error:
            return told(request, 403, error.what, error.next_step)
        after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = RedirectResponse(inside(after), 303)
        desk.keep(answer, SESSION, begun.token, SESSION_SECONDS)
        return answer

    @app.exception_handler(CodeNeeded)
    def code_needed(request: Request, fault: CodeNeeded) -> Response:
        return told(request, 403, fault.what, fault.next_step)

    @app.exception_handler(CodeFirst)
    def code_first(request: Request, fault: CodeFirst) -> Response:
        desk: Desk = request.state.desk
        errors = {"one_time_code": fault.fault} if fault.fault else {}
        return desk.page(
            "confirm.html", 400 if errors else 200, errors=errors, again=fields(desk.form), action=request.url.path
        )
