"""What never leaves, to anybody: whatever identifies a person, and whatever advertises a drug or its seller.

In: a text. Out: the hits in it, or the text without them. What identifies a batch may be said (imprint, logo, colour,
form, a photograph with its scale, measured content) and is no hit. The patterns find what they know, and no more: a
person still reads the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ewarn.disclosure.firstnames import FIRST_NAMES

PERSONAL, ADVERTISING = "personal-data", "advertising"
LEFT_OUT = "[left out]"


class Hit(NamedTuple):
    """One thing that must not leave: its kind, what it is, the words themselves, and what to write instead."""

    kind: str
    what: str
    words: str
    instead: str
    start: int
    end: int


class Pattern(NamedTuple):
    """What to look for. Compiled when first looked for: most runs of ewarn write nothing that leaves."""

    kind: str
    written: str
    flags: int
    what: str
    instead: str
    holds: Callable[[re.Match[str]], bool] = lambda _: True

    @property
    def found(self) -> re.Pattern[str]:
        return _compiled(self.written, self.flags)


@cache
def _compiled(written: str, flags: int) -> re.Pattern[str]:
    return re.compile(written, flags)


def _of(
    kind: str, pattern: str, what: str, instead: str, *, exactly: bool = False, holds: Callable[..., bool] | None = None
) -> Pattern:
    return Pattern(kind, pattern, 0 if exactly else re.IGNORECASE, what, instead, holds or (lambda _: True))


def _nhs(hit: re.Match[str]) -> bool:
    """Ten digits whose last is the check digit of the others (modulus 11).

    Source: NHS Data Dictionary, NHS NUMBER.
    """
    digits = [int(c) for c in hit.group() if c.isdigit()]
    rest = sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
    return (11 - rest) % 11 == digits[9]


UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUMBERS = (*UNITS, "ten", "twenty", "thirty", "forty", "fifty", "sixty", "hundred")
TIMES = rf"(?:\d+(?:\.\d+)?|an?|several|many|{'|'.join(NUMBERS)})"
STRONG = r"(?:strong|potent|powerful|pure|stronger|more\s+(?:potent|powerful|pure))"
_SELLER = "Leave the seller out; describe the item."
ADVERTISED = tuple(
    _of(ADVERTISING, *row)
    for row in (
        (rf"\btimes\s+(?:as\s+|more\s+)?{STRONG}\b", "a multiplier of strength", "Say: a very small amount can kill."),
        (rf"\b\d+\s*(?:x|×|-?fold)\s+(?:as\s+)?{STRONG}\b", "a multiplier of strength", "Say that it is dangerous."),
        (rf"\b{TIMES}\s+times\s+the\s+(?:strength|potency|purity)\b", "a multiplier of strength", "Leave it out."),
        (r"\b(?:twice|double|triple|half)\s+(?:as|the)\s+(?:strong|potent|strength|potency)\b",
         "a multiplier of strength", "Say: a very small amount can kill."),
        (rf"\b{STRONG}\s+than\b", "a comparison of strength", "Say: a very small amount can kill."),
        (r"[£$€]\s?\d+(?:[.,]\d+)*|\b\d+\s?(?:pounds|quid|gbp|euros?)\b|\ba\s+(?:tenner|fiver)\b"
         r"|\b\d+\s?p\s+(?:each|a\s+pill)\b",
         "a price", "Leave the price out."),
        (r"\b(?:two|three|\d)\s+for\s+(?:the\s+price|(?:[£$€]\s?)?\d+)|\bspecial offer\b|\bdiscounts?\b"
         r"|\bfree delivery\b",
         "an offer", "Leave the offer out."),
        (r"(?<![\w.+-])@\w{2,}", "a handle", "Leave the seller's handle out."),
        (r"\b(?:dealer|seller|vendor|supplier|shop|site|plug|stall|crew)s?\s+(?:is\s+)?(?:called|named|known as)\b",
         "a seller", _SELLER),
        (r"\b(?:sold|bought|ordered|available|supplied|got)\s+(?:by|from|through|via)\s+(?:the\s+)?"
         r"(?:vendor|dealer|seller|plug)\s+[\"'“‘]?\w+", "a seller", _SELLER),
        (r"\b(?:telegram|whatsapp|snapchat|instagram|wickr|threema|t\.me|darknet|dark web|\w+\.onion)\b",
         "a sales channel", "Leave the channel out."),
        (r"\b(?:dm|message|text)\s+(?:me|us|him|her)\b.{0,20}\b(?:order|menu|prices?|buy)\b|\bjust landed\b"
         r"|\bback in stock\b", "words of a sales pitch", "Leave them out."),
        (r"\b(?:top|high|best|premium|finest|great|good)[ -](?:quality|grade)\b"
         r"|\b(?:pharma(?:ceutical)?|lab)[ -]grade\b|\buncut\b|\bmust[ -]try\b"
         r"|\b(?:fire|banging|killer|amazing)\s+(?:gear|stuff|batch|pills?)\b",
         "words that praise the drug", "Describe form and colour only."),
    )
)  # fmt: skip

INWARD = r"(?!\d(?:st|nd|rd|th|hr)\b)\d[ABD-HJLNP-UW-Z]{2}"
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+{MONTH}\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}\b|\b\d{{4}}-\d{{2}}-\d{{2}}\b"
ROADS = "Road|Street|Avenue|Lane|Close|Crescent|Drive|Gardens|Grove|Terrace|Mews|Square|Way|Court|House|Estate|Place"
PLACES = (
    rf"{ROADS}|Park|Hospital|Hostel|Clinic|Centre|Center|Ward|Station|Bridge|Line|Trust|Foundation|School|College|Green|"
    "Hill|Town|Market|Common|Fields|Theatre|Hall|Library|Hotel|Arms|University|Institute|Project|Service|Services|"
    "Cross|Quay|Dock|Docks|Walk|Yard|Row|Rise|Wharf|Island|Borough|Council|Test|Day|Church|Library|Lewis|Curie"
)
NAMES = rf"(?:{'|'.join(sorted(FIRST_NAMES))})"
_PART = r"(?:[OD]['’]|Mac|Mc)?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+"
SURNAME = rf"(?:(?:van|von|de|da|dos|del|der|den|el|al|bin|ibn)\s+){{0,2}}{_PART}(?:[-'’]{_PART})?"
BETWEEN = rf"(?:(?:{NAMES}|[A-Z]\.?)\s+){{0,3}}"  # further first names and initials
_YEAR = r"(?:,?\s+(?:19|20)\d\d)?"
DIED = r"(?:died|has died|overdosed|collapsed|was found|was taken|was treated|took|had taken|said|lives|lived)"
TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_AGE, _NAME = "Leave the age out, or write a range such as 'adults'.", "Leave the name out."
WHO = r"(?:man|woman|male|female|boy|girl|patient|victim|person|client|resident|casualty)"
PERSONS = tuple(
    _of(PERSONAL, row[0], row[1], row[2], exactly=len(row) > 3)
    for row in (
        (rf"\b[A-Z]{{1,2}}\d[A-Z\d]?\s*{INWARD}\b", "a full postcode", "Write the outward half or the borough."),
        (r"\b\d{1,3}[- ]?(?:years?[- ]olds?|y\.?/?o\.?|yrs?[- ]old|yr)\b"
         r"|\baged?\s+(?:of\s+)?\d{1,3}\b(?!\s*(?:-|–|to|and)\s*\d|\s*or\b)", "somebody's age", _AGE),
        (rf"\b(?:(?:{TENS})[- ](?:{'|'.join(UNITS)})|(?:{TENS})|\w+teen)[- ]years?[- ]olds?\b",
         "somebody's age", _AGE),
        (rf"\b{WHO}\s*[,(]\s*\d{{1,3}}\s*[,).]|\(\s*[MF]\s*,?\s*\d{{2}}\s*\)", "somebody's age", _AGE),
        (rf"\b(?:d\.?o\.?b\.?|date of birth|born(?:\s+(?:on|in))?)\s*:?\s*(?:the\s+)?\d+(?:[/.-]\d+){{0,2}}"
         rf"(?:st|nd|rd|th)?(?:\s+(?:of\s+)?{MONTH})?{_YEAR}", "a date of birth", "Leave it out."),
        (rf"\bborn\s+(?:on|in)\s+{MONTH}{_YEAR}", "a date of birth", "Leave it out."),
        (rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Sir|Dame|PC|Sgt)\.?\s+(?:[A-Z]\.?\s+){{0,3}}[A-Z][\w'’-]+"
         rf"(?:\s+(?!(?:{PLACES})\b)[A-Z][\w'’-]+){{0,2}}", "a name", _NAME, "exactly"),
        (rf"\b(?:named|called|known\s+as)\s+(?:as\s+)?(?:{SURNAME}\s+{SURNAME}|{NAMES})\b", "a name", _NAME, "exactly"),
        (rf"(?<!St )(?<!Saint )(?<!King )(?<!Queen )(?<!Prince )(?<!Royal )\b{NAMES}\s+{BETWEEN}(?!(?:{PLACES})\b)"
         rf"{SURNAME}\b"
         rf"(?!['’]s\s+(?:{PLACES})\b)(?!\s+(?:{PLACES})\b)", "a name", _NAME, "exactly"),
        (rf"\b{NAMES}(?:,\s+\d{{1,3}},)?\s+{DIED}\b", "a name", _NAME, "exactly"),
        (rf"\b(?:{WHO}|friend|partner|mother|father|brother|sister|son|daughter),?\s+{NAMES}\b", "a name", _NAME,
         "exactly"),
        (rf"\b(?:(?:Flat|Room|Apartment)\s+)?\d{{1,4}}[A-Za-z]?,?\s+(?:[A-Z][\w'’]+\s+){{1,3}}(?:{ROADS})\b"
         r"|\b(?:Flat|Room|Apartment)\s+\d+[A-Z]?\b",
         "an address", "Write the borough or the kind of setting.", "exactly"),
    )
)  # fmt: skip
_AGED = re.compile(
    r"\b(?:in\s+(?:his|her|their)\s+(?:early\s+|mid[- ]?|late\s+)?(?:teens|twenties|thirties|forties|fifties|sixties|"
    r"seventies|\d0s)|teenager?s?|aged\s+\d+|\d+[- ]year|under\s+\d{2}|over\s+\d{2})",
    re.IGNORECASE,
)
NHS_NUMBER = _of(PERSONAL, r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)", "an NHS number", "Leave it out.", holds=_nhs)
TOGETHER = Pattern(
    PERSONAL,
    r"\b(?:[A-Z][\w'’-]+\s+){1,3}[Ww]ard\b",
    0,
    "an age, a ward and a date together",
    "Write the borough in place of the ward, or leave the age out.",
    lambda hit: bool(_AGED.search(hit.string) and re.search(DATE, hit.string)),
)
CONTACTS = (
    _of(PERSONAL, r"[\w.+-]+@[\w-]+\.[\w.-]+", "an e-mail address",
        "Leave it out; how to answer is said under 'report back'."),
    _of(PERSONAL, r"(?<!\d)(?:\+44\s?\(?0?\)?|0044\s?|0)[1-9](?:[\s().-]{0,2}\d){8,9}(?!\d)", "a telephone number",
        "Leave it out."),
)  # fmt: skip
IDENTIFYING = (*PERSONS, NHS_NUMBER, TOGETHER)


def hits(text: str, *, contacts: bool = False, advertising: bool = True) -> list[Hit]:
    """What must not leave in this text, in its order. `contacts`: e-mail addresses and telephone numbers may stand."""
    return list(_hits(text, contacts, advertising))


@lru_cache(maxsize=2048)
def _hits(text: str, contacts: bool, advertising: bool) -> tuple[Hit, ...]:
    wanted = [*IDENTIFYING, *(() if contacts else CONTACTS), *(ADVERTISED if advertising else ())]
    found = [hit for pattern in wanted for hit in _in(text, pattern)]
    chosen: list[Hit] = []
    for hit in sorted(found, key=lambda h: (h.start, -h.end)):
        if chosen and hit.start < chosen[-1].end:
            chosen[-1] = _both(chosen[-1], hit, text)
        else:
            chosen.append(hit)
    return tuple(chosen)


def _both(one: Hit, other: Hit, text: str) -> Hit:
    """Two that share words as one, from the first word to the last; what identifies a person counts first."""
    said, end = min(one, other, key=lambda hit: hit.kind != PERSONAL), max(one.end, other.end)
    return said._replace(words=" ".join(text[one.start : end].split()), start=one.start, end=end)


def _in(text: str, pattern: Pattern) -> Iterator[Hit]:
    for match in pattern.found.finditer(text):
        if pattern.holds(match):
            words = " ".join(match.group().split())
            yield Hit(pattern.kind, pattern.what, words, pattern.instead, match.start(), match.end())


def cleared(text: str, *, contacts: bool = False, advertising: bool = True) -> str:
    """The text with every hit replaced by words that say something was left out."""
    for hit in reversed(hits(text, contacts=contacts, advertising=advertising)):
        text = f"{text[: hit.start]}{LEFT_OUT}{text[hit.end :]}"
    return text


# Filled from records: nobody has read them yet when a draft is written.
DATA = ("sold_as", "found", "appearance", "also_possible")
# Written by ewarn or by people over the facts of records; the checker has named what it found, and people have read it.
WRITTEN = (
    *("headline", "what_happened", "what_happened_public", "figures", "at_risk", "why", "closes_headline", "origin"),
    *("verification", "changed", "photo"),
)
SPARED = ("signal", "records", "id", "level", "value", "released", "sha256", "cid")


def last_barrier(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content object as any audience may have it: persons out of every text, advertising out of what data filled.

    Advertising in a written part is the checker's to stop, and a named person's to override.
    """
    found = dict(content)
    for key in (*DATA, *WRITTEN):
        if key in found:
            found[key] = _cleared(found[key], advertising=key in DATA)
    return found


def _cleared(value: Any, *, advertising: bool) -> Any:
    if isinstance(value, str):
        return cleared(value, advertising=advertising)
    if isinstance(value, dict):
        return {k: v if k in SPARED else _cleared(v, advertising=advertising) for k, v in value.items()}
    if isinstance(value, Sequence):
        return [_cleared(item, advertising=advertising) for item in value]
    return value
