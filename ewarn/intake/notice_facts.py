"""What a notice says: its kind, the drugs and areas it names, what was sold as what, each with the words that say so.

In: title and text as clean text, and the vocabulary. Out: Facts. Evidence holds listed words only, never the words
around them, so that no person's name is carried along. A name that is denied ('no nitazenes were found') is left out of
the mentions and written down as negated. `Facts.kind` is the one place that says what counts as an alert:

alert: it warns of harm by drugs that is near in time or place: it announces itself as a warning and names a drug;
  or it names a drug together with harm, deception, unusual strength or (on watch, or in an area of ours) a first
  sighting; or it tells of overdoses in an area of ours.
update: the same, said of an earlier notice. withdrawal: it takes an earlier notice back.
background: all else, and always: statistics over a whole country or several states and more than a year, studies,
  guidance and evaluations, recalls of licensed products, outbreaks of infections, coroners' reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ewarn.intake import notice_words
from ewarn.intake.notice_words import WORDS, Words
from ewarn.intake.places import unplaced
from ewarn.intake.vocabulary import Vocabulary
from ewarn.matching import Mention, Place
from ewarn.terms import UK, MentionKind

LEAD = 700  # characters of text after the title that say what a notice is
OPENING = 250  # of which so many may say that it follows or takes back another
_REPLACES = re.compile(r"\b(?:replaces|supersedes|replaced by)\b", re.IGNORECASE)
NOWHERE = ("unplaced", "outside the UK")
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
    stated, negated = _mentions(whole, vocabulary, nameless)
    sold = list(_sold_as(whole, vocabulary, nameless))
    foreign: list[str] = []
    places = list(vocabulary.gazetteer.area(area))
    if not places:
        places, foreign = _places(whole, title, default_area, vocabulary, nameless, abroad)
    head = len(title) + 2 + LEAD
    leading = [m for m in stated if m.start < head]
    local = any(p.precision not in NOWHERE for p in places)
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


# ---------------------------------------------------------------- kind


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
    studied = _first(words.background, title) or _first(words.product, title) or _wide_and_long(title)
    if studied:
        return "background", studied
    about_drugs = bool(drugs or _first(words.names_drugs, both) or _first(words.overdose, both))
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
    watched = [m.as_written for m in drugs if _watched(m, vocabulary)]
    announced, about_drugs = _first(words.announces, title), _first(words.names_drugs, both)
    overdose, deceived = _first(words.overdose, both), _first(words.deception, both)
    if announced and (about_drugs or drugs or overdose):
        return announced
    if _first(words.infection, title) and not watched:
        return []
    if drugs and (harm or deceived or _first(words.potency, both)):
        return [*harm, *deceived, *_first(words.potency, both)]
    if watched or (drugs and local):
        return _first(words.novelty, both)
    if about_drugs and (harm or deceived) and (local or words.announces.search(both)):
        return [*about_drugs, *harm, *deceived]
    return overdose if local else []


def _first(pattern: re.Pattern[str], text: str) -> list[str]:
    found = pattern.search(text)
    return [found.group().strip(" :-([\u2013\u2014")] if found else []


def _is_drug(mention: Mention) -> bool:
    if mention.kind is MentionKind.STATUS or mention.subject in NOT_DRUGS:
        return False
    return mention.class_id is not None and mention.class_id not in NOT_STREET


def _watched(mention: Mention, vocabulary: Vocabulary) -> bool:
    group = vocabulary.known.classes.get(mention.class_id or mention.subject or "")
    if group is None:
        return False
    own = next((s.watch for s in group.substances if s.id == mention.subject), None)
    return group.watch if own is None else own


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


# ---------------------------------------------------------------- names, and names denied

_DENIAL = re.compile(r"\b(?:not|no|non|without|neither|nor|negative|excluded|excluding|excludes|absence|free)\b", re.I)
_GAP = r"(?:[\s\-]+|,? (?:and|or|nor) |, )"
_NO = re.compile(
    r"\b(?:(?:no|without|neither)(?: (?:any )?(?:evidence|traces?|signs?|detection|presence)(?: or \w+)? of)?"
    r"|(?:did|do|does|was|were|has|have) not (?:appear to )?(?:contain|include|find|found to contain|detect|involve"
    r"|show|identify)"
    r"|(?:tested |tests? |testing )?negative for|absence of|free (?:of|from)|excluding|excludes|rul(?:ed|es|ing) out"
    r"|not)"
    r"(?: (?:any|other|the|further|additional|novel|new|synthetic|illicit|active|of|presence))*\s*$", re.IGNORECASE,
)  # fmt: skip
_NOT_EITHER = re.compile(r"\bnot (?:only|just|merely|necessarily|yet)\b[^.;]*$", re.IGNORECASE)
_UNDENIED = re.compile(
    r"\s*(?:[- ]related |[- ]involved )?(?:deaths?|overdoses?|cases?|test(?:s|ing)? strips?|antidote|naloxone)\b", re.I
)
_NOT_FOUND = re.compile(
    r"^(?:\s+(?:or|nor|and) [\w ,-]{1,40}?)?\s+(?:(?:was|were|is|are|has|have|had)(?: been)? )?"
    r"(?:(?:not|never) (?:been )?(?:detected|found|present|identified|seen)|negative|excluded|ruled out|absent)\b",
    re.I,
)


def _mentions(text: str, vocabulary: Vocabulary, nameless: bool) -> tuple[list[Mention], list[tuple[Mention, str]]]:
    """Names stated, and names denied with the words that deny them.

    The matcher would leave out denied names unseen; it is given the text with the denying words blanked out, letter for
    letter, and what they deny is judged here, over lists too ('no fentanyl, xylazine or nitazenes').
    """
    blank = _DENIAL.sub(lambda found: " " * len(found.group()), text)
    stated: list[Mention] = []
    negated: list[tuple[Mention, str]] = []
    last_denied: tuple[int, str] | None = None
    for one in vocabulary.matcher.mentions(blank, whole=False):
        if one.kind is MentionKind.STATUS or (one.kind is MentionKind.QUEUED and not _may_be_kept(one, nameless)):
            continue
        phrase = _denied(text, one)
        if not phrase and last_denied and re.fullmatch(_GAP, text[last_denied[0] : one.start]):
            phrase = last_denied[1]
        if phrase:
            last_denied = (one.end, phrase)
            negated.append((one, f"{phrase} \u2026 {one.as_written}" if one.as_written not in phrase else phrase))
        else:
            stated.append(one)
    return stated, negated


def _may_be_kept(queued: Mention, nameless: bool) -> bool:
    """An unlisted name: only with the class it looks like, and never what may be a person's name."""
    return queued.class_id is not None and not (nameless and queued.as_written[:1].isupper())


def _denied(text: str, one: Mention) -> str:
    """The words that deny a name; empty where it is stated. Unconfirmed is not denied."""
    before = re.split(r"[.;:!?()\u2014]|\bbut\b|, (?:which|who)\b", text[max(0, one.start - 90) : one.start])[-1]
    after = text[one.end : one.end + 80]
    no = _NO.search(before)
    if no and not _NOT_EITHER.search(before) and not _UNDENIED.match(after):
        return re.sub(r"\s+", " ", no.group()).strip()
    not_found = _NOT_FOUND.match(re.split(r"[.;!?()\u2014]", after)[0])
    return (
        re.sub(r"^.*?\b(?=(?:not|never|negative|excluded|ruled|absent)\b)", "", not_found.group()) if not_found else ""
    )


# ---------------------------------------------------------------- sold as


@dataclass(frozen=True)
class _Sold:
    name: str
    subject: str | None
    words: str
    mention: Mention | None


_SOLD = re.compile(
    r"\b(?:mis-?sold as|sold (?:to (?:them|her|him|people|users) )?as|purported(?:ly)? (?:to be|as)|purporting to be"
    r"|purported"
    r"|marketed as|advertised as|labell?ed as|passed off as|disguised as|masquerading as|presented as|posing as"
    r"|bought as"
    r"|purchased as|offered as|supplied as|(?P<weak>believed to be|thought to be|believing (?:it|they|them) (?:was"
    r"|were|to be)"
    r"|thinking (?:it|they) (?:was|were)|thought (?:it was|they were)(?: (?:taking|using|snorting|smoking|buying"
    r"|injecting))?"
    r"|in place of|instead of|intended (?:to be|as)|made to look like|resembling|substitut(?:ed|es?|ing) for))\b",
    re.IGNORECASE,
)  # fmt: skip
_FAKE = re.compile(r"\b(?:counterfeit|fake|bogus|imitation|falsified)\b", re.IGNORECASE)
_STOP = re.compile(
    r"[.;!?()\n\u2014]|\b(?:but|contain\w*|which|that|has|have|were|was|found|with|laced|tested|cut|linked|are|is"
    r"|may|after)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^\s*(?:\w+ ){0,2}[\"'\u2018\u201c]([^\"'\u2019\u201d]{2,40})[\"'\u2019\u201d]")


def _sold_as(text: str, vocabulary: Vocabulary, nameless: bool) -> Iterator[_Sold]:
    """What something is said to be sold or passed off as; brands are looked up here, and only here."""
    for found in sorted([*_SOLD.finditer(text), *_FAKE.finditer(text)], key=lambda f: f.start()):
        fake = found.re is _FAKE
        after = _STOP.split(text[found.end() : found.end() + (45 if fake else 90)])[0]
        weak = not fake and found["weak"] is not None
        hits = vocabulary.matcher.mentions(after, whole=False, brands=True)
        named = [m for m in hits if m.subject and not (weak and _watched(m, vocabulary))]
        for one in named:
            moved = Mention(
                found.end() + one.start, found.end() + one.end, one.as_written, one.kind, one.subject, one.class_id,
                one.matched,
            )  # fmt: skip
            yield _Sold(one.as_written, one.subject, f"{found.group()} \u2026 {one.as_written}", moved)
        quoted = _QUOTED.match(text[found.end() : found.end() + 60])
        if not named and not hits and quoted and not nameless and not weak:
            yield _Sold(quoted[1], None, f"{found.group()} \u2026 {quoted[1]}", None)


# ---------------------------------------------------------------- places


def _places(
    text: str, title: str, default_area: str, vocabulary: Vocabulary, nameless: bool, abroad: bool
) -> tuple[list[Place], list[str]]:
    """Areas of ours that it names, and the words that say it speaks of abroad. A twin abroad is never one of ours."""
    gazetteer = vocabulary.gazetteer
    masked = _without_twins(text)
    foreign = list(_abroad(text, nameless))
    ours = bool(notice_words.OURS.search(masked))
    away = (abroad or bool(notice_words.STATE.search(title))) and not ours
    found = [] if away else gazetteer.find(masked)
    if nameless:
        found = [f for f in found if _about_a_place(text, f.start, f.end)]
    if found:
        precision = {"region": "region"}
        share = 1 / len(found)
        return [Place(f.area, f.tier, share, True, precision.get(f.tier, "area name"), f.as_written) for f in found], []
    where = unplaced(default_area, gazetteer, "")
    if not ours and (foreign or abroad):
        return [Place(where.area, where.tier, 1.0, False, "outside the UK", foreign[0] if foreign else "")], foreign
    return [where], []


def _abroad(text: str, nameless: bool) -> Iterator[str]:
    """The words that name places abroad, each once; of a source that names people only what stands as a place."""
    found = [(f.start(), f.end(), f.group()) for f in notice_words.ABROAD.finditer(text)]
    for twin in notice_words.TWIN.finditer(text):
        if twin["there"]:
            found.append((*twin.span("there"), twin["there"]))
        elif not nameless:
            found.append((*twin.span(), twin.group()))
    places = [word for start, end, word in sorted(found) if not nameless or _about_a_place(text, start, end)]
    yield from dict.fromkeys(places)


def _without_twins(text: str) -> str:
    """The text with places abroad, their namesakes, and titled people blanked out, letter for letter."""
    twins = {found["name"] or found["county"] for found in notice_words.TWIN.finditer(text)}
    for pattern in (notice_words.TWIN, notice_words.ABROAD, notice_words.TITLED):
        text = pattern.sub(lambda found: " " * len(found.group()), text)
    for name in sorted(twins):
        text = re.sub(rf"\b{re.escape(name)}\b", " " * len(name), text)
    return text


_PLACE_BEFORE = re.compile(
    r"(?:\b(?:(?i:in|at|near|from|around|across|within|of|for|to|the|outside|and|inner|outer|greater|central)"
    r"|(?:North|South|East|West)(?:ern)?) |[,(\u2013\u2014:-]\s*)$"
)
_PLACE_AFTER = re.compile(
    r"^(?:,? (?:Council|Borough|Coroner|Police|Hospital|Ambulance|University|Magistrates|Crown|Prison|City|County"
    r"|North|South"
    r"|East|West|Area|NHS)\b|(?! [A-Z]))"
)


def _about_a_place(text: str, start: int, end: int) -> bool:
    """Whether words that may also be a surname speak of a place here."""
    return bool(_PLACE_BEFORE.search(text[:start]) and _PLACE_AFTER.match(text[end:]))
