"""One stored format of one alert version, to be printed or handed on; a draft of it for those who are to read it.

In: a house, an alert, a format, an audience. Out: the approved bytes as they are stored, or a draft that says so across
every page and in every line that people read. It must never hand out as approved what nobody approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ewarn.assess import decide
from ewarn.dispatch import attach, render
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import texts
from ewarn.pipeline.house import House
from ewarn.store import alerts, decisions
from ewarn.terms import Alert, Frozen, Payload

DRAFT = "DRAFT: nobody has approved this text. Do not pass it on and do not put it up."
FOR_PROGRAMS = ("cap", "json")


class Exported(Frozen):
    """What was handed out. `note` says what somebody holding it should know."""

    alert: str
    version: int
    audience: str
    format: str
    name: str
    approved: bool
    sha256: str
    size: int
    note: str = ""
    file: str = ""


def export(
    house: House,
    alert_id: str,
    form: str,
    audience: str = "professional",
    version: int | None = None,
    *,
    as_submitted: bool = False,
) -> tuple[Exported, bytes]:
    """The bytes of one format, and what they are. Writes nothing.

    In: `as_submitted` gives approvers the exact bytes that they are asked to approve, without the word DRAFT.
    Raises: UsageFault, Refused.
    """
    with house.db.read() as con:
        alert = texts.found(con, alert_id, version)
        stored = alerts.payloads(con, alert.id, alert.version)
        decided = decisions.of_alert(con, alert.id)
        known = alerts.versions(con, alert.id)
    approved = bool(stored) and audience in decide.audiences(alert, decided, house.catalogue)
    note = decide.leaves(alert, known, decided, audience, house.catalogue) if stored else "it was not submitted"
    if approved or (stored and as_submitted):
        payload = _still_there(alert, _picked(stored, form, audience, alert))
        _whole(alert, stored)
    else:
        payload = _draft(house, alert, form, audience)
    _for_the_public(alert, audience, approved)
    draft = not (approved or (stored and as_submitted))
    told = Exported(
        alert=alert.id,
        version=alert.version,
        audience=audience,
        format=form,
        name=_name(alert, payload, draft),
        approved=approved,
        sha256=hashlib.sha256(payload.body).hexdigest(),
        size=len(payload.body),
        note=note,
    )
    return told, payload.body


def saved(told: Exported, body: bytes, out: Path | None) -> Exported:
    """Written to a file: the one named, or in the folder named under a name that says what it is."""
    file = Path(told.name) if out is None else out / told.name if out.is_dir() else out
    try:
        file.write_bytes(body)
    except OSError as error:
        raise UsageFault(
            f"cannot be written: {error.strerror}", where=str(file), next_step="Name another file."
        ) from error
    return told.model_copy(update={"file": str(file)})


def _picked(payloads: Sequence[Payload], form: str, audience: str, alert: Alert) -> Payload:
    found = next((p for p in payloads if (p.audience, p.format) == (audience, form)), None)
    if found is None:
        there = sorted({p.format for p in payloads if p.audience == audience})
        raise UsageFault(
            f"version {alert.version} has no {form} for the {audience} audience",
            where=alert.id,
            next_step=f"Ask for any of {', '.join(there)}, or a sheet such as flyer."
            if there
            else "Ask for another audience.",
        )
    return found


def _whole(alert: Alert, stored: Sequence[Payload]) -> None:
    if render.bundle_hash(alert, stored) != alert.hash:
        raise Refused(
            "the stored bytes no longer have the hash that was submitted",
            where=alert.id,
            next_step="Do not use them; restore from a backup and tell the administrator.",
        )


def _still_there(alert: Alert, payload: Payload) -> Payload:
    if payload.gone:
        raise Refused(
            f"the {payload.format} was purged with the photograph it showed",
            where=alert.id,
            next_step="Its hash stays on record. Ask for a format without the photograph, such as text.",
        )
    return payload


def _for_the_public(alert: Alert, audience: str, approved: bool) -> None:
    marking = alert.content.get("marking", "")
    if audience == texts.PUBLIC and approved and marking != "TLP:CLEAR":
        raise Refused(
            f"marked {marking}: not for the public",
            where=alert.id,
            next_step="Have a version marked TLP:CLEAR approved.",
        )


def _draft(house: House, alert: Alert, form: str, audience: str) -> Payload:
    """Rendered anew with DRAFT across it and in its first lines: never the bytes that are stored."""
    if form == "cap" and (message := render.draft_cap(alert, audience, house.catalogue)):
        return Payload(audience=audience, format=form, subject=DRAFT, body=message)  # its status says Draft
    if form in FOR_PROGRAMS:
        raise Refused(
            f"nobody has approved it, and a program would not see that in {form}",
            where=alert.id,
            next_step="Submit it and have it approved.",
        )
    content: dict[str, Any] = alert.content
    marks = [mark for mark in (DRAFT, content.get("watermark", "")) if mark]
    standing = "draft" if alert.standing.value == "actual" else f"draft {alert.standing.value}"
    marked = alert.model_copy(update={"content": content | {"watermark": " ".join(marks), "standing": standing}})
    with house.db.read() as con:
        photo = texts.photo_shown(con, alert)
    alone = render.one_sheet(marked, house.catalogue, form, audience, photo)
    return alone or _picked(render.payloads(marked, house.catalogue, paper=False, photo=photo), form, audience, alert)


def _name(alert: Alert, payload: Payload, draft: bool) -> str:
    ending = (
        "pdf"
        if attach.is_sheet(payload)
        else {"cap": "xml", "email": "json", "json": "json", "photo": "jpg"}.get(payload.format, "txt")
    )
    return attach.name(alert, payload.format, "DRAFT" if draft else "", ending)
