"""What a sample looks like: form, colour, dose, and the marks on it, read out of what was stated.

In: sold-as, form, colour, and the words or imprint on a sample, as written. Out: a Look. A drug's name on a label says
what it holds, not what make it is, and is no mark. Must never print a maker's or seller's word: `describe` gives codes,
doses, colours and forms.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from ewarn.catalogue import Catalogue

TOKEN = re.compile(r"[a-z]+\d+[a-z]*|\d+(?:[.,]\d+)?[a-z]*|[a-z]+")
STRENGTH = re.compile(r"^(\d+(?:[.,]\d+)?)(mg|mgs|mcg|ug|g|ml|milligram|milligrams)?$")
PRINTABLE = re.compile(r"^(?:[a-z]{1,2}\d{1,4}[a-z]?|\d{1,4}[a-z]{0,2})$")
UNITS = ("mg", "mgs", "mcg", "ug", "milligram", "milligrams")
# Welsh words appear in English fields; words of one meaning are one.
FORMS = {
    "tablet": "tablet", "tablets": "tablet", "tabled": "tablet", "tabledi": "tablet", "pill": "tablet",
    "pills": "tablet", "capsule": "capsule", "capsules": "capsule", "capsiwl": "capsule", "powder": "powder",
    "powdwr": "powder", "powdr": "powder", "crystalline": "crystalline", "crystal": "crystalline",
    "crisialog": "crystalline", "solid": "solid", "solet": "solid", "granules": "granules", "gronynnau": "granules",
    "liquid": "liquid", "hylif": "liquid",
}  # fmt: skip
COLOURS = {
    "glas": "blue", "gwyn": "white", "coch": "red", "gwyrdd": "green", "melyn": "yellow", "du": "black",
    "llwyd": "grey", "gray": "grey", "pinc": "pink", "oren": "orange", "porffor": "purple", "di-liw": "colourless",
    "clear": "colourless", "cream": "white", "off-white": "white", "beige": "brown", "tan": "brown",
}  # fmt: skip
# One thing may be told of by either word.
LOOSE = frozenset({"powder", "solid", "granules", "crystalline"})
PRESSED = frozenset({"tablet", "capsule"})
# Words for the thing itself or for any such thing, not for one make of it.
_PLAIN = """
    tablet tablets tab tabs tabled pill pills capsule capsules caps powder bag baggie strip blister pack packet press
    pressed fake street real pharma pharmaceutical pharmaceuticals medicine drug benzo benzos opioid opiate oxy oxys
    oxycontin valium vallium vallies xanax xannies blues sold bought found unknown not stated label none other and of
    the in on with from as a an mg mgs mcg ug g ml milligram milligrams amnesty sample vape oil liquid edible
    stamp stamped logo imprint imprinted print printed mark marked side sides face scored score line letters number
"""
PLAIN = frozenset(_PLAIN.split())


@dataclass(frozen=True)
class Look:
    """What was stated of a sample. `sold_as` is the substance or class it resolves to, `asked` its words where it is
    none."""

    form: str
    colours: frozenset[str]
    words: frozenset[str]
    codes: frozenset[str]
    doses: frozenset[float]
    sold_as: str
    asked: str = ""

    @property
    def marked(self) -> bool:
        return bool(self.words or self.codes)

    @property
    def enough(self) -> bool:
        """Whether a batch can be known by it: a mark and a form, or form, colour and sold-as."""
        return bool(self.form and (self.marked or (self.colours and (self.sold_as or self.asked))))

    @property
    def key(self) -> str:
        """The exact key, as one text."""
        doses = (f"{dose:g}" for dose in self.doses)
        parts = (
            self.form,
            self.sold_as,
            self.asked,
            *(" ".join(sorted(p)) for p in (self.colours, self.words, self.codes, doses)),
        )
        return "|".join(parts)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Drug names, by which a label says what it holds and not what make it is."""

    names: frozenset[str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Vocabulary:
        written: set[str] = set()
        for definition in catalogue.classes.values():
            written |= {definition.name, definition.plural, *definition.class_names, definition.id}
            for substance in definition.substances:
                written |= {substance.id, substance.name, *substance.synonyms, *substance.cell_only}
        split = [TOKEN.findall(_plain(name)) for name in written]
        long = {token for tokens in split for token in tokens if len(token) >= 6 and token.isalpha()}
        return cls(frozenset("".join(tokens) for tokens in split if tokens), tuple(sorted(long)))


def look(
    vocabulary: Vocabulary, *, sold_as: str | None, subject: str | None, form: str | None, colour: str | None,
    label: str | None,
) -> Look:  # fmt: skip
    """The look of one sample; None and empty are not stated. Marks are read from the label and the sold-as words."""
    tokens = [t for text in (label, sold_as) for t in _marks(_plain(text or ""), vocabulary)]
    doses = {dose for token in tokens if (dose := _dose(token)) is not None}
    named = {word for word in tokens if word.isalpha() and (len(word) > 1)}
    codes = {token for token in tokens if token not in named and STRENGTH.match(token) is None}
    kind = _plain(form or "").strip()
    return Look(
        form=FORMS.get(kind, kind),
        colours=_colours(colour),
        words=frozenset(named - set(COLOURS) - set(COLOURS.values()) - {"orange", "brown"}),
        codes=frozenset(codes),
        doses=frozenset(doses),
        sold_as=subject or "",
        asked="" if subject else " ".join(TOKEN.findall(_plain(sold_as or ""))),
    )


def _plain(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _colours(colour: str | None) -> frozenset[str]:
    parts = (part.strip() for part in re.split(r"[,/&+]|\band\b", _plain(colour or "")))
    return frozenset(COLOURS.get(part, part) for part in parts if part)


def _marks(text: str, vocabulary: Vocabulary) -> list[str]:
    """Tokens without drug names (the longest run of tokens that is a name goes first) and plain words."""
    tokens = [_code(token) for token in _joined(TOKEN.findall(text))]
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        reach = range(min(4, len(tokens) - at), 0, -1)
        run = next((n for n in reach if "".join(tokens[at : at + n]) in vocabulary.names), 0)
        if run:
            at += run
            continue
        token = tokens[at]
        at += 1
        if token not in PLAIN and not _misspelt(token, vocabulary):
            kept.append(token)
    return kept


def _joined(tokens: list[str]) -> list[str]:
    """'m 30' is m30, '10 mg' is 10mg: a single letter belongs to the number after it, a unit to the one before."""
    found: list[str] = []
    for token in tokens:
        before = found[-1] if found else ""
        letter = len(before) == 1 and before.isalpha() and token.isdigit()
        unit = before.isdigit() and token in UNITS
        if letter or unit:
            found[-1] = before + token
        else:
            found.append(token)
    return found


@lru_cache(maxsize=65_536)
def _misspelt(token: str, vocabulary: Vocabulary) -> bool:
    """Whether a word is a drug's name with a slip or two in it."""
    if len(token) < 6 or not token.isalpha():
        return False
    slips = 1 if len(token) < 8 else 2
    lengths, alike = range(len(token) - slips, len(token) + slips + 1), _by_start(vocabulary)
    near = (word for length in lengths for word in alike.get((token[0], length), ()))
    return any(OSA.distance(w, token, score_cutoff=slips) <= slips for w in near)


@lru_cache(maxsize=4)
def _by_start(vocabulary: Vocabulary) -> dict[tuple[str, int], list[str]]:
    """The long words of drugs' names by first letter and length."""
    found: dict[tuple[str, int], list[str]] = {}
    for word in vocabulary.words:
        found.setdefault((word[0], len(word)), []).append(word)
    return found


def _dose(token: str) -> float | None:
    """The number that a dose or an imprint holds: 10 of '10mg', 30 of 'm30'. Grams and millilitres are no dose."""
    strength = STRENGTH.match(token)
    if strength and strength[2] in ("g", "ml"):
        return None
    digits = strength[1] if strength else (re.search(r"\d+", token) or [""])[0]
    return float(digits.replace(",", ".")) if digits else None


def _code(token: str) -> str:
    """An imprint as read: the letter o beside a digit is a zero."""
    return re.sub(r"(?<=\d)o(?=\d|$)|(?<=^)o(?=\d)", "0", token)


def describe(look: Look) -> str:
    """'blue tablets marked M30': what people need to recognise it, without a maker's or seller's word."""
    what = " ".join([", ".join(sorted(look.colours)), _plural(look.form)]).strip()
    codes = sorted(code.upper() for code in look.codes if PRINTABLE.match(code))
    doses = sorted(dose for dose in look.doses if not any(f"{dose:g}" in code for code in codes))
    marked = [*codes, *(f"{dose:g}" for dose in doses)] if look.form in PRESSED else codes
    said = f" marked {', '.join(marked)}" if marked else ""
    hidden = look.words or look.codes - {code.lower() for code in codes}
    return what + said + (", with other words on it (see the records)" if hidden else "")


def _plural(form: str) -> str:
    return f"{form}s" if form in PRESSED else form or "of a form not stated"
