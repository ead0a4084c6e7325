"""The plain sentences of a draft.

In: a case and its facts. Out: short sentences with dates, counts and places. It must never say more than the records
do: suspected is not found, and a count across streams is at least and at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from ewarn.assess.facts import Facts, Found
from ewarn.assess.verify import about
from ewarn.catalogue import Catalogue
from ewarn.disclosure.suppress import public_words
from ewarn.terms import CaseFile, Product, Role, SubjectKind

LISTED = 8
PLAIN_SETTINGS = ("home", "other")
Counted = Callable[[int], str]


def exact(count: int) -> str:
    """A count as professionals read it."""
    return str(count)


def suppressed(count: int) -> str:
    """A count as the public reads it: 1 to 7 in words, others rounded to 5."""
    return public_words(count)


def day(value: date) -> str:
    return f"{value:%-d %B %Y}"


def span(start: date, end: date) -> str:
    return f"On {day(start)}" if start == end else f"Between {day(start)} and {day(end)}"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """heroin, diazepam and oxycodone"""
    words = list(words)
    if len(words) > LISTED:
        words = [*words[:LISTED], "others"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}" if words else ""


def inside(name: str) -> str:
    """A name inside a sentence: Diazepam becomes diazepam, SR-17018 and N-desethyl isotonitazene stay."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _range(low: int, high: int, counted: Counted) -> str:
    shown_low, shown_high = counted(low), counted(high)
    return shown_low if shown_low == shown_high else f"between {shown_low} and {shown_high}"


def _persons(low: int, high: int, counted: Counted) -> str:
    return "1 person" if _range(low, high, counted) == "1" else f"{_range(low, high, counted)} people"


def _were(persons: tuple[int, int], counted: Counted) -> str:
    return "was" if _range(*persons, counted) == "1" else "were"


def what_happened(case: CaseFile, facts: Facts, catalogue: Catalogue, counted: Counted) -> list[str]:
    """Counts, dates, kinds of setting, and what was analysed; one fact a sentence."""
    area = catalogue.area_ref(case.lead_area).name
    return [*_of_events(facts, area, counted), *_of_samples(case, facts, area, counted), *_of_notices(facts)]


def _of_events(facts: Facts, area: str, counted: Counted) -> list[str]:
    if not facts.events:
        return []
    when = span(min(e.start for e in facts.events), max(e.end for e in facts.events))
    people, dead = facts.persons(), facts.persons("fatal")
    if people == dead:
        said = [f"{when}, {_persons(*dead, counted)} {_were(dead, counted)} reported to have died in or near {area}."]
    else:
        told = f"{_persons(*people, counted)} {_were(people, counted)} reported to have overdosed"
        said = [f"{when}, {told} in or near {area}."]
        said += [f"Of these, {_persons(*dead, counted)} died."] if dead[1] else []
    settings = [setting for setting in facts.settings if setting not in PLAIN_SETTINGS]
    if settings:
        said.append(f"Kinds of setting reported: {listed(settings)}.")
    suspected = sorted({inside(f.name) for f in facts.found if not f.analysed})
    if suspected:
        said.append(f"Those who reported it suspect {listed(suspected, 'or')}. This is not an analysis.")
    return said


def _of_samples(case: CaseFile, facts: Facts, area: str, counted: Counted) -> list[str]:
    records = {f.record for f in analysed(case, facts)}
    rows = [s for s in facts.samples if s.record in records]
    if not rows:
        return _of_unnamed(facts, area, counted)
    when = span(min(s.sampled for s in rows), max(s.sampled for s in rows))
    names = sorted({inside(f.name) for f in analysed(case, facts)})
    count = "1 sample" if len(rows) == 1 and counted(1) == "1" else f"{counted(len(rows))} samples"
    verb = "was" if count == "1 sample" else "were"
    said = [f"{when}, {count} from or near {area} {verb} found to contain {listed(names)}."]
    if all(f.presumptive for f in analysed(case, facts)):
        said = [f"{when}, presumptive tests of {count} from or near {area} indicated {listed(names)}."]
    return said


def _of_unnamed(facts: Facts, area: str, counted: Counted) -> list[str]:
    """Samples whose content has no name that the lists hold: that they exist is known, and nothing more."""
    if not facts.samples:
        return []
    when = span(min(s.sampled for s in facts.samples), max(s.sampled for s in facts.samples))
    count = counted(len(facts.samples))
    rows = "1 sample" if count == "1" else f"{count} samples"
    return [f"{when}, a name that we do not know was reported for {rows} from or near {area}."]


def _of_notices(facts: Facts) -> list[str]:
    return [f"An official notice was published: {title}." for title in facts.notices[:3]]


def analysed(case: CaseFile, facts: Facts) -> list[Found]:
    """What analyses found of the case's substance or class; nothing that was only suspected."""
    return [f for f in facts.found if about(case, f) and f.analysed]


def names_of(case: CaseFile, facts: Facts, catalogue: Catalogue) -> list[str]:
    """The substances the text is about, as analysed; the class where none is named."""
    if case.subject.kind is SubjectKind.NONE:
        return []
    names = sorted({inside(f.name) for f in analysed(case, facts) if f.subject not in catalogue.classes})
    return names or [inside(case.subject.name)]


def headline(case: CaseFile, facts: Facts, catalogue: Catalogue, product: Product) -> str:
    """One line; it says so where the substance is not confirmed."""
    area, names = catalogue.area_ref(case.lead_area).name, names_of(case, facts, catalogue)
    opening = {
        Product.FORMAL_ALERT: "",
        Product.SHARE: "For information: ",
        Product.CORROBORATE: "Can you help confirm this? ",
    }[product]
    dead = facts.persons("fatal")[1] > 0
    harm = "deaths" if dead else "overdoses"
    if not names:
        return f"{opening}{harm.capitalize()} in {area}, drug not confirmed"
    name = listed(names[:3])
    name = name[:1].upper() + name[1:] if names[0][1:2].islower() else name
    sure = case.verification_substance.value == "confirmed"
    said = f"{name} found in {area}" if sure else f"{name} suspected in {area}, not confirmed"
    if facts.events:
        said += f"; {harm} reported"
    elif facts.sold_as and sure:
        said = f"{name} found in drugs sold as {listed([*map(inside, facts.sold_as[:3])], 'or')} in {area}"
    return opening + said


def found(case: CaseFile, facts: Facts, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Found to contain: each substance once with its strongest role, those on watch first."""
    ranked: dict[str, Found] = {}
    records = {f.record for f in analysed(case, facts)}
    order = [role.value for role in (Role.CONFIRMED, Role.MAJOR, Role.MINOR, Role.TRACE)]
    for f in sorted(facts.found, key=lambda f: (bool(f.presumptive), order.index(f.role) if f.role in order else 9)):
        if f.record in records and f.analysed:
            ranked.setdefault(f.name, f)
    chosen = sorted(ranked.values(), key=lambda f: (not catalogue.is_watched(f.subject), f.name))
    return [{"name": f.name, "role": f.role, "presumptive": bool(f.presumptive)} for f in chosen]


def appearance(facts: Facts) -> list[str]:
    """Form, colour and marking of each kind of item, once."""
    kinds = {
        ", ".join(part for part in (s.form, s.colour, f"marked {s.label}" if s.label else "") if part): None
        for s in facts.samples
    }
    return [kind for kind in kinds if kind][:LISTED]


def at_risk(case: CaseFile, facts: Facts, catalogue: Catalogue) -> str:
    area = catalogue.area_ref(case.lead_area).name
    if facts.sold_as:
        return f"Anyone who uses drugs sold as {listed([*map(inside, facts.sold_as)], 'or')} in or near {area}."
    return f"Anyone who uses drugs in or near {area}. We do not know what it is sold as."


def report_back(case: CaseFile, product: Product, issuer_name: str) -> str:
    """How partners answer; no personal data is asked for."""
    whom = issuer_name or "the sender"
    ask = {
        Product.CORROBORATE: f"Have you seen this? Please tell {whom}, also if you have not",
        Product.SHARE: f"If you see this, please tell {whom}",
        Product.FORMAL_ALERT: f"Please tell {whom} about any overdose or sample that may belong to this",
    }[product]
    say = "" if product is Product.CORROBORATE else "Say when, in which area, what it was sold as and what happened. "
    return f"{ask}: reply and quote {case.ref}. {say}Do not send names, dates of birth or full postcodes."
