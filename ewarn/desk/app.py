"""The desk's pages and the conditions they are served under."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ewarn import __version__
from ewarn.errors import EwarnError
from ewarn.pipeline import review
from ewarn.pipeline.house import House
from ewarn.terms import LONDON, Standing

OpenHouse = Callable[[], House]
Clock = Callable[[], datetime]

# No script at all, nothing from elsewhere, not to be framed, nothing to be posted.
CONDITIONS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
STANDING_WORDS = {
    Standing.ACTUAL: "Internal. Signals are unverified indications, not alerts.",
    Standing.EXERCISE: "EXERCISE. Nothing on this page is real.",
    Standing.TEST: "TEST. Nothing on this page is real.",
}


def create_app(open_house: OpenHouse, clock: Clock) -> FastAPI:
    """The desk. Every page is read anew from the published copy; nothing is kept between requests."""
    app = FastAPI(title="ewarn desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "testserver"])
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    pages = _pages()

    @app.middleware("http")
    async def set_conditions(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await proceed(request)
        response.headers.update(CONDITIONS)
        return response

    @app.exception_handler(EwarnError)
    async def plain_fault(request: Request, fault: EwarnError) -> Response:
        words = {"what": fault.what, "next_step": fault.next_step}
        return HTMLResponse(pages.get_template("fault.html").render(words), status_code=503)

    @app.get("/", response_class=HTMLResponse)
    def today() -> str:
        """Signals and open cases by urgency, the map, the sources, what could not be answered."""
        house, now = open_house(), clock()
        found = review.overview(house, now)
        standing = house.settings.standing
        return pages.get_template("today.html").render(
            found=found,
            today=found.today,
            status=found.today.status,
            now=now,
            standing=standing,
            standing_words=" ".join(filter(None, (STANDING_WORDS[standing], house.settings.origin))),
            version=__version__,
        )

    @app.get("/situation.md", response_class=PlainTextResponse)
    def situation() -> str:
        """The situation report as plain text, to be printed or handed over."""
        return review.situation(open_house(), clock())

    @app.get("/health")
    def health() -> JSONResponse:
        """Whether this process can answer at all; it looks at nothing and names nothing."""
        return JSONResponse({"status": "ok", "version": __version__})

    return app


def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("ewarn.desk"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters["london"] = london
    pages.filters["number"] = number
    pages.filters["day"] = day
    return pages


def london(instant: datetime | None) -> str:
    """Day and time in Europe/London, in words."""
    return f"{instant.astimezone(LONDON):%-d %B %Y %H:%M}" if instant else "never"


def day(iso: str) -> str:
    """A day of a text, in words; what is no day as it was written."""
    try:
        return f"{date.fromisoformat(iso):%-d %B %Y}"
    except ValueError:
        return iso or "not said"


def number(value: float | None) -> str:
    """A count as people write it; unknown numbers say so."""
    return "not known" if value is None else f"{value:g}"
