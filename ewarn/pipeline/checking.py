"""ASSESS: what stands against a text, who let it pass and why; what originators released; counts made public.

In: a house, an actor, `now`. Out: the text with its findings. Every act is a named person's, on record, and bound to
the exact text; personal data and handling conditions are let pass by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ewarn.assess import draft as drafting
from ewarn.assess import lifecycle, lint
from ewarn.assess.lint import advised
from ewarn.catalogue import Catalogue
from ewarn.disclosure.release import Release
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, corrections, handling, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, AlertReport
from ewarn.store import alerts, cases, decisions, releases
from ewarn.terms import CLASSIFICATIONS, MARKINGS, Alert, AlertStatus, Decision, Frozen, PersonRole

MAY_RELEASE = (PersonRole.PANEL, PersonRole.COORDINATOR)


class AdviceState(Frozen):
    """One advice text, and the alerts in force that carry another version of it."""

    id: str
    title: str
    version: int
    owner: str
    review_by: str
    past_review: bool
    superseded_in: tuple[str, ...] = ()


def let_pass(
    house: House, alert_id: str, wanted: Sequence[str], reason: str, actor: Actor, now: datetime
) -> AlertReport:
    """A panel member lets errors pass for the exact text that was submitted. In: `wanted` ids, or 'all'.

    Raises: Refused for personal data, handling and the watermark; UsageFault for no reason or an unknown id.
    """
    if not reason.strip():
        raise UsageFault("an override needs a reason", where=alert_id, next_step="Say why: --reason TEXT.")
    with house.db.write("override") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, alert.area, "override this finding", (PersonRole.PANEL,))
        if not alert.hash or alert.status not in (AlertStatus.REVIEW, AlertStatus.APPROVED):
            what = f"version {alert.version} is {alert.status.value}: an override is bound to a submitted text"
            raise Refused(what, where=alert.id, next_step=f"Submit it first: ewarn submit {alert.id}")
        texts.let_pass(tx, alert, _chosen(texts.findings(tx, house, alert), wanted, alert), reason, person, now)
        return texts.report(tx, house, alert, alerts.payloads(tx, alert.id, alert.version), now)


def _chosen(found: Sequence[lint.Finding], wanted: Sequence[str], alert: Alert) -> list[lint.Finding]:
    errors = [f for f in found if f.blocking]
    chosen = [f for f in errors if f.overridable] if list(wanted) == ["all"] else [f for f in errors if f.id in wanted]
    unknown = [name for name in wanted if name != "all" and name not in {f.id for f in errors}]
    if unknown or not chosen:
        listed = ", ".join(f"{f.id} ({f.where})" for f in errors if f.overridable) or "none"
        raise UsageFault(f"no error '{', '.join(unknown) or 'all'}'", where=alert.id, next_step=f"Open: {listed}.")
    if never := next((f for f in chosen if not f.overridable), None):
        raise Refused(f"{never.code} is never overridden: {never.where}: {never.what}", where=alert.id,
                      next_step=never.instead)  # fmt: skip
    return chosen


def release(
    house: House,
    about: str,
    source: str,
    to: str,
    reason: str,
    originator: str,
    actor: Actor,
    now: datetime,
    conditions: str | None = None,
) -> Release:
    """Enter an originator's release of what came from a source, for a case or one of its texts.

    In: `to` a TLP marking, with OFFICIAL or OFFICIAL-SENSITIVE before it where that stays; `conditions` what replaces
    the source's own. A text takes it with its next edit. Raises: UsageFault, Refused.
    """
    classification, marking = _marking(to)
    if not (reason.strip() and originator.strip()):
        what = "a release needs a reason and the originator who gave it"
        raise UsageFault(what, where=about, next_step="Say --reason and --by-originator.")
    with house.db.write("release") as tx:
        alert = alerts.load(tx, about)
        case = assess.case_of(tx, alert.case if alert else about)
        person = proved(tx, actor)
        assess.may(house, person, case.lead_area, "record a release", MAY_RELEASE)
        held = handling.sources(house, tx, (r for joined in case.signals for r in joined.signal.records))
        if source not in held:
            words = ", ".join(sorted(held)) or "none"
            raise UsageFault(f"no record of this case came from '{source}'", where=about, next_step=f"Use: {words}.")
        known = house.catalogue.sources.get(source)
        own = known.handling.classification if known else ""
        made = Release(
            at=now, case=case.ref, alert=alert.id if alert else "", source=source, marking=marking,
            classification=classification or ("" if marking == MARKINGS[0] else own), conditions=conditions,
            reason=reason.strip(), originator=originator.strip(), person=person.id,
        )  # fmt: skip
        releases.release(tx, made)
        cases.act(tx, case.ref, now, "released", person.id, made.words)
        decisions.append(tx, Decision(act="released", person=person.id, at=now, case=case.ref, alert=made.alert,
                                      note=made.words))  # fmt: skip
        return made


def _marking(to: str) -> tuple[str, str]:
    words = to.upper().split()
    classification = words[0] if len(words) == 2 else ""
    if not words or words[-1] not in MARKINGS or classification not in CLASSIFICATIONS or len(words) > 2:
        raise UsageFault(f"'{to}' is no marking", where="--to", next_step=f"Use {', '.join(MARKINGS)}.")
    return classification, words[-1]


def publish_count(house: House, alert_id: str, figure: str, reason: str, actor: Actor, now: datetime) -> AlertReport:
    """The panel releases a count to the public: the next version of the text, with the count in the public's words.

    Raises: UsageFault for an unknown figure or no reason; Refused where the text can no longer be edited.
    """
    if not reason.strip():
        raise UsageFault("a count is released with a reason", where=alert_id, next_step="Say why: --reason TEXT.")
    with house.db.write("publish count") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, alert.area, "release a count", (PersonRole.PANEL,))
        versions, had = texts.step(tx, lifecycle.Step.EDIT, alert_id)
        written = drafting.released(alert, figure, reason.strip(), person.id, now, house.catalogue)
        written = handling.on_text(tx, house, drafting.answerable(written, house.settings.public_url))
        texts.overtake(tx, versions, had, now, person.id)
        alerts.save(tx, written, at=now, by=person.id)
        texts.on_record(tx, "drafted", written, person, now, "figures")
        texts.on_record(tx, "released count", written, person, now, f"{figure}: {reason.strip()}")
        return texts.report(tx, house, written, now=now)


def advice_status(house: House, now: datetime) -> tuple[AdviceState, ...]:
    """Every advice text, those that alerts in force carry in another version first."""
    with house.db.read() as con:
        live = corrections.in_force(con)
    today = now.date()
    catalogue: Catalogue = house.catalogue
    uses: dict[str, list[str]] = {}
    for alert in live:
        for advice_id, version, _ in advised.superseded(alert, catalogue):
            uses.setdefault(advice_id, []).append(f"{alert.id} version {alert.version} (advice version {version})")
    found = [
        AdviceState(
            id=a.id, title=a.title, version=a.version, owner=a.owner, review_by=a.review_by.isoformat(),
            past_review=a.review_by < today, superseded_in=tuple(uses.pop(a.id, ())),
        )
        for a in catalogue.advice.values()
    ]  # fmt: skip
    gone = [
        AdviceState(id=i, title="no longer there", version=0, owner="", review_by="", past_review=True,
                    superseded_in=tuple(words))
        for i, words in uses.items()
    ]  # fmt: skip
    return tuple(sorted([*found, *gone], key=lambda a: (not a.superseded_in, not a.past_review, a.id)))
