"""What the pages say. Everything is escaped; nothing is fetched from anywhere but this service.

In: what the service found out. Out: HTML responses. A page about a reference says no more than whether it is genuine,
whose, of which day and whether it stands, whatever its marking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ewarn.answers import reports
from ewarn.personal import shown, spool

if TYPE_CHECKING:
    from ewarn.answers.service import Service

HERE = Path(__file__).parent / "templates"
FAULTS = {
    400: ("That could not be read", "Please go back and send it again."),
    403: ("That cannot be sent from there", "Please open the form at its own address and send it from there."),
    404: (
        "This link does not work",
        "It may have ended, or it was cut or changed on its way. Open the message again and use the whole link, or "
        "type the code in the message instead. If that does not help, reply to the message, or write to who sent it.",
    ),
    405: ("That cannot be done here", "Please use the buttons on the page."),
    408: ("That took too long", "Please go back and send it again, without the photo if the connection is slow."),
    413: ("That is too long", "Please go back and write less, or send a smaller photo."),
    415: ("That could not be read", "Please use the form on the page."),
    429: ("Too many tries", "Please wait a few minutes and try again. Your earlier answers are kept."),
    503: ("Not at the moment", "Please try again in a few minutes, or reply to the message instead."),
}


class Pages:
    """The templates, loaded once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.templates = Environment(
            loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def answer(
        self,
        request: Request,
        delivery: shown.ShownDelivery,
        alert: shown.ShownAlert,
        given: Mapping[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
        forwarded: bool = False,
    ) -> Response:
        more = {"given": given or {"name": "", "organisation": "", "text": ""}, "faults": faults or {}}
        limits = {"longest_text": spool.LONGEST_TEXT, "longest_name": spool.LONGEST_NAME, "forwarded": forwarded}
        about = _about(self.service, delivery, alert) | more | limits
        return self._page(request, "answer", 422 if faults else 200, **about)

    def thanks(
        self,
        request: Request,
        delivery: shown.ShownDelivery,
        alert: shown.ShownAlert,
        told: spool.Answer,
    ) -> Response:
        return self._page(request, "thanks", 200, told=told, **_about(self.service, delivery, alert))

    def code(self, request: Request, fault: bool = False) -> Response:
        return self._page(request, "code", 422 if fault else 200, fault=fault)

    def report(
        self,
        request: Request,
        ticket: str,
        given: Mapping[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
        photo: bool = False,
    ) -> Response:
        empty = dict.fromkeys((*reports.LENGTHS, *reports.CHOICES, *reports.HIDDEN), "")
        said = empty | dict(given or {}) | {"ticket": ticket}
        more = {"given": said, "faults": faults or {}, "longest": reports.LENGTHS, "photo_lost": photo}
        return self._page(request, "report", 422 if faults else 200, form=self._form(), **more)

    def reported(self, request: Request, ref: str, contact: bool, photo: bool) -> Response:
        return self._page(request, "reported", 200, form=self._form(), ref=ref, contact=contact, photo=photo)

    def _form(self) -> shown.ShownForm:
        """What the form says of its house; general words without the list: a report is taken all the same."""
        try:
            return self.service.listed().form
        except HTTPException:
            return shown.ShownForm()

    def verify(self, request: Request, reference: str, alerts: Sequence[shown.ShownAlert]) -> Response:
        rows = [{"alert": alert, "state": alert.state_on(self.service.today())} for alert in alerts]
        rows = [row for row in rows if row["state"] != shown.GOING_OUT or len(rows) == 1]
        status = 200 if rows or not reference else 404
        return self._page(request, "verify", status, reference=reference, rows=rows)

    def fault(self, request: Request, status: int, said: str) -> Response:
        title, words = FAULTS.get(status, FAULTS[503])
        return self._page(request, "fault", status, title=title, words=said or words)

    def _page(self, request: Request, name: str, status: int, **more: Any) -> Response:
        try:
            issuer = self.service.listed().issuer
        except HTTPException:
            issuer = ""
        root = "../" * (request.url.path.count("/") - 1)
        words = self.templates.get_template(f"{name}.html").render(issuer=issuer, root=root, **more)
        return HTMLResponse(words, status)


def _about(service: Service, delivery: shown.ShownDelivery, alert: shown.ShownAlert) -> dict[str, Any]:
    mine = next((v for v in alert.versions if v.version == delivery.version), alert.newest)
    return {
        "alert": alert,
        "mine": mine,
        "state": alert.state_on(service.today()),
        "superseded": mine.version < alert.newest.version,
        "shared": delivery.shared,
    }
