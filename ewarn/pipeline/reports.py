"""What the verbs answer: frozen models, printed as they are by the command line's --json."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from pydantic import Field

from ewarn.terms import (
    Alert,
    CaseFile,
    Decision,
    Delivery,
    Frozen,
    NotEvaluable,
    Page,
    Person,
    Recipient,
    Signal,
    TestRequest,
)


class Actor(NamedTuple):
    """Who acts, and what proves it: the personal token, or a session of the desk with a recent one-time code."""

    person: str
    secret: str = ""
    session: str = ""
    at: datetime | None = None


class SourceReport(Frozen):
    """One table of one source in one intake: records = new + changed + unchanged + rejects.

    member: which table, where the file is an archive or a workbook.
    """

    source: str
    snapshot: str | None = None
    records: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: int = 0
    detections: int = 0
    queued: int = 0
    outcome: str = "ok"
    error: str = ""
    retryable: bool = False
    file: str = ""
    member: str = ""
    notes: tuple[str, ...] = ()


class IntakeReport(Frozen):
    sources: tuple[SourceReport, ...]
    exit_status: int = 0


class NoticeReport(Frozen):
    """One notice that a person added: what was found in it, each with the words behind it."""

    source: str
    reference: str = ""
    outcome: str = Field("failed", description="preview | new | changed | unchanged | rejected | failed")
    kind: str = ""
    title: str = ""
    publisher: str = ""
    reference_date: date | None = None
    basis: str = ""
    substances: tuple[dict[str, Any], ...] = ()
    areas: tuple[dict[str, Any], ...] = ()
    evidence: tuple[dict[str, str], ...] = ()
    attachments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fault: str = Field("", description="why it could not be used, in words")
    exit_status: int = 0


class Marked(Frozen):
    """What is passed on only under its marking, with what the originators of its records ask."""

    marking: str = Field(
        "", description="the strictest TLP marking of the records behind it; empty where there are none"
    )
    conditions: tuple[str, ...] = ()


class DetectReport(Marked):
    """The ad-hoc check: signals standing at as_of, and the rules that had no answer."""

    as_of: datetime
    content_hash: str
    signals: tuple[Signal, ...]
    not_evaluable: tuple[NotEvaluable, ...]
    new: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    dry_run: bool = False


class BacktestReport(Marked):
    """Each signal once, with the day it was first raised; one evaluation a day at 23:59:59 Europe/London."""

    start: date
    end: date
    content_hash: str
    signals: tuple[Signal, ...]
    not_evaluable: tuple[NotEvaluable, ...]
    days: int
    signals_per_week: float


class DutyLoad(Frozen):
    """What a duty officer would have had to read, as `review.interruptions` counts it: means, and fullest weeks."""

    weeks: float
    pages: float
    items: float
    everything: float = Field(description="pages and items together")
    most_pages: int
    most_items: int
    most_everything: int
    weeks_over: int = Field(description="whole weeks with more than the budget")
    elsewhere: int = Field(0, description="pages and items about areas outside the home area, which nobody here reads")
    kept: bool = Field(description="means within the budget")
    by_rule: tuple[dict[str, Any], ...] = ()


class LeadTime(Frozen):
    """The first signal that names an episode. Days are after (+) or before (-) the episode's own date."""

    episode: str
    on: date
    signal: str = ""
    rule: str = ""
    raised_on: date | None = None
    days: int | None = Field(None, description="empty where no signal named it in time")


class Confirmed(Frozen):
    """What became of the signals, as far as the data say."""

    by_case: int = Field(0, description="records joined to a case closed as confirmed")
    by_later_test: int = Field(0, description="raised on a presumptive finding that a confirmatory version bore out")
    when_raised: int = Field(0, description="the finding was confirmatory when the signal was raised")
    not_borne_out: int = Field(0, description="case closed as not confirmed or artefact, or the finding taken back")
    not_known: int = 0

    @property
    def share(self) -> float | None:
        """Confirmed among those of which something is known; empty where nothing is."""
        good = self.by_case + self.by_later_test + self.when_raised
        return round(good / (good + self.not_borne_out), 3) if good + self.not_borne_out else None


class BacktestStudy(BacktestReport):
    """A back-test with what it would have asked of the duty rota, how soon it spoke, and what came of it."""

    load: DutyLoad
    lead_times: tuple[LeadTime, ...] = ()
    confirmed: Confirmed = Confirmed()
    confirmed_share: float | None = None
    kept_in: str = Field("", description="the rule's file that now holds these figures")


class EvaluationReport(Frozen):
    """Figures of the methods, one row each, as `review.evaluation` shapes them; never anything of this deployment."""

    figures: tuple[dict[str, Any], ...]
    made: dict[str, str] = Field(description="what the run was made with: version, content, seed, replicates, machine")
    summary: str
    quick: bool
    met: int
    missed: int
    not_run: int
    undecided: int
    written: tuple[str, ...] = ()
    exit_status: int = Field(0, description="1 where a figure is missed")


class Trail(Marked):
    """A signal down to the raw rows behind it."""

    signal: Signal
    records: tuple[dict[str, Any], ...]


class CaseReport(Marked):
    case: CaseFile
    history: tuple[dict[str, Any], ...]
    alerts: tuple[Alert, ...] = ()
    pages: tuple[Page, ...] = ()
    tests: tuple[TestRequest, ...] = ()


class AlertLine(Frozen):
    """One alert version as a list shows it: how it stands, until when, and who approved it."""

    id: str
    case: str
    version: int
    kind: str = Field("alert", description="alert | update | stand-down | withdrawal")
    product: str
    status: str
    standing: str
    review_on: str = ""
    expires_on: str = ""
    past: str = Field("", description="'due for review' or 'expired' while it still stands; else empty")
    approvals: tuple[Decision, ...]
    approvals_needed: int
    asks: tuple[str, ...] = Field((), description="records behind it changed, and it has not been put right: in words")


class AlertReport(AlertLine):
    """One alert version with its text, the linter's findings and what changed since the version before."""

    hash: str
    author: str
    findings: tuple[dict[str, Any], ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    withheld: tuple[dict[str, str], ...] = ()
    changes: tuple[str, ...] = Field((), description="lines that came (+) and went (-) since the version people have")
    text: str = ""
    public_text: str = Field("", description="as the public reads it, where a public recipient gets it")
    releases: tuple[str, ...] = Field((), description="originators' releases for its case or for it, in words")
    figures: tuple[dict[str, Any], ...] = Field((), description="each with its records and the version of each")


class SendReport(Frozen):
    deliveries: tuple[Delivery, ...]
    sent: int = Field(description="pages and alerts that left")
    told: int = Field(0, description="messages about ewarn itself that left for its operator")
    failed: int
    waiting: int
    exit_status: int = 0


class PageReport(Frozen):
    pages: tuple[Page, ...]
    deliveries: tuple[Delivery, ...] = ()


class SourceFreshness(Frozen):
    source: str
    title: str
    last_received_at: datetime | None
    last_new_at: datetime | None
    last_outcome: str
    late: bool = Field(description="late or silent")
    expected_every_hours: float | None
    states: tuple[str, ...] = Field((), description="ok | never received | failing | late | silent | drifting")
    words: tuple[str, ...] = Field((), description="what each state means here; none where all is well")
    failures: int = Field(0, description="failed attempts since the last answer that could be used")
    cadence_hours: float | None = Field(None, description="measured: median hours between news")
    lag_days: float | None = Field(None, description="measured: median days from reference date to receipt")
    expected_lag_days: int = 0
    asked_again_at: datetime | None = Field(None, description="a feed whose publisher asks us to wait")
    moved_to: str = Field("", description="where a feed says it has moved for good")


class StatusReport(Frozen):
    at: datetime
    home: str
    standing: str
    sources: tuple[SourceFreshness, ...]
    records: dict[str, int]
    open_rejects: int
    naming_queue: int
    open_cases: tuple[CaseFile, ...]
    open_pages: tuple[Page, ...]
    waiting_deliveries: int
    failed_deliveries: tuple[Delivery, ...]
    operator_notices: tuple[dict[str, Any], ...]
    signing_key: str = Field("", description="what is to be done about the signing keys, in words; else empty")


class TodayReport(Marked):
    """What the desk's first page shows."""

    status: StatusReport
    signals: tuple[Signal, ...]
    not_evaluable: tuple[NotEvaluable, ...]
    as_of: datetime


class DoctorReport(Frozen):
    """One line per thing looked at: ok or not, and what to do."""

    checks: tuple[dict[str, Any], ...]
    exit_status: int


class CheckReport(Frozen):
    content: str
    content_hash: str
    definitions: dict[str, int]
    faults: tuple[dict[str, str], ...]


class NamedReport(Frozen):
    """A written name given its substance, and the file that now says so."""

    as_written: str
    substance: str
    file: str
    named_at: datetime
    changed: int = 0


class DutyReport(Frozen):
    """The duty rota in order, and the pages nobody has acknowledged."""

    rota: tuple[Recipient, ...]
    pages: tuple[Page, ...]


class PersonReport(Frozen):
    """A registered person; the secret stands here once, when ewarn made it, and nowhere else ever."""

    person: Person
    secret: str = ""


class HomeReport(Frozen):
    """What `init`, `backup` and `restore` did."""

    home: str
    database: str
    content: str
    content_hash: str
    archive: str = ""
    words: tuple[str, ...] = ()


class ReceiptsReport(Frozen):
    """Deliveries as they stand, every attempt, and every answer."""

    deliveries: tuple[Delivery, ...]
    attempts: tuple[dict[str, Any], ...] = ()
    acknowledgements: tuple[dict[str, Any], ...] = ()
    possible_repeats: tuple[str, ...] = ()
    arrivals: tuple[dict[str, Any], ...] = ()
    dead_letters: tuple[dict[str, Any], ...] = ()
    dead_letter_acts: tuple[dict[str, Any], ...] = ()
