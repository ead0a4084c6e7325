"""A case becomes the structured object that every format is rendered from.

In: a case, its facts, the catalogue. Out: an alert in draft, with plain sentences, figures that name their records,
advice by id and version. It must never print a seller, a price, a handle or a multiplier, nor call suspected what is
not confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from ewarn.assess import joining, machine, sentences, series, verify
from ewarn.assess.advice import chosen, printed, with_sources
from ewarn.assess.facts import Facts
from ewarn.catalogue import Catalogue
from ewarn.disclosure import inert
from ewarn.disclosure.suppress import AFFECTED, DIED, LEAST, MOST, SAMPLES, WITH_IT
from ewarn.errors import UsageFault
from ewarn.personal import placeholders
from ewarn.terms import Alert, AlertStatus, CaseFile, Product, Standing, VersionKind, london_day

FIXED = frozenset(
    {
        *("reference", "alert_id", "version", "issuer", "standing", "product", "watermark", "handling", "date"),
        *("figures", "record_versions", "published", "what_happened_public", "classification"),
        *("kind", "replaces", "closes", "closes_headline"),
        *("answer", "answer_code", "answer_at", "verify", "series", "photo"),
        *("told_in", "days"),
        *machine.PARTS,
    }
)
PROFESSIONALS = "Professionals who work with people who use drugs. Not for publication."
WATERMARKS = {
    Standing.ACTUAL: "",
    Standing.EXERCISE: "EXERCISE EXERCISE EXERCISE: not a real event, do not act on it",
    Standing.TEST: "TEST TEST TEST: not a real event, do not act on it",
}


def write(
    case: CaseFile,
    catalogue: Catalogue,
    product: Product,
    author: str,
    now: datetime,
    facts: Facts,
    *,
    alert_id: str = "",
    issuer_name: str = "",
    origin: str = "",
    public_url: str = "",
    sender: str = "",
) -> Alert:
    """The first version of a text about this case, status draft, without hash.

    In: `facts` of the joined signals' records; `issuer_name` as partners know the service; `origin` where the text
    must say where its facts come from; `public_url` of the service that takes answers, where there is one; `sender`
    the address that machine formats name.
    """
    if product is Product.CONTACT_TEST:
        raise UsageFault("a contact test is not drafted from a case", next_step="Use 'ewarn contacts test start'.")
    alert_id = alert_id or f"{case.ref}/A1"
    advice = chosen(case, facts, catalogue)
    said = sentences.what_happened(case, facts, catalogue)
    content: dict[str, Any] = {
        "reference": case.ref,
        "alert_id": alert_id,
        "version": 1,
        "issuer": issuer_name or case.ref.split("-")[0],
        "standing": case.standing.value,
        "product": product.value,
        "area": catalogue.area_ref(case.lead_area).model_dump(mode="json"),
        "also_possible": _also_possible(case),
        "headline": sentences.headline(case, facts, catalogue, product),
        "what_happened": sentences.exact(said),
        "what_happened_public": sentences.public(said),
        "figures": _figures(case, facts),
        "record_versions": dict(facts.versions),
        "days": _days(facts),
        "verification": verify.in_words(_held(case), facts),
        "sold_as": list(facts.sold_as),
        "found": sentences.found(case, facts, catalogue),
        "analyses": series.analyses(case, facts),
        "series": series.weekly(facts),
        "appearance": sentences.appearance(facts),
        "at_risk": sentences.at_risk(case, facts, catalogue),
        "signs": printed(advice.signs),
        "advice": [printed(text) for text in advice.texts],
        "emergency": printed(advice.emergency),
        "clinical": [with_sources(text) for text in advice.clinical],
        "report_back": sentences.report_back(case, product, issuer_name),
        "marking": facts.marking,
        "handling": {"marking": facts.marking, "conditions": list(facts.conditions)},
        "audience": " ".join([PROFESSIONALS, *map(_sentence, facts.conditions)]),
        "kind": VersionKind.ALERT.value,
        "replaces": None,
        "watermark": WATERMARKS[case.standing],
        "origin": origin,
    }
    content |= dates(product, catalogue, now) | placeholders.parts(public_url, case.ref)
    content |= machine.parts(case, facts, catalogue, sender)
    return Alert(
        id=alert_id,
        case=case.ref,
        version=1,
        product=product,
        status=AlertStatus.DRAFT,
        standing=case.standing,
        area=case.lead_area,
        author=author,
        template_versions=template_versions(product, catalogue),
        advice_versions=advice.versions,
        content=inert.content(content),
        created_at=now,
    )


def edit(alert: Alert, changes: Mapping[str, Any], author: str, now: datetime, catalogue: Catalogue) -> Alert:
    """The next version with some parts changed; it starts again as a draft and no approval counts for it.

    In: `changes` by key of the content object; `advice` may be given as a list of advice ids. Raises: UsageFault.
    """
    known = set(alert.content) - FIXED
    if strangers := sorted(set(changes) - known):
        raise UsageFault(
            f"cannot be edited: {', '.join(strangers)}",
            where=alert.id,
            next_step=f"Edit any of {', '.join(sorted(known))}.",
        )
    shaped = {key: _shaped(alert, key, value) for key, value in changes.items()}
    return following(alert, shaped, alert.version + 1, author, now, catalogue)


def _shaped(alert: Alert, key: str, value: Any) -> Any:
    """Words for a part that is a list become its entries, set apart by lines or bars. Raises: UsageFault."""
    before = alert.content[key]
    if isinstance(value, str) and isinstance(before, list):
        found = [part.strip() for part in re.split(r"[\n|]", value) if part.strip()]
        if all(isinstance(entry, str) for entry in before) or key == "advice":
            return found
    if isinstance(value, str) and isinstance(before, (list, dict)):
        raise UsageFault(
            f"'{key}' is not a line of text", where=alert.id, next_step="It is drawn from the case: update it there."
        )
    return value


def released(alert: Alert, figure: str, reason: str, author: str, now: datetime, catalogue: Catalogue) -> Alert:
    """The next version, in which the panel releases a figure's count to the public. Raises: UsageFault."""
    rows = alert.content.get("figures", [])
    wanted = [f for f in rows if str(f["label"]).removesuffix(LEAST).removesuffix(MOST).casefold() == figure.casefold()]
    if not wanted:
        known = ", ".join(dict.fromkeys(str(f["label"]).removesuffix(LEAST).removesuffix(MOST) for f in rows)) or "none"
        raise UsageFault(f"there is no figure '{figure}'", where=alert.id, next_step=f"Figures: {known}.")
    figures = [{**f, "released": reason} if f in wanted else f for f in rows]
    return following(alert, {"figures": figures}, alert.version + 1, author, now, catalogue)


def following(
    alert: Alert, changes: Mapping[str, Any], number: int, author: str, now: datetime, catalogue: Catalogue
) -> Alert:
    """A draft under the same reference with some parts changed, and the templates and advice now in force."""
    content = {**alert.content, **changes, "version": number, "date": london_day(now).isoformat()}
    content["advice"] = [_advice(item, catalogue) for item in content["advice"]]
    for part in ("signs", "emergency"):
        content[part] = _advice(content[part], catalogue)
    content["clinical"] = [_clinical(item, catalogue) for item in content.get("clinical", ())]
    texts = [content["signs"], content["emergency"], *content["advice"], *content["clinical"]]
    content = inert.content(content)
    kind = VersionKind(content.get("kind", VersionKind.ALERT))
    return alert.model_copy(
        update={
            "version": number,
            "status": AlertStatus.DRAFT,
            "author": author,
            "template_versions": template_versions(alert.product, catalogue, kind),
            "advice_versions": {t["id"]: t["version"] for t in texts if t["id"]},
            "content": content,
            "created_at": now,
            "hash": "",
            "supersedes": alert.version,
        }
    )


def answerable(alert: Alert, public_url: str) -> Alert:
    """A draft that says where it is answered as the service stands now; with '' it says nothing of it."""
    said = placeholders.parts(public_url, str(alert.content["reference"]))
    return alert.model_copy(update={"content": alert.content | said})


def template_versions(product: Product, catalogue: Catalogue, kind: VersionKind = VersionKind.ALERT) -> dict[str, int]:
    """The templates this text is rendered from, with their versions; one that ends it has its own, parts are shared."""
    wanted = (kind.value if kind.closes else product.value, "parts")
    return {t.id: t.version for t in sorted(catalogue.templates.values(), key=lambda t: t.id) if t.product in wanted}


def _advice(item: Any, catalogue: Catalogue) -> dict[str, Any]:
    """An advice text as it stands in the catalogue now, by its id."""
    advice_id = item if isinstance(item, str) else item["id"]
    if advice_id and advice_id not in catalogue.advice:
        raise UsageFault(
            f"there is no advice text '{advice_id}'",
            where="alerts/advice",
            next_step=f"Use any of {', '.join(sorted(catalogue.advice))}.",
        )
    return printed(catalogue.advice.get(advice_id))


def _clinical(item: Any, catalogue: Catalogue) -> dict[str, Any]:
    """A text for clinicians, with its sources, by its id."""
    found = _advice(item, catalogue)
    return with_sources(catalogue.advice[found["id"]]) if found["id"] else found


def _days(facts: Facts) -> dict[str, list[str]]:
    """The first and last day of what is counted, of people and of samples: with it no count is told in two cuts."""
    people = [day for e in facts.events for day in (e.start, e.end)]
    spans = {"people": people, "samples": [s.sampled for s in facts.samples]}
    return {kind: [min(days).isoformat(), max(days).isoformat()] for kind, days in spans.items() if days}


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."


def _held(case: CaseFile) -> verify.Held:
    return verify.Held(case.verification_event, case.verification_substance, case.verification_link)


def _also_possible(case: CaseFile) -> list[str]:
    names = {
        area.name: None
        for held in joining.joined(case)
        for area in held.signal.also_possible
        if area.code != case.lead_area
    }
    return list(names)


def _figures(case: CaseFile, facts: Facts) -> list[dict[str, Any]]:
    """Each figure with the signal and the records it rests on."""
    dead, people = facts.persons("fatal"), facts.persons()
    fatal = [e.record for e in facts.events if e.outcome == "fatal"]
    events, samples = [e.record for e in facts.events], [s.record for s in facts.samples]
    with_it = [s.record for s in sentences.samples_with_it(case, facts)]
    rows = [
        *_bounds(DIED, dead, fatal),
        *(_bounds(AFFECTED, people, events) if people != dead else ()),
        (SAMPLES, len(samples), samples),
        (WITH_IT, len(with_it) if len(with_it) != len(samples) else 0, with_it),
    ]
    return [
        {"label": label, "value": value, "signal": _signal_of(case, records), "records": sorted(records)}
        for label, value, records in rows
        if value
    ]


def _bounds(label: str, bounds: tuple[int, int], records: list[str]) -> list[tuple[str, int, list[str]]]:
    """One figure where fewest and most agree, else both."""
    low, high = bounds
    if low == high:
        return [(label, low, records)]
    return [(f"{label}{LEAST}", low, records), (f"{label}{MOST}", high, records)]


def _signal_of(case: CaseFile, records: list[str]) -> str:
    """The joined signal that rests on most of these records."""
    wanted = set(records)
    signals = [held.signal for held in joining.joined(case)]
    best = max(signals, key=lambda s: (len(wanted.intersection(s.records)), s.id), default=None)
    return best.id if best else ""


def dates(product: Product, catalogue: Catalogue, now: datetime) -> dict[str, str]:
    today, grading = london_day(now), catalogue.grading
    days = grading.next_review_days
    if product is Product.CORROBORATE:
        days = max(1, ceil(grading.answer_reports_within_hours / 24))
    return {
        "date": today.isoformat(),
        "review_on": (today + timedelta(days=days)).isoformat(),
        "expires_on": (today + timedelta(days=2 * days)).isoformat(),
    }
