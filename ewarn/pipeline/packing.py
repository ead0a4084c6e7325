"""The offline pack: what a duty officer needs when the server is gone, in one archive of plain files.

In: a house, who asks, `now`. Out: a ZIP of HTML pages and CSV sheets that open anywhere without a network or a script:
open cases, alerts in force, contacts, texts to fill in, advice, the situation, how to go on by hand. That somebody took
one is on the audit chain. It must never hold how to reach a reporter, what one typed, a secret, or a row as it came.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

from ewarn.assess.advice import printed
from ewarn.assess.draft import WATERMARKS
from ewarn.disclosure import cells
from ewarn.dispatch import addressbook, blank
from ewarn.pipeline import assess, handling, identity, review, today, versions
from ewarn.pipeline.distribution import KEEPERS
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import Actor
from ewarn.review.pack import Section, Stamp, page
from ewarn.store import audit, people, recipients
from ewarn.terms import LONDON, CaseFile, Frozen, Person, Recipient, digest, strictest

LEAST = "TLP:AMBER+STRICT"  # contact details stay within the organisation
FIRST = "index.html"
ONLY_INTERNAL = ("duty", "panel", "operator")
BY_HAND = (
    "**Somebody may be dying: 999 comes first.** This pack does not replace it.",
    "**Is the server really gone?** Try `ewarn status` on its machine, then `ewarn doctor`. A backup is put back with "
    "`ewarn restore`. What was dropped meanwhile is taken in afterwards: nothing has to be typed twice.",
    "**Who decides.** The person on duty owns every open case until somebody else says they have it. Ring the next on "
    "the rota (contacts page) if you cannot go on. Write down who, what and when (London time) on paper.",
    "**A new result or cluster.** Note the source, the reference, the area, the day, the substances as written. "
    "Compare it with the open cases: same drug or class, same or bordering area, within 28 days belongs together.",
    "**Before warning anybody** grade it with a panel member: how sure is the event, the drug, the link between them?",
    "**Writing an alert.** Copy a text from the texts page into an e-mail. Fill in every gap. No names, no dates of "
    "birth, no small numbers in what the public reads. Keep the marking and the originators' conditions.",
    "**Approving.** Two named people, neither of them its author, read the exact text and say so in writing. One alone "
    "only out of hours, for professionals only, reviewed the next working day.",
    "**Sending.** By blind copy to the contacts of the area and the region, working hours or out-of-hours contact as "
    "the contacts page says. Ring those who do not answer within an hour where people are dying.",
    "**Standing down.** An alert that went out is ended the same way, with the stand-down text.",
    "**When the server is back** enter what was done: the case's notes, and the text with who approved it and when.",
)  # fmt: skip


class Packed(Frozen):
    """What was packed."""

    file: str
    size: int
    sha256: str
    made_at: datetime
    marking: str
    pages: tuple[str, ...]


def pack(house: House, now: datetime, actor: Actor | None = None) -> tuple[Packed, bytes]:
    """The archive. Raises: Refused where neither a co-ordinator nor an administrator asks."""
    files, marking = _files(house, now)
    body = _zipped(files, now)
    with house.db.write("pack") as tx:
        identity.demand_keeper(tx, actor, KEEPERS, "take the offline pack, which holds contact details")
        audit.append(tx, now, actor.person if actor else "ewarn", "took the offline pack", digest(body), len(files))
    name = f"ewarn-pack-{now.astimezone(LONDON):%Y-%m-%d-%H%M}.zip"
    told = Packed(file=name, size=len(body), sha256=digest(body), made_at=now, marking=marking, pages=tuple(files))
    return told, body


def _files(house: House, now: datetime) -> tuple[dict[str, str], str]:
    """File name -> text; and the marking that stands on every page."""
    opened, in_force = today.open_of(house), versions.in_force(house, now)
    with house.db.read() as con:
        names = {person.id: person for person in people.all(con)}
        known = [_bare(r) for r in recipients.all(con) if r.active]
    marking, conditions = handling.of_cases(house, opened)
    settings = house.settings
    stamp = Stamp(issuer=settings.issuer_name or settings.issuer, made_at=now, standing=settings.standing,
                  marking=strictest([marking, LEAST]))  # fmt: skip
    title, parts = review.in_parts(house, now)
    pages = {
        "cases.html": ("Open cases", _cases(house, opened, names)),
        "alerts.html": ("Alerts in force", _alerts(house, in_force)),
        "contacts.html": ("Contacts", _contacts(house, known)),
        "texts.html": ("Texts to fill in", _texts(house)),
        "advice.html": ("Advice texts", _advice(house)),
        "situation.html": (title, list(parts)),
        "by-hand.html": ("How to go on without the server", [Section(title="In order", items=BY_HAND)]),
    }
    made = {name: page(heading, sections, stamp) for name, (heading, sections) in pages.items()}
    sheets = {"contacts.csv": addressbook.write(known), "cases.csv": _sheet(house, opened, names, stamp)}
    first = Section(
        title="In this pack",
        words=conditions,
        links=(*((name, heading) for name, (heading, _) in pages.items()), *((name, name) for name in sheets)),
    )
    return {FIRST: page("Offline pack", [first], stamp, home=False)} | made | sheets, stamp.marking


def _bare(one: Recipient) -> Recipient:
    """Without web addresses: one that messages are posted to can hold a secret, and nobody can type to it."""
    kept = {name: "" if "://" in getattr(one, name) else getattr(one, name) for name in ("address", "night_address")}
    return one.model_copy(update=kept)


def _cases(house: House, opened: tuple[CaseFile, ...], names: dict[str, Person]) -> list[Section]:
    if not opened:
        return [Section(title="None", words=("No case was open.",))]
    areas = today.area_names(house)
    return [
        Section(
            title=f"{case.ref}: {case.title}",
            items=tuple(f"**{head}**: {cell}" for head, cell in _facts(case, areas, names)),
            heads=("Signal", "Why", "Known on"),
            rows=tuple(
                (
                    f"{one.signal.subject.name or one.signal.family.value}, {one.signal.area.name}",
                    one.signal.why,
                    f"{one.signal.known_on:%-d %B %Y}",
                )
                for one in case.signals
            ),
        )
        for case in opened
    ]


def _facts(case: CaseFile, areas: dict[str, str], names: dict[str, Person]) -> list[tuple[str, str]]:
    owner = names[case.owner].name if case.owner in names else case.owner
    return [
        ("Standing", case.standing.value),
        ("Lead area", areas.get(case.lead_area, case.lead_area)),
        ("Owner", owner),
        ("Next", case.next_action),
        ("Due", f"{case.due_at.astimezone(LONDON):%-d %B %Y %H:%M %Z}"),
        ("Grade", case.grade or "not graded"),
        ("Event", case.verification_event.value),
        ("Drug", case.verification_substance.value),
        ("Link", case.verification_link.value),
        ("Outcome", case.outcome.value if case.outcome else "not decided"),
    ]


def _sheet(house: House, opened: tuple[CaseFile, ...], names: dict[str, Person], stamp: Stamp) -> str:
    """The cases for a spreadsheet program: no cell is taken for a formula."""
    areas = today.area_names(house)
    rows = [[case.ref, case.title, *(cell for _, cell in _facts(case, areas, names)), stamp.marking, stamp.made]
            for case in opened]  # fmt: skip
    heads = ["case", "title", "standing", "lead area", "owner", "next", "due", "grade", "event", "drug", "link",
             "outcome", "marking", "as it stood at"]  # fmt: skip
    return cells.sheet(heads, rows)


def _alerts(house: House, in_force: tuple[versions.InForce, ...]) -> list[Section]:
    found = [(one, assess.show_alert(house, one.id, one.version)) for one in in_force]
    shown = [
        Section(
            title=f"{one.id}, version {one.version}: {one.headline}",
            words=one.asks,
            text=told.text,
            items=(f"Looked at again: {one.review_on or 'not said'}", f"Ends after: {one.expires_on or 'not said'}"),
        )
        for one, told in found
    ]
    return shown or [Section(title="None", words=("No alert was in force.",))]


def _contacts(house: House, known: list[Recipient]) -> list[Section]:
    areas = today.area_names(house)
    rota = sorted((r for r in known if r.rota_order is not None), key=lambda r: r.rota_order or 0)
    inside = [r for r in known if r.rota_order is None and r.group in ONLY_INTERNAL]
    partners = [r for r in known if r.rota_order is None and r.group not in ONLY_INTERNAL]
    heads = ("Name", "Organisation", "Group", "Areas", "By", "At", "Read", "Out of hours", "Confirmed")
    parts = (("Duty rota, first on call first", rota), ("Panel and operator", inside), ("Partners", partners))
    return [
        Section(
            title=title,
            words=() if some else ("Nobody is on the list.",),
            heads=heads,
            rows=tuple(
                (
                    one.name,
                    one.organisation,
                    one.group,
                    ", ".join(areas.get(code, code) for code in one.areas),
                    one.channel,
                    one.address or "set up on the server",
                    one.hours,
                    f"{one.night_channel or one.channel}: {one.night_address}" if one.night_address else "none",
                    f"{one.confirmed_on:%-d %B %Y}" if one.confirmed_on else "never",
                )
                for one in sorted(some, key=lambda r: (r.rota_order or 0, r.name))
            ),
        )
        for title, some in parts
    ]


def _texts(house: House) -> list[Section]:
    settings, advice = house.settings, house.catalogue.advice
    standing = {"emergency": printed(advice.get("naloxone-999")), "signs": printed(advice.get("overdose-signs"))}
    general = [printed(one) for one in advice.values() if not one.applies_to and not one.id.startswith("clinical")
               and one.id not in ("naloxone-999", "overdose-signs")]  # fmt: skip
    found = blank.texts(house.catalogue, settings.issuer_name, settings.standing, standing | {"advice": general},
                        WATERMARKS[settings.standing])  # fmt: skip
    how = Section(
        title="How", words=("Copy a text, fill in every gap in square brackets, delete what does not apply.",)
    )
    named = [Section(title=f"{one.product}, {one.audience}, {one.format}", text=one.text) for one in found]
    return [how, *named]


def _advice(house: House) -> list[Section]:
    return [
        Section(
            title=f"{one.title} (version {one.version})",
            words=(
                f"For: {', '.join(one.audience)}. Applies to: {', '.join(one.applies_to) or 'every drug'}. Owner: "
                f"{one.owner}; to be reviewed by {one.review_by:%-d %B %Y}.",
            ),
            text=printed(one)["text"],
        )
        for one in sorted(house.catalogue.advice.values(), key=lambda a: a.id)
    ]


def _zipped(files: dict[str, str], now: datetime) -> bytes:
    out = io.BytesIO()
    when = now.astimezone(LONDON).timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(f"ewarn-pack/{name}", when)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, ("\ufeff" if name.endswith(".csv") else "") + text)
    return out.getvalue()
