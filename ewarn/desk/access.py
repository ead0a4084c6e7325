"""Who may ask for what: one table of every page and act of the desk. Enforcement and its test both read it.

A page without a line here does not start. Which area somebody may act in is not here: the pipeline looks at that, and
at the role once more.
"""

from __future__ import annotations

from typing import NamedTuple

from ewarn.terms import PersonRole

REPORTER, DUTY, PANEL = PersonRole.REPORTER, PersonRole.DUTY, PersonRole.PANEL
COORDINATOR, PARTNER, ADMINISTRATOR = PersonRole.COORDINATOR, PersonRole.PARTNER, PersonRole.ADMINISTRATOR

Roles = frozenset[PersonRole]
EVERYBODY: Roles | None = None  # no sign-in
SIGNED_IN: Roles = frozenset(PersonRole)
DESK: Roles = frozenset({DUTY, PANEL, COORDINATOR})
READERS: Roles = DESK | {ADMINISTRATOR}
RAW_READERS: Roles = frozenset({DUTY, COORDINATOR, ADMINISTRATOR})
KEEPERS: Roles = frozenset({ADMINISTRATOR})
LIST_KEEPERS: Roles = frozenset({COORDINATOR, ADMINISTRATOR})
TOKEN_HOLDERS: Roles = READERS | {PARTNER}  # who may let a system read for them
GRADERS: Roles = frozenset({DUTY, PANEL})
APPROVERS: Roles = frozenset({PANEL})
PANEL_ACTS = ("approve", "override", "photo", "photo-remove", "photo-release")
TEXT_ACTS = ("edit", "submit", "stand-down", "withdraw", "send")
CASE_ACTS = (
    "verify", "assign", "link", "note", "merge", "split", "move", "lead", "ask-laboratory", "laboratory-answered",
    "join-report", "draft", "close",
)  # fmt: skip

REPORT_ACTS = ("words", "contact", "redact", "hoax", "join", "answer")
API = "/api/"  # where systems read


class Line(NamedTuple):
    """One page or act. `acts`: a one-time code given lately is asked for."""

    method: str
    path: str
    roles: Roles | None
    acts: bool = False


LINES: tuple[Line, ...] = (
    Line("GET", "/health", EVERYBODY),
    # -- signing in
    Line("GET", "/sign-in", EVERYBODY),
    Line("POST", "/sign-in", EVERYBODY),
    Line("GET", "/sign-in/code", EVERYBODY),
    Line("POST", "/sign-in/code", EVERYBODY),
    Line("GET", "/sign-in/device", EVERYBODY),
    Line("POST", "/sign-in/device", EVERYBODY),
    Line("GET", "/sign-in/openid", EVERYBODY),
    Line("GET", "/sign-in/openid/back", EVERYBODY),
    Line("POST", "/sign-out", SIGNED_IN),
    # -- one's own account
    Line("GET", "/account", SIGNED_IN),
    Line("POST", "/account/sign-out-everywhere", SIGNED_IN, acts=True),
    Line("POST", "/account/break-glass", READERS, acts=True),
    Line("POST", "/account/tokens", TOKEN_HOLDERS, acts=True),
    Line("POST", "/account/tokens/end", TOKEN_HOLDERS, acts=True),
    # -- people
    Line("GET", "/people", LIST_KEEPERS),
    Line("POST", "/people/add", KEEPERS, acts=True),
    Line("POST", "/people/{person}/sign-out", KEEPERS, acts=True),
    Line("POST", "/people/{person}/forget-device", KEEPERS, acts=True),
    Line("POST", "/people/{person}/deactivate", KEEPERS, acts=True),
    # -- recipients
    Line("GET", "/recipients", LIST_KEEPERS),
    Line("GET", "/recipients/{recipient}", LIST_KEEPERS),
    *(Line("POST", f"/recipients/{act}", LIST_KEEPERS, acts=True) for act in ("add", "import")),
    *(
        Line("POST", f"/recipients/{{recipient}}/{act}", LIST_KEEPERS, acts=True)
        for act in ("change", "confirm", "stop", "resume")
    ),
    # -- today
    Line("GET", "/", SIGNED_IN),
    Line("POST", "/looked", READERS),
    Line("GET", "/handover", READERS),
    Line("GET", "/situation.md", READERS),
    Line("GET", "/situation", READERS),
    Line("GET", "/pack", frozenset({COORDINATOR, ADMINISTRATOR})),
    Line("POST", "/pack/file", frozenset({COORDINATOR, ADMINISTRATOR}), acts=True),
    # -- asking
    Line("GET", "/ask", READERS),
    Line("POST", "/ask/rows", READERS),
    Line("POST", "/ask/save", DESK, acts=True),
    # -- one signal
    Line("GET", "/signals/{signal}", READERS),
    Line("GET", "/signals/{signal}/series.json", READERS),
    Line("GET", "/assets/vega.js", SIGNED_IN),
    Line("POST", "/signals/{signal}/rows", RAW_READERS, acts=True),
    Line("POST", "/signals/{signal}/dismiss", DESK, acts=True),
    Line("POST", "/signals/{signal}/hold", DESK, acts=True),
    Line("POST", "/signals/{signal}/take-up", DESK, acts=True),
    Line("POST", "/signals/{signal}/join", DESK, acts=True),
    # -- texts
    Line("GET", "/alerts", READERS),
    Line("GET", "/alerts/{ref}/{number}", READERS),
    Line("GET", "/alerts/{ref}/{number}/file", READERS),
    *(Line("POST", f"/alerts/{{ref}}/{{number}}/{act}", DESK, acts=True) for act in TEXT_ACTS),
    Line("GET", "/alerts/{ref}/{number}/photograph", READERS),
    *(Line("POST", f"/alerts/{{ref}}/{{number}}/{act}", APPROVERS, acts=True) for act in PANEL_ACTS),
    Line("GET", "/approvals", APPROVERS),
    Line("POST", "/approvals/approve", APPROVERS, acts=True),
    # -- cases
    Line("GET", "/cases", READERS),
    Line("GET", "/cases/{ref}", READERS),
    *(Line("POST", f"/cases/{{ref}}/{act}", GRADERS, acts=True) for act in ("grade", "outcome")),
    *(Line("POST", f"/cases/{{ref}}/{act}", DESK, acts=True) for act in CASE_ACTS),
    # -- partners' reports
    Line("GET", "/reports", READERS),
    Line("GET", "/reports/{report}", READERS),
    *(Line("POST", f"/reports/{{report}}/{act}", DESK, acts=True) for act in REPORT_ACTS),
    # -- the same views for systems: a session or a personal token, reading alone
    Line("GET", "/api/v1/openapi.json", EVERYBODY),
    *(Line("GET", f"/api/v1/{view}", READERS) for view in ("signals", "signals/{signal}", "cases", "cases/{ref}")),
    *(Line("GET", f"/api/v1/{view}", TOKEN_HOLDERS) for view in ("alerts", "alerts/{ref}/{number}", "sources")),
    *(Line("GET", f"/api/v1/{view}", READERS) for view in ("counts", "reports")),
)

# What people who enforce the law may open, whatever their roles: nothing that shows who reported, who sold, rows as
# they came, or what people wrote of them; of texts what they are to approve. A page that is not named here is closed.
FOR_ENFORCEMENT = frozenset(
    {
        *(("GET", path) for path in ("/", "/signals/{signal}", "/account", "/approvals")),
        ("POST", "/approvals/approve"),
        *(("GET", f"{API}v1/{view}") for view in ("alerts", "alerts/{ref}/{number}", "sources")),
        *((line.method, line.path) for line in LINES if line.roles is EVERYBODY or line.path == "/sign-out"),
        *((line.method, line.path) for line in LINES if line.path.startswith("/account/")),
    }
)

TABLE: dict[tuple[str, str], Line] = {(line.method, line.path): line for line in LINES}


def may(line: Line, roles: frozenset[PersonRole] | None) -> bool:
    """Whether somebody with these roles (None: nobody is signed in) may ask for it."""
    return line.roles is None or (roles is not None and bool(line.roles & roles))
