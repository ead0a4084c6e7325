"""What a notice says: its kind, the drugs and areas it names, what was sold as what, each with the words that say so.

In: title and text as clean text, and the vocabulary. Out: Facts. Evidence holds listed words only, never the words
around them, so that no person's name is carried along. A name that is denied ('no nitazenes were found') is left out of
the mentions and written down as negated. `Facts.kind` is the one place that says what counts as an alert:

alert: it warns of harm by drugs that is near in time or place: it announces itself as a warning and names a drug;
  or it names a drug together with harm, deception, unusual strength or (on watch, or in an area of ours) a first
  sighting; or it tells of overdoses, or of harm after taking something, in an area of ours.
update: the same, said of an earlier notice. withdrawal: it takes an earlier notice back.
background: all else, and always: statistics over a whole country or several states and more than a year, studies,
  guidance and evaluations, recalls of licensed products, outbreaks of infections, inquests and coroners' reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ewarn.intake import notice_names, notice_places
from ewarn.intake.notice_names import watched
from ewarn.intake.notice_words import WORDS, Words
from ewarn.intake.vocabulary import Vocabulary
from ewarn.matching import Mention, Place
from ewarn.terms import UK, MentionKind

LEAD = 700  # characters of text after the title that say what a notice is
OPENING = 250  # of which so many may say that it follows or takes back another
_REPLACES = re.compile(r"\b(?:replaces|supersedes|replaced by)\b", re.IGNORECASE)
NOT_STREET = {"medicine", "antidepressant", "antipsychotic", "cutting-agent", "performance-drug"}
NOT_DRUGS = {
    "alcohol", "nicotine", "cotinine", "caffeine", "theobromine", "paraxanthine", "tetrahydrocannabinol", "cannabis",
    "cannabinoid", "cannabidiol", "naloxone", "carbon-monoxide", "helium", "nitrogen", "hydrogen-sulfide", "cyanide",
    "methanol", "isopropanol", "acetone", "ethylene-glycol", "ethyl-glucuronide", "ethyl-sulfate", "toluene",
    "dichloromethane", "trichloroethylene", "propane", "sodium-nitrite",
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """`what` (kind, sold as, abroad, negated) it says (alert, a subject, ...), and the words."""

    what: str
    says: str
    words: str


@dataclass(frozen=True)
class Facts:
    kind: str
    named: tuple[Mention, ...]
    places: tuple[Place, ...]
    sold_as: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    def evidence_text(self) -> str:
        """The evidence as JSON, a list of {what, says, words}."""
        return json.dumps([vars(one) for one in self.evidence], ensure_ascii=False)


def read(
    title: str,
    text: str,
    vocabulary: Vocabulary,
    default_area: str = UK,
    *,
    nameless: bool = False,
    abroad: bool = False,
    area: str = "",
    words: Words = WORDS,
) -> Facts:
    """What a notice says. `nameless`: its source names people; `abroad`: its publisher is abroad; `area`: the one that
    whoever sent it says it is about, whatever it names."""
    whole = f"{title}. {text}" if text else title
    stated, negated = notice_names.mentions(whole, vocabulary, nameless)
    sold = list(notice_names.sold_as(whole, vocabulary, nameless))
    foreign: list[str] = []
    places = list(vocabulary.gazetteer.area(area))
    if not places:
        places, foreign = notice_places.places(whole, title, default_area, vocabulary, nameless, abroad)
    head = len(title) + 2 + LEAD
    leading = [m for m in stated if m.start < head]
    local = any(p.precision not in notice_places.NOWHERE for p in places)
    kind, said = _kind(title, text[:LEAD], leading, local, vocabulary, words)
    evidence = [Evidence("kind", kind, " | ".join(said))] if said else []
    evidence += [Evidence("sold as", one.subject or "", one.words) for one in sold]
    evidence += [Evidence("abroad", "", word) for word in foreign[:3]]
    evidence += [Evidence("negated", m.subject or m.class_id or m.as_written, phrase) for m, phrase in negated]
    named = _once([*stated, *(one.mention for one in sold if one.mention is not None)])
    return Facts(kind, tuple(named), tuple(places), tuple(dict.fromkeys(one.name for one in sold)), tuple(evidence))


def _once(mentions: Sequence[Mention]) -> list[Mention]:
    """Each substance once, in the words it first appears in."""
    first: dict[str, Mention] = {}
    for one in mentions:
        first.setdefault(one.subject or one.as_written.casefold(), one)
    return list(first.values())


def _kind(
    title: str, lead: str, named: list[Mention], local: bool, vocabulary: Vocabulary, words: Words
) -> tuple[str, list[str]]:
    """The kind, and the words that decided it."""
    both = f"{title}. {lead}"
    drugs = [m for m in named if _is_drug(m)]
    said = _first(words.announces, title) + _first(words.names_drugs, both) + [m.as_written for m in _once(drugs)][:3]
    # A false withdrawal would silence a warning: only the title and the first words can say it.
    withdrawn = _first(words.withdrawn, title) or _first(words.withdrawn_title, title)
    withdrawn = withdrawn or _first(words.withdrawn, lead[:OPENING])
    if withdrawn and not _REPLACES.search(both):
        return "withdrawal", withdrawn
    about_drugs = bool(drugs or _first(words.names_drugs, both) or _first(words.overdose, both))
    studied = _first(words.background, title) or _first(words.product, title) or _wide_and_long(title)
    if not (about_drugs and words.announces.search(title)):
        studied = studied or _first(words.studies, title) or _first(words.inquest, both)
    if studied:
        return "background", studied
    updated = _first(words.updated, title) or _first(words.updated, lead[:OPENING])
    if updated and about_drugs:
        return "update", updated + said
    harm = _first(words.harm, both)
    why = _alerting(title, both, drugs, harm, local, vocabulary, words)
    if why:
        return "alert", list(dict.fromkeys([*why, *said]))
    return "background", []


def _alerting(
    title: str, both: str, drugs: list[Mention], harm: list[str], local: bool, vocabulary: Vocabulary, words: Words
) -> list[str]:
    """The words that make it an alert; none where it is not."""
    on_watch = [m.as_written for m in drugs if watched(m, vocabulary)]
    announced, about_drugs = _first(words.announces, title), _first(words.names_drugs, both)
    overdose, deceived = _first(words.overdose, both), _first(words.deception, both)
    if announced and (about_drugs or drugs or overdose):
        return announced
    if _first(words.infection, title) and not on_watch:
        return []
    if drugs and (harm or deceived or _first(words.potency, both)):
        return [*harm, *deceived, *_first(words.potency, both)]
    if on_watch or (drugs and local):
        return _first(words.novelty, both)
    if about_drugs and (harm or deceived) and (local or words.announces.search(both)):
        return [*about_drugs, *harm, *deceived]
    if local and harm and (used := _first(words.taken, both)):
        return [*harm, *used]
    if (
        announced
        and harm
        and (called := [m.as_written for m in vocabulary.matcher.mentions(title, whole=False, brands=True)])
    ):
        return [*announced, *called[:1], *harm]
    return overdose if local else []


def _first(pattern: re.Pattern[str], text: str) -> list[str]:
    found = pattern.search(text)
    return [found.group().strip(" :-([\u2013\u2014")] if found else []


def _is_drug(mention: Mention) -> bool:
    if mention.kind is MentionKind.STATUS or mention.subject in NOT_DRUGS:
        return False
    return mention.class_id is not None and mention.class_id not in NOT_STREET


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_WHEN = re.compile(rf"(?:\b({_MONTHS})\s+(?:\d{{1,2}},?\s+)?)?\b((?:19|20)\d\d)\b", re.IGNORECASE)
_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|multiple|selected)"
_WIDE = re.compile(
    rf"\bUnited States\b|\bU\.?S\.?(?=\s*(?:,|$))|\bEngland\b|\bUnited Kingdom\b|\bUK\b|\bGreat Britain\b|\bEurope\b"
    rf"|\b{_NUMBER} (?:U\.S\. |US )?(?:states|jurisdictions|countries|counties)\b|\b(?:nation|world)wide\b"
    rf"|\bnational\b",
    re.IGNORECASE,
)


def _wide_and_long(title: str) -> list[str]:
    """The words that say 'statistics of a whole country, or several states, over more than a year'."""
    wide = _WIDE.search(title)
    months = [
        (int(year), [m.casefold() for m in _MONTHS.split("|")].index(month.casefold()) if month else None)
        for month, year in _WHEN.findall(title)
    ]
    if wide is None or not months:
        return []
    first, last = months[0], months[-1]
    span = 12 * (last[0] - first[0]) + (11 if last[1] is None else last[1]) - (first[1] or 0) + 1
    return [wide.group(), f"{first[0]} to {last[0]}"] if span > 12 else []
