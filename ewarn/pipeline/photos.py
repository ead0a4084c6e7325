"""RESPOND: a photograph in a text: attached by the panel, removed, released to the public, purged.

In: a house, an alert, a picture from a file or from a partner's report that was read, an actor, `now`. Out: the next
version of the text, in draft, which takes all approvals anew. It must never take a picture with what a camera wrote
into it, nor give one to the public that the panel did not release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ewarn.assess import cases as casebook
from ewarn.assess import draft as drafting
from ewarn.assess import lifecycle
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, handling, pictures, publishing, reporting, texts
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import proved
from ewarn.pipeline.reports import Actor, AlertReport
from ewarn.report import ReportState
from ewarn.store import alerts, cases, operator_notices, partner_reports, photos
from ewarn.terms import Alert, AlertStatus, Frozen, PersonRole, digest, london_day

PANEL = (PersonRole.PANEL,)
PURGERS = (PersonRole.PANEL, PersonRole.ADMINISTRATOR)
KEPT_DAYS = 365
LONGEST_ALT, LONGEST_SCALE = 300, 120
TOPIC = "photograph purged"


class PurgedPhoto(Frozen):
    """What a purge took: the picture, and the stored formats that showed it. Their hashes stay."""

    sha256: str
    alert: str
    versions: tuple[int, ...]
    formats: int
    rule: str
    in_force: bool = False


def attach(
    house: House, alert_id: str, photo: bytes, alt: str, scale: str, actor: Actor, now: datetime, origin: str = "file"
) -> AlertReport:
    """The next version of a draft with this picture in the place of any other. Raises: UsageFault, Refused."""
    words = _words(alt, scale)
    body, width, height = pictures.for_a_text(photo)

    def said(tx: Any, alert: Alert, person: str) -> dict[str, Any]:
        sha256 = photos.keep(tx, _unpurged(tx, body), alert.id, origin, now, person)
        cid = f"{sha256[:32]}@photo.ewarn.invalid"
        return words | {"sha256": sha256, "cid": cid, "width": width, "height": height, "released": ""}

    return _next(house, alert_id, "attach a photograph to this text", said, actor, now, origin)


def from_report(
    house: House, alert_id: str, report_ref: str, alt: str, scale: str, actor: Actor, now: datetime
) -> AlertReport:
    """The same with the picture of a partner's report: one that a person has read, of this alert's case."""
    with house.db.read() as con:
        alert, report = texts.found(con, alert_id), partner_reports.load(con, report_ref)
    if report is None or not report.has_photo:
        raise UsageFault(f"there is no photograph with report '{report_ref}'", next_step="See 'ewarn reports list'.")
    if report.case != alert.case:
        raise UsageFault(
            f"report {report_ref} does not belong to {alert.case}", next_step=f"ewarn reports join {report_ref}"
        )
    if report.state is not ReportState.REDACTED:
        raise Refused(
            f"nobody has read and redacted report {report_ref}",
            where=alert_id,
            next_step=f"Read it first: ewarn reports redact {report_ref}",
        )
    photo = reporting.words_of(house, report_ref, "photo", actor, now)
    if not photo:
        raise UsageFault(f"the photograph of {report_ref} is no longer there", next_step="Attach one from a file.")
    return attach(house, alert_id, photo, alt, scale, actor, now, report_ref)


def usable(house: House, alert: Alert) -> list[str]:
    """The reports of an alert's case whose photograph can be taken."""
    with house.db.read() as con:
        joined = partner_reports.all(con, case=alert.case)
    return [r.ref for r in joined if r.has_photo and r.state is ReportState.REDACTED]


def remove(house: House, alert_id: str, actor: Actor, now: datetime) -> AlertReport:
    """The next version without a picture."""
    return _next(house, alert_id, "remove the photograph", lambda *_: None, actor, now, "removed")


def release(house: House, alert_id: str, reason: str, actor: Actor, now: datetime) -> AlertReport:
    """The next version, in which the panel lets the public see the picture. Raises: UsageFault without a reason."""
    if not reason.strip():
        raise UsageFault("a photograph is released with a reason", where=alert_id, next_step="Say why: --reason TEXT.")

    def said(tx: Any, alert: Alert, person: str) -> dict[str, Any]:
        return _photo_of(alert) | {"released": reason.strip()}

    return _next(house, alert_id, "release the photograph", said, actor, now, f"released: {reason.strip()}")


def purge(house: House, alert_id: str, reason: str, actor: Actor, now: datetime) -> PurgedPhoto:
    """Take a picture away for good, with every stored sheet that shows it. The hashes stay, and the approvals hold.

    The panel is asked to update what people still have. Raises: UsageFault, Refused.
    """
    if not reason.strip():
        raise UsageFault(
            "a purge needs its reason", where=alert_id, next_step="Give --reason with a reference, never a name."
        )
    with house.db.write("purge photograph") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, alert.area, "purge this photograph", PURGERS)
        versions = alerts.versions(tx, alert.id)
        held = [v.content["photo"]["sha256"] for v in versions if v.content.get("photo")]
        left = [sha256 for sha256 in dict.fromkeys(reversed(held)) if photos.body(tx, sha256)]
        if not left:
            raise UsageFault(f"{alert.id} holds no photograph", next_step="Nothing is left to purge.")
        done = [_purged(tx, sha256, now, person.id, "erasure", reason.strip()) for sha256 in left]
        _ask_for_update(tx, alert, versions, now)
    _taken_down(house, done)
    return done[0]


def forget(house: House, now: datetime) -> list[PurgedPhoto]:
    """Purge pictures past their time: a year after the last text that showed them ended, or was left lying."""
    with house.db.read() as con:
        if not list(_past(con, now)):
            return []
    with house.db.write("forget photographs") as tx:
        rule = f"retention of {KEPT_DAYS} days"
        done = [_purged(tx, sha256, now, "ewarn", rule, "") for sha256 in _past(tx, now)]
    _taken_down(house, done)
    return done


def _taken_down(house: House, done: Sequence[PurgedPhoto]) -> None:
    """Published files go as well; a reader of the copy before keeps it until the next but one is published."""
    with house.db.read() as con:
        for one in done:
            for version in one.versions:
                publishing.take_down(
                    house, texts.found(con, one.alert, version), alerts.payloads(con, one.alert, version)
                )
    house.db.publish()


def _past(con: Any, now: datetime) -> list[str]:
    last: dict[str, date] = {}
    for found in alerts.all(con):
        for version in alerts.versions(con, found.id):
            if photo := version.content.get("photo"):
                ends = date.fromisoformat(
                    version.content.get("expires_on") or london_day(version.created_at).isoformat()
                )
                day = date.max if version.status is AlertStatus.ISSUED else ends
                last[photo["sha256"]] = max(last.get(photo["sha256"], date.min), day)
    today = london_day(now)
    held = {row["sha256"]: london_day(row["kept_at"]) for row in photos.all(con)}
    ends_on = {sha256: last.get(sha256, kept) for sha256, kept in held.items()}
    return [s for s, day in ends_on.items() if day < date.max and day + timedelta(days=KEPT_DAYS) < today]


def _purged(tx: Any, sha256: str, now: datetime, by: str, rule: str, reason: str) -> PurgedPhoto:
    every = [v for found in alerts.all(tx) for v in alerts.versions(tx, found.id)]
    shows = [v for v in every if (v.content.get("photo") or {}).get("sha256") == sha256]
    formats = photos.purge(tx, sha256, [(v.id, v.version) for v in shows], now, by, rule, reason)
    for alert in {v.id: v for v in shows}.values():
        cases.act(tx, alert.case, now, "photograph purged", by, f"{alert.id}: {rule}")
    return PurgedPhoto(
        sha256=sha256,
        alert=shows[-1].id if shows else "",
        versions=tuple(v.version for v in shows),
        formats=formats,
        rule=rule,
        in_force=any(v.status is AlertStatus.ISSUED for v in shows),
    )


def _ask_for_update(tx: Any, alert: Alert, versions: list[Alert], now: datetime) -> None:
    """A version that people have shows what was purged: the operator is told and the case waits for the panel."""
    if not any(v.status is AlertStatus.ISSUED and v.content.get("photo") for v in versions):
        return
    words = f"{alert.id}: its photograph was purged and people still have it: update or withdraw the alert."
    operator_notices.put(tx, now, alert.id, words, TOPIC)
    case = cases.going_on(tx, alert.case)
    if case is not None:
        cases.save(
            tx, casebook.reopened(case, f"{alert.id} shows a purged photograph: update or withdraw it", now), now
        )


def _photo_of(alert: Alert) -> dict[str, Any]:
    photo = alert.content.get("photo")
    if not photo:
        raise UsageFault(f"{alert.id} has no photograph", next_step=f"ewarn photo attach {alert.id} --file FILE")
    return dict(photo)


def _words(alt: str, scale: str) -> dict[str, str]:
    alt, scale = " ".join(alt.split()), " ".join(scale.split())
    if not alt:
        raise UsageFault(
            "a photograph needs words for those who do not see it",
            where="alt",
            next_step="Say what it shows: form, colour, imprint.",
        )
    for name, words, most in (("alt", alt, LONGEST_ALT), ("scale", scale, LONGEST_SCALE)):
        if len(words) > most:
            raise UsageFault(f"longer than {most} characters", where=name, next_step="Say it in a sentence.")
    return {"alt": _ended(alt), "scale": _ended(scale)}


def _ended(words: str) -> str:
    """With a full stop: in every format other words follow."""
    return words if not words or words[-1] in ".!?" else f"{words}."


def _unpurged(tx: Any, body: bytes) -> bytes:
    """Raises: Refused for a picture that was purged for a reason: it does not come back by another door."""
    gone = photos.purged(tx, digest(body))
    if gone is not None and gone["rule"] == "erasure":
        raise Refused(
            f"this photograph was purged by {gone['person']}", next_step="Attach another one; this one stays away."
        )
    return body


def _next(house: House, alert_id: str, what: str, said: Any, actor: Actor, now: datetime, note: str) -> AlertReport:
    with house.db.write("photograph") as tx:
        alert = texts.found(tx, alert_id)
        person = proved(tx, actor)
        assess.may(house, person, alert.area, what, PANEL)
        versions, had = texts.step(tx, lifecycle.Step.EDIT, alert_id)
        if alert.kind.closes:
            raise Refused("a text that ends an alert shows no photograph", where=alert.id, next_step="Leave it out.")
        changes: Mapping[str, Any] = {"photo": said(tx, alert, person.id)}
        written = drafting.following(alert, changes, alert.version + 1, person.id, now, house.catalogue)
        written = handling.on_text(tx, house, drafting.answerable(written, house.settings.public_url))
        texts.overtake(tx, versions, had, now, person.id)
        alerts.save(tx, written, at=now, by=person.id)
        texts.on_record(tx, "drafted", written, person, now, f"photograph: {note}")
        return texts.report(tx, house, written, now=now)
