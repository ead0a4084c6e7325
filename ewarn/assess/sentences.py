"""The plain sentences of a draft.

In: a case and its facts. Out: short sentences with dates, counts and places. It must never say more than the records
do: suspected is not found, and a count across streams is at least and at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from ewarn.assess.facts import Facts, Found, Sample
from ewarn.assess.verify import about
from ewarn.catalogue import Catalogue
from ewarn.disclosure.suppress import AFFECTED, AMONG, DIED, SAMPLES, WITH_IT
from ewarn.terms import CaseFile, Product, Role, SubjectKind

LISTED = 8
PLAIN_SETTINGS = ("home", "other")


class Line(NamedTuple):
    """A sentence around one count. Professionals read the count; the public reads what may be shown of the figure."""

    figure: str
    low: int
    high: int
    before: str
    one: str
    many: str
    uncounted: str
    together: str = ""

    @property
    def exact(self) -> str:
        count = str(self.low) if self.low == self.high else f"between {self.low} and {self.high}"
        return f"{self.before}{count} {self.one if count == '1' else self.many}"

    @property
    def public(self) -> dict[str, Any]:
        """What stands around the count, which `ewarn.disclosure` fills in; the count itself stands in the figure."""
        words = {key: getattr(self, key) for key in ("figure", "before", "one", "many", "uncounted")}
        return words | ({"together": self.together, "first": True} if self.together else {})


Said = Line | str


def exact(said: Sequence[Said]) -> list[str]:
    return [line if isinstance(line, str) else line.exact for line in said]


def public(said: Sequence[Said]) -> list[str | dict[str, Any]]:
    return [line if isinstance(line, str) else line.public for line in said]


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


def what_happened(case: CaseFile, facts: Facts, catalogue: Catalogue) -> list[Said]:
    """Counts, dates, kinds of setting, and what was analysed; one fact a sentence."""
    area = catalogue.area_ref(case.lead_area).name
    return [*_of_events(facts, area), *_of_samples(case, facts, area), *_of_notices(facts)]


def _of_events(facts: Facts, area: str) -> list[Said]:
    if not facts.events:
        return []
    when = span(min(e.start for e in facts.events), max(e.end for e in facts.events))
    said = _of_people(facts.persons(), facts.persons("fatal"), f"{when}, ", f"in or near {area}.")
    settings = [setting for setting in facts.settings if setting not in PLAIN_SETTINGS]
    if settings:
        said.append(f"Kinds of setting reported: {listed(settings)}.")
    suspected = sorted({inside(f.name) for f in facts.found if not f.analysed})
    if suspected:
        said.append(f"Those who reported it suspect {listed(suspected, 'or')}. This is not an analysis.")
    return said


def _of_people(people: tuple[int, int], dead: tuple[int, int], when: str, where: str) -> list[Said]:
    together = f"people were reported to have overdosed or died {where}"
    died, overdosed = f"reported to have died {where}", f"reported to have overdosed {where}"
    if people == dead:
        return [Line(DIED, *dead, when, f"person was {died}", f"people were {died}", AMONG, together)]
    first = Line(AFFECTED, *people, when, f"person was {overdosed}", f"people were {overdosed}", "", together)
    return [first, *([Line(DIED, *dead, "Of these, ", "person died.", "people died.", AMONG)] if dead[1] else [])]


def _of_samples(case: CaseFile, facts: Facts, area: str) -> list[Said]:
    rows = samples_with_it(case, facts)
    if not rows:
        return _of_unnamed(facts, area)
    when = span(min(s.sampled for s in rows), max(s.sampled for s in rows))
    names = listed(sorted({inside(f.name) for f in analysed(case, facts)}))
    count = (SAMPLES if len(rows) == len(facts.samples) else WITH_IT, len(rows), len(rows))
    whence = f"from or near {area}"
    if all(f.presumptive for f in analysed(case, facts)):
        told, before = f"{whence} indicated {names}.", f"{when}, presumptive tests of "
        return [Line(*count, before, f"sample {told}", f"samples {told}", f"{before}samples {told}")]
    told = f"found to contain {names}."
    one, many = f"sample {whence} was {told}", f"samples {whence} were {told}"
    return [Line(*count, f"{when}, ", one, many, f"{when}, {many}")]


def samples_with_it(case: CaseFile, facts: Facts) -> list[Sample]:
    """The samples in which analyses found the case's substance or class."""
    records = {f.record for f in analysed(case, facts)}
    return [s for s in facts.samples if s.record in records]


def _of_unnamed(facts: Facts, area: str) -> list[Said]:
    """Samples whose content has no name that the lists hold: that they exist is known, and nothing more."""
    if not facts.samples:
        return []
    when = span(min(s.sampled for s in facts.samples), max(s.sampled for s in facts.samples))
    before, whence = f"{when}, a name that we do not know was reported for ", f"from or near {area}."
    count = len(facts.samples)
    return [Line(SAMPLES, count, count, before, f"sample {whence}", f"samples {whence}", f"{before}samples {whence}")]


def _of_notices(facts: Facts) -> list[Said]:
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
