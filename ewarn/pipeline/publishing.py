"""Files of what each audience may see: feeds, signed CAP messages, PDFs, and the keys to check them with.

In: a house, `now`. Out: HOME/published-alerts/<audience>/ (exercises and tests in folders of their own), each file
whole or as it was. It follows the life of every alert that somebody has. It must never hold what no approval allows
that audience, what is marked beyond it, or an exercise where actual alerts are published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from ewarn.assess import decide, lifecycle
from ewarn.dispatch import cap, render, syndicate
from ewarn.errors import EwarnError
from ewarn.pipeline import signing, texts
from ewarn.pipeline.house import House
from ewarn.store import alerts, decisions, files, operator_notices, outbox
from ewarn.terms import (
    Alert,
    Decision,
    Frozen,
    Payload,
    Product,
    Standing,
    VersionKind,
    day_end,
    day_start,
    london_day,
)

AUDIENCES = ("professional", "public")
MARKED = {"public": ("TLP:CLEAR",), "professional": ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER")}
KEPT = timedelta(days=180)
KEY_FILE = Path(".well-known") / "ewarn-keys.json"
TOPIC = "feeds"
ENDED = {VersionKind.STAND_DOWN: "stood down", VersionKind.WITHDRAWAL: "withdrawn"}
OVERTAKEN = (
    "This alert is no longer in force in this form: a later version of it took its place, which is not for this list. "
    "Do not act on earlier copies. Ask whoever issued it."
)


class Published(Frozen):
    """What was written for one audience."""

    audience: str
    folder: str
    entries: int
    files: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()


class _Shown(Frozen):
    """An alert and what of it an audience may see: `alert` its newest version for them, `later` one that is not."""

    alert: Alert
    later: Alert | None
    versions: tuple[Alert, ...]
    payloads: dict[int, tuple[Payload, ...]]
    times: dict[int, datetime]


def write(house: House, now: datetime) -> list[Published]:
    """Bring every audience's files up to date. Raises: StoreBusy, StoreFault."""
    with house.db.write("publish") as tx:
        made = [_made(tx, house, audience, now) for audience in AUDIENCES]
        keys = signing.keys_file(tx, house)
        operator_notices.close(tx, now, "ewarn", source=TOPIC, topics=[TOPIC])
    reports = []
    for audience, feed, bodies, unsigned in made:
        folder = folder_of(house, audience)
        bodies = {"alerts.atom": syndicate.atom(feed), "alerts.json": syndicate.json_feed(feed), **bodies}
        if keys and audience == "public":
            bodies[str(KEY_FILE)] = keys
        written = tuple(name for name, body in bodies.items() if _put(folder / name, body))
        reports.append(
            Published(
                audience=audience, folder=str(folder), entries=len(feed.entries), files=written, unsigned=unsigned
            )
        )
    return reports


def keep_up(house: House, now: datetime) -> None:
    """The same where it must not stop what it follows: a fault is told to the operator."""
    try:
        write(house, now)
    except (EwarnError, OSError, ValueError, KeyError) as fault:
        with house.db.write("publish") as tx:
            words = f"the published alerts could not be brought up to date: {type(fault).__name__}"
            operator_notices.put(tx, now, TOPIC, f"{words}. Run 'ewarn feeds write'.", TOPIC)


def folder_of(house: House, audience: str) -> Path:
    """Where an audience's files lie; those of an exercise never where actual ones do."""
    standing = house.settings.standing
    root = house.settings.home / "published-alerts"
    return (root if standing is Standing.ACTUAL else root / standing.value) / audience


def _put(path: Path, body: bytes) -> bool:
    """Write a file whole, where it is not the same already."""
    if path.is_file() and path.read_bytes() == body:
        return False
    files.make_folder(path.parent)
    files.write_whole(path, body)
    return True


def _made(
    tx: Any, house: House, audience: str, now: datetime
) -> tuple[str, syndicate.Feed, dict[str, bytes], tuple[str, ...]]:
    bodies: dict[str, bytes] = {}
    unsigned: list[str] = []
    entries = []
    base = house.settings.public_url.rstrip("/") if audience == "public" else ""
    for shown in _all_shown(tx, house, audience, now):
        for version in shown.versions:
            for payload in shown.payloads[version.version]:
                name = _name(version, payload)
                signed = signing.leaving(tx, house, version, payload, now) if payload.format == "cap" else payload
                if isinstance(signed, str):
                    unsigned.append(f"{name}: {signed}")
                elif name:
                    bodies[f"alerts/{name}"] = signed.body
        entry = _entry(shown, audience, base, bodies, now)
        if entry.updated + KEPT >= now:
            entries.append(entry)
    entries.sort(key=lambda e: (e.updated, e.id), reverse=True)
    return audience, _feed(house, audience, base, entries, now), bodies, tuple(unsigned)


def _feed(house: House, audience: str, base: str, entries: Sequence[syndicate.Entry], now: datetime) -> syndicate.Feed:
    settings = house.settings
    mark = "" if settings.standing is Standing.ACTUAL else f"{settings.standing.value.upper()}: "
    sender = parseaddr(settings.smtp_from)[1]
    return syndicate.Feed(
        id=syndicate.tag(sender, 2025, f"ewarn/{settings.issuer}/{settings.standing.value}/{audience}"),
        title=f"{mark}{settings.issuer_name}: drug alerts ({audience})",
        issuer=settings.issuer_name,
        updated=max((e.updated for e in entries), default=day_start(london_day(now))),
        base=base,
        entries=tuple(entries),
    )


def public(tx: Any, house: House) -> Iterator[tuple[Alert, tuple[Payload, ...], datetime]]:
    """What everybody has: of each alert the newest version that is public, its stored bytes, since when."""
    for newest in alerts.all(tx):
        ours = newest.standing is house.settings.standing and newest.product is not Product.CONTACT_TEST
        shown = _shown(tx, house, newest.id, "public") if ours else None
        if shown is not None:
            first = min(shown.versions, key=lambda v: v.version)
            yield shown.alert, shown.payloads[shown.alert.version], shown.times[first.version]


def _all_shown(tx: Any, house: House, audience: str, now: datetime) -> Iterator[_Shown]:
    for newest in reversed(alerts.all(tx)):
        recent = max(newest.created_at, _expiry(newest) or newest.created_at) + KEPT >= now
        ours = newest.standing is house.settings.standing and newest.product is not Product.CONTACT_TEST
        shown = _shown(tx, house, newest.id, audience) if recent and ours else None
        if shown is not None:
            yield shown


def _shown(tx: Any, house: House, alert_id: str, audience: str) -> _Shown | None:
    """None where this audience may see no version of the alert."""
    had, decided = texts.reached(tx, alert_id), decisions.of_alert(tx, alert_id)
    gone = [v for v in alerts.versions(tx, alert_id) if v.status in lifecycle.OUT or v.version in had]
    payloads = {v.version: tuple(alerts.payloads(tx, v.id, v.version)) for v in gone}
    whole = [v for v in gone if render.bundle_hash(v, payloads[v.version]) == v.hash]
    allowed = [v for v in whole if _may_see(v, decided, audience, house)]
    if not allowed:
        return None
    theirs = {n: tuple(p for p in found if p.audience == audience) for n, found in payloads.items()}
    newest = max(gone, key=lambda v: v.version)
    current = max(allowed, key=lambda v: v.version)
    return _Shown(
        alert=current,
        later=newest if newest.version > current.version else None,
        versions=tuple(allowed),
        payloads=theirs,
        times=_times(tx, gone, decided),
    )


def _may_see(alert: Alert, decided: Sequence[Decision], audience: str, house: House) -> bool:
    approved = decide.audiences(alert, decided, house.catalogue)
    return audience in approved and alert.content.get("marking") in MARKED[audience]


def _times(tx: Any, gone: Sequence[Alert], decided: Sequence[Decision]) -> dict[int, datetime]:
    """When each version went out: its first receipt, or the approval that opened it to more people since."""
    found: dict[int, datetime] = {}
    for receipt in outbox.receipts(tx, gone[0].id):
        if receipt["state"] == "sent":
            found.setdefault(int(receipt["version"]), receipt["at"])
    return {
        alert.version: max(
            found.get(alert.version, alert.created_at), *(d.at for d in decide.approvals(alert, decided))
        )
        for alert in gone
    }


def _name(alert: Alert, payload: Payload) -> str:
    """The file of a payload that is published as one; '' for the others."""
    name = cap.identifier(alert.id, alert.version, payload.audience)
    if payload.format == "cap":
        return f"{name}.cap.xml"
    kind = cap.kind_of(payload)
    return f"{name}.{cap.token(payload.format)}.{kind.ending}" if kind else ""


def take_down(house: House, alert: Alert, payloads: Sequence[Payload]) -> None:
    """Remove the published files of what was purged."""
    for payload in payloads:
        if payload.gone:
            name = f"{cap.identifier(alert.id, alert.version, payload.audience)}.{cap.token(payload.format)}"
            for ending in ("pdf", "jpg"):
                (folder_of(house, payload.audience) / "alerts" / f"{name}.{ending}").unlink(missing_ok=True)


def _entry(shown: _Shown, audience: str, base: str, bodies: dict[str, bytes], now: datetime) -> syndicate.Entry:
    alert, content = shown.alert, shown.alert.content
    text = next((p for p in shown.payloads[alert.version] if p.format == "text"), None)
    title, body = (text.subject, text.body.decode()) if text else (str(content.get("headline", "")), "")
    tags = [alert.kind.value, alert.product.value, str(content.get("marking", "")), alert.standing.value]
    updated = shown.times[alert.version]
    ends = _expiry(alert)
    if shown.later is not None:
        title, body = f"{ENDED.get(shown.later.kind, 'REPLACED').upper()}: {title}", OVERTAKEN
        tags, updated = [*tags, "replaced"], max(updated, shown.times[shown.later.version])
    elif alert.kind.closes:
        tags.append(ENDED[alert.kind])
    elif ends is not None and ends < now:
        title, updated = f"EXPIRED: {title}", max(updated, ends)
        tags.append("expired")
    file = f"alerts/{cap.identifier(alert.id, alert.version, audience)}.cap.xml"
    return syndicate.Entry(
        id=syndicate.tag(cap.sender(content), alert.case.split("-")[1], f"ewarn/{alert.id}"),
        title=title,
        text=body,
        updated=updated,
        published=min(shown.times[v.version] for v in shown.versions),
        issuer=str(content.get("issuer", "")),
        page=cap.web(content.get("verify")),
        cap=(f"{base}/{file}" if base else file) if file in bodies else "",
        tags=tuple(filter(None, tags)),
    )


def _expiry(alert: Alert) -> datetime | None:
    day = alert.content.get("expires_on")
    return day_end(datetime.fromisoformat(day).date()) if day else None
