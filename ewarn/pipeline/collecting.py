"""The answer service's two ends inside the house: the list it may show goes out, what it spooled comes in.

In: a house, `now`. Out: HOME/answers/shown.json, replaced where it changed; answers in the store, each exactly once,
and in the case's history; partners' reports (told.py). A crash between the store and the spool costs nothing: an answer
is known by what it says. It must never put a name into a log, a file name or a case's history, nor believe a file that
no key of ours signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ewarn.assess import lifecycle
from ewarn.errors import EwarnError
from ewarn.personal import shown, spool, tokens
from ewarn.pipeline import answering, canary
from ewarn.pipeline import told as telling
from ewarn.pipeline.house import House
from ewarn.store import alerts, answers, audit, canaries, cases, operator_notices, outbox, recipients
from ewarn.terms import Alert, AlertStatus, Frozen, Standing, VersionKind, digest, london_day

STATES = {AlertStatus.STOOD_DOWN: shown.STOOD_DOWN, AlertStatus.WITHDRAWN: shown.WITHDRAWN}
BATCH = 200
KEPT_DAYS = 30
SPOOL = "spool"
TOPIC = "answers refused"


class CollectReport(Frozen):
    """What one look into the spool brought."""

    taken: int
    known: int = 0
    refused: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    reports_known: int = 0
    exit_status: int = 0


def folder(house: House) -> Path:
    """Where the answer service's list and spool lie."""
    return house.settings.home / "answers"


def publish(house: House, now: datetime) -> bool:
    """Bring the list up to date, where there is a service. Returns whether it changed."""
    if not house.settings.public_url:
        return False
    try:
        keys = answering.of_house(house)
    except (EwarnError, OSError):
        return False  # the sender tells the operator
    with house.db.read() as con:
        said = digest(telling.form(house).model_dump(mode="json"), 12)
        stamp = f"{audit.last(con)[2]} {london_day(now)} {len(keys)} {tokens.code_mark(keys[0], 'stamp')} {said}"
        held = folder(house) / ".stamp"
        with suppress(OSError):
            if held.read_text() == stamp and (folder(house) / shown.FILE).is_file():
                return False
        words = _list(con, house, keys, london_day(now))
    changed = shown.write(folder(house), words)
    held.write_text(stamp)
    return changed


def _list(con: Any, house: House, keys: Sequence[str], today: date) -> bytes:
    listed, deliveries = [], {}
    shared = {r.id: not r.person for r in recipients.all(con)}
    waiting = outbox.by_alert(con)
    for versions in alerts.histories(con, [s.value for s in (AlertStatus.APPROVED, *lifecycle.OUT)]):
        listed.append(_shown(versions))
        usable = {v.version: answering.usable_until(v) for v in versions}
        for delivery in waiting.get(versions[0].id, ()):
            until = usable.get(delivery.version or 0)
            if until is None or until < today or delivery.nudge:
                continue
            codes = tuple(tokens.code_mark(key, tokens.code(key, delivery.id)) for key in keys)
            deliveries[delivery.id] = shown.ShownDelivery(
                alert=delivery.alert, version=delivery.version or 0, until=until, codes=codes,
                shared=shared.get(delivery.destination, True),
            )  # fmt: skip
    for row in canaries.since(con, today - timedelta(days=2)):
        name, code = f"TEST-{row['day']}", tokens.code(keys[0], row["id"])
        listed.append(_test_message(house, name, date.fromisoformat(row["day"])))
        deliveries[row["id"]] = shown.ShownDelivery(
            alert=name, version=1, until=today + timedelta(days=2), shared=False,
            codes=tuple(tokens.code_mark(key, code) for key in keys),
        )  # fmt: skip
    return shown.body(listed, deliveries, house.settings.issuer_name, telling.form(house))


def _test_message(house: House, name: str, day: date) -> shown.ShownAlert:
    return shown.ShownAlert(
        id=name, reference=name, title="Daily test message", marking="TLP:CLEAR", issuer=house.settings.issuer_name,
        standing=Standing.TEST.value, state=shown.IN_FORCE,
        versions=(shown.ShownVersion(version=1, dated=day, kind=VersionKind.ALERT.value),),
    )  # fmt: skip


def _shown(versions: Sequence[Alert]) -> shown.ShownAlert:
    """One alert by the versions that people have; by the one that is leaving where nobody has any."""
    had = [v for v in versions if v.status in lifecycle.OUT] or list(versions)
    newest = had[-1]
    state = STATES.get(newest.status, shown.IN_FORCE if newest.status in lifecycle.OUT else shown.GOING_OUT)
    ends = newest.content.get("expires_on")
    return shown.ShownAlert(
        id=newest.id,
        reference=str(newest.content["reference"]),
        title=str(newest.content.get("closes_headline") or newest.content["headline"]),
        marking=str(newest.content["marking"]),
        issuer=str(newest.content["issuer"]),
        standing=newest.standing.value,
        state=state,
        expires_on=date.fromisoformat(ends) if ends and not newest.kind.closes else None,
        versions=tuple(
            shown.ShownVersion(
                version=v.version,
                dated=date.fromisoformat(v.content["date"]),
                kind=(v.kind if v.version > 1 else VersionKind.ALERT).value,
            )
            for v in had
        ),
    )


def collect(house: House, now: datetime) -> CollectReport:
    """Take both spools into the store. Whatever cannot be believed is put aside, and the operator is told."""
    told = telling.collect(house, now)
    report = _answers(house, now)
    return report.model_copy(
        update={
            "reports": told.taken,
            "reports_known": told.known,
            "refused": (*report.refused, *told.refused),
            "exit_status": 1 if told.refused else report.exit_status,
        }
    )


def _answers(house: House, now: datetime) -> CollectReport:
    held = folder(house) / SPOOL
    if not held.is_dir():
        return CollectReport(taken=0)
    _forget(held, now)
    files = list(spool.waiting(held, answering.of_house(house)))
    good = [file for file in files if file.answer is not None]
    bad = [file for file in files if file.answer is None]
    taken = 0
    for start in range(0, len(good), BATCH):
        added, strange = _enter(house, good[start : start + BATCH], now)
        taken, bad = taken + added, [*bad, *strange]
    if bad:
        with house.db.write("answers") as tx:
            words = f"{len(bad)} files of the answer spool were put aside: {', '.join(sorted({f.fault for f in bad}))}"
            operator_notices.put(tx, now, "dispatch", words, TOPIC)
        for file in bad:
            spool.put_away(file.path, "refused")
    if files:
        house.db.publish()
    return CollectReport(
        taken=taken,
        known=len(files) - len(bad) - taken,
        refused=tuple(file.fault for file in bad),
        exit_status=1 if bad else 0,
    )


def _enter(house: House, files: Sequence[spool.Taken], now: datetime) -> tuple[int, list[spool.Taken]]:
    """One transaction; its files are put away once it is on the disk."""
    added, strange = 0, []
    with house.db.write("answers") as tx:
        for file in files:
            assert file.answer is not None  # the unreadable were set apart
            delivery = outbox.load(tx, file.answer.delivery)
            alert = alerts.load(tx, delivery.alert, delivery.version) if delivery else None
            if delivery is not None and canary.came_back(tx, delivery.page, "its link", now):
                added += 1
                continue
            if delivery is None or alert is None:
                strange.append(file._replace(fault="about a delivery that is not known"))
                continue
            if answers.put(tx, file.answer, delivery, now):
                words = f"{alert.id} v{alert.version}: {delivery.destination}: {answers.SAID[file.answer.act]}"
                cases.act(tx, alert.case, now, "answered", "ewarn", words)
                added += 1
    gone = {file.path for file in strange}
    for file in files:
        if file.path not in gone:
            spool.put_away(file.path, "done")
    return added, strange


def _forget(held: Path, now: datetime) -> None:
    """Files that were taken in long ago: what they say is in the store and its backups."""
    before = (now - timedelta(days=KEPT_DAYS)).timestamp()
    for path in (held / "done").glob("*.json"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
