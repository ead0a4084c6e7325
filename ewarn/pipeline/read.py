"""READ: how things stand, and the few acts that keep a house: begin it, people and recipients, backup and restore.

In: a house, `now`. Out: frozen reports. Reading goes to the published copy and never waits for a writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ewarn import catalogue as content_room
from ewarn.dispatch import render
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import distribution, identity, keywatch, validate, vigil
from ewarn.pipeline.house import House
from ewarn.pipeline.keeping import APART, checks, prepare
from ewarn.pipeline.reports import (
    Actor,
    CheckReport,
    DoctorReport,
    DutyReport,
    HomeReport,
    PersonReport,
    StatusReport,
    TodayReport,
)
from ewarn.settings import Settings
from ewarn.store import (
    alerts,
    cases,
    counting,
    operator_notices,
    outbox,
    pages,
    people,
    recipients,
    records,
)
from ewarn.store import (
    backup as archives,
)
from ewarn.store import (
    doctor as examination,
)
from ewarn.terms import DeliveryState, Person, PersonRole, Recipient

SHOWN_NOTICES = 50


def check(content: Path, overlay: Path | None = None) -> CheckReport:
    """Every definition read, every fault of every file."""
    faults = content_room.check(content, overlay)
    counts: dict[str, int] = {}
    content_hash = ""
    if not faults:
        found = content_room.load(content, overlay)
        kinds = ("feeds", "drops", "notices", "classes", "substances", "rules", "advice", "templates", "channels")
        counts = {kind: len(getattr(found, kind)) for kind in kinds} | {"areas": found.areas.height}
        content_hash = found.content_hash
    return CheckReport(
        content=str(content),
        content_hash=content_hash,
        definitions=counts,
        faults=tuple({"file": f.file, "key": f.key, "problem": f.problem, "remedy": f.remedy} for f in faults),
    )


def initialise(house: House, now: datetime) -> HomeReport:
    """Make what a home needs: folders for what is dropped, and an ewarn.toml to fill in where there is none."""
    for drop in (*house.catalogue.drops, *house.catalogue.notices):
        (house.settings.drops / drop).mkdir(parents=True, exist_ok=True, mode=0o700)
    config = house.settings.home / "ewarn.toml"
    words = [f"drop files into {house.settings.drops}/<source>/"]
    if not config.is_file():
        config.write_text(STARTER_CONFIG)
        config.chmod(0o600)
        words.append(f"say who you are in {config}")
    words += prepare(house)
    return _home(house, words=words)


STARTER_CONFIG = """\
# ewarn: this deployment's settings. Every key can also be set as EWARN_<KEY> in the environment.
# issuer = "LDN"                     # code at the front of every reference
# issuer_name = "..."                # how partners know you
# home_area = "E12000007"            # GSS code of the area you look after
# standing = "actual"                # actual | exercise | test
# smtp_from = "alerts@example.org"
# raw_key = ["file:/another/volume/raw.age"]   # keys of the raw bytes, newest first: env:NAME or file:PATH

# [secrets]                          # by reference only: env:NAME or file:PATH
# smtp_login = "file:secrets/smtp"
"""


def _home(house: House, *, archive: str = "", words: list[str] | None = None) -> HomeReport:
    return HomeReport(
        home=str(house.settings.home),
        database=str(house.settings.database),
        content=str(house.settings.content),
        content_hash=house.catalogue.content_hash,
        archive=archive,
        words=tuple(words or ()),
    )


def status(house: House, now: datetime) -> StatusReport:
    """How things stand: sources, records, what waits for whom."""
    with house.db.read() as con:
        deliveries = outbox.all(con)
        return StatusReport(
            at=now,
            home=str(house.settings.home),
            standing=house.settings.standing.value,
            sources=vigil.standing(con, house, now),
            records=counting.records(con),
            open_rejects=counting.open_rejects(con),
            naming_queue=records.naming_queue(con).height,
            open_cases=tuple(cases.all(con, "open")),
            open_pages=tuple(pages.open(con)),
            waiting_deliveries=sum(d.state in (DeliveryState.WAITING, DeliveryState.SENDING) for d in deliveries),
            failed_deliveries=tuple(d for d in deliveries if d.state in (DeliveryState.FAILED, DeliveryState.DEAD)),
            operator_notices=tuple(operator_notices.open(con).head(SHOWN_NOTICES).to_dicts()),
            signing_key=keywatch.of(con, now),
        )


def today(house: House, now: datetime) -> TodayReport:
    """What the desk's first page shows: how things stand, and the signals standing now (nothing is written)."""
    standing = validate.detect(house, now, dry_run=True)
    return TodayReport(
        status=status(house, now),
        signals=standing.signals,
        not_evaluable=standing.not_evaluable,
        as_of=now,
        marking=standing.marking,
        conditions=standing.conditions,
    )


def doctor(house: House, now: datetime) -> DoctorReport:
    """Everything that can be wrong, looked at; exit status 1 where something is."""
    found = [{"check": c.name, "ok": c.ok, "words": c.words} for c in examination.examine(house.db, now)]
    faults = content_room.check(house.settings.content, house.settings.overlay)
    found.append({"check": "content", "ok": not faults, "words": f"{len(faults)} faults; see 'ewarn check'"})
    with house.db.read() as con:
        found += checks(house, con, now)
        rota = [r for r in recipients.all(con) if r.rota_order is not None and r.active]
        fixed = [alert for alert in alerts.all(con) if alert.hash]
        other = [a.id for a in fixed if render.bundle_hash(a, alerts.payloads(con, a.id, a.version)) != a.hash]
    words = f"{len(other)} no longer what was submitted: {', '.join(other)}" if other else f"{len(fixed)} as submitted"
    found.append({"check": "texts", "ok": not other, "words": words})
    words = f"{len(rota)} on the duty rota" if rota else "nobody is on the duty rota: pages reach no one"
    keepers = any(p.active and PersonRole.ADMINISTRATOR in p.roles for p in list_people(house))
    kept = "one is registered" if keepers else "none: anybody at this shell can register people; add an administrator"
    found.append({"check": "administrator", "ok": keepers, "words": kept})
    found.append({"check": "duty rota", "ok": bool(rota), "words": words})
    found.append({"check": "operator", "ok": True, "words": _who_is_told(house)})
    return DoctorReport(checks=tuple(found), exit_status=0 if all(c["ok"] for c in found) else 1)


def _who_is_told(house: House) -> str:
    """Who gets the notices to the operator, in words."""
    told = [r.name for r in list_recipients(house) if r.active and r.group == "operator"]
    nobody = "nobody in the group 'operator': the duty rota is told what stops data or messages, nobody the rest"
    return f"told of notices: {', '.join(told)}" if told else nobody


def backup(house: House, target: Path, now: datetime, *, include_raw: bool = True) -> HomeReport:
    """One archive of what cannot be replayed, and of the raw bytes unless they are left out."""
    written = archives.backup(house.db, target, now, include_raw=include_raw)
    return _home(house, archive=str(written), words=[APART] if include_raw else [])


def restore(settings: Settings, archive: Path, *, force: bool = False) -> HomeReport:
    """Put an archive back into a home without a database (or over it, with `force`). Raises: Refused, StoreFault."""
    manifest = archives.restore(settings, archive, force=force)
    return HomeReport(
        home=str(settings.home),
        database=str(settings.database),
        content=str(settings.content),
        content_hash="",
        archive=str(archive),
        words=(f"written {manifest.get('written_at', '')}".strip(),),
    )


def add_person(
    house: House, person: Person, secret: str | None, now: datetime, actor: Actor | None = None
) -> PersonReport:
    """Register a person with a personal token; without one ewarn makes it and shows it this once.

    Once an administrator is registered, only an administrator registers people. Raises: Refused, UsageFault.
    """
    for code in person.areas:
        house.catalogue.area_ref(code)
    made = secret or identity.new_secret()
    kept = identity.hashed(made)
    with house.db.write("people") as tx:
        identity.demand_keeper(tx, actor, (PersonRole.ADMINISTRATOR,), "register people")
        people.add(tx, person, kept, now, actor.person if actor else "ewarn")
    return PersonReport(person=person, secret="" if secret else made)


def deactivate_person(house: House, person_id: str, now: datetime, actor: Actor | None = None) -> Person:
    """Take a person's part away; what they decided stays on record. Raises: Refused, UsageFault."""
    with house.db.write("people") as tx:
        identity.demand_keeper(tx, actor, (PersonRole.ADMINISTRATOR,), "deactivate people")
        person = people.load(tx, person_id)
        if person is None:
            raise UsageFault(f"nobody is registered as '{person_id}'", next_step="See 'ewarn people list'.")
        if actor is not None and actor.person == person_id:
            raise Refused("an administrator cannot deactivate themselves", next_step="Ask another administrator.")
        gone = person.model_copy(update={"active": False})
        people.change(tx, gone, now, actor.person if actor else "ewarn")
        return gone


def list_people(house: House) -> list[Person]:
    with house.db.read() as con:
        return people.all(con)


def add_recipient(house: House, recipient: Recipient, now: datetime, actor: Actor | None = None) -> Recipient:
    """Put one destination on the distribution list or the duty rota, as `add_recipients` does."""
    add_recipients(house, [recipient], now, actor)
    return recipient


def add_recipients(
    house: House, wanted: Sequence[Recipient], now: datetime, actor: Actor | None = None
) -> Sequence[Recipient]:
    """Put destinations on the distribution list or the duty rota: all of them or none.

    Once an administrator is registered, only a coordinator or administrator does. Raises: Refused, UsageFault for an
    unknown channel or area.
    """
    return distribution.add(house, wanted, now, actor)


def list_recipients(house: House) -> list[Recipient]:
    with house.db.read() as con:
        return recipients.all(con)


def duty(house: House) -> DutyReport:
    """Who is called, in order, and what nobody has answered yet."""
    with house.db.read() as con:
        rota = sorted(
            (r for r in recipients.all(con) if r.rota_order is not None and r.active), key=lambda r: r.rota_order or 0
        )
        return DutyReport(rota=tuple(rota), pages=tuple(pages.open(con)))
