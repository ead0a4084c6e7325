"""Whether two samples are of one batch, as far as can be seen.

In: two looks, the days between them, what was found in each. Out: a verdict: same, other, or cannot tell, with points
and the reasons. What is not stated is no mismatch; it only leaves the verdict less sure. A dose, a letter of an
imprint, a colour or a content that differs tells two apart, however alike the rest.

The points are ours, set by hand and measured on labelled pairs and made batches (docs/method.md, "Contaminated batch").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ewarn.matching.looks import LOOSE, PRESSED, Look

NEAR_COLOURS = [{"white", "colourless"}, {"blue", "purple"}, {"brown", "grey"}, {"red", "pink"}, {"orange", "yellow"}]
APART_DAYS, FAR_DAYS = 60, 120
# Without a mark in common all else adds up to 3.5 points: only samples from one place, close in time, reach SAME.
CLOSE_DAYS = 3
SAME, SURE = 4.25, 5.5
NOTHING_FOUND: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
State = Literal["same", "other", "cannot tell"]


class Verdict(NamedTuple):
    """`points` for one batch; SAME and more is the same, unless something stated tells the two apart."""

    state: State
    points: float
    why: tuple[str, ...]


def alike(
    one: Look, other: Look, days: float, *, near: bool = False,
    content: tuple[frozenset[str], frozenset[str]] = NOTHING_FOUND,
) -> Verdict:  # fmt: skip
    """Whether two samples are of one batch as far as can be seen.

    In: `days` between them; `near` where they come from one place; `content` what was found in each, empty where
    nothing active was.
    """
    if apart := _apart(one, other, content):
        return Verdict("other", 0.0, tuple(apart))
    told = [*_by_marks(one, other), *_by_appearance(one, other), *_by_content(*content), *_by_distance(days, near)]
    points = sum(weight for weight, _ in told)
    state: State = "same" if points >= SAME else "cannot tell"
    return Verdict(state, points, tuple(reason for _, reason in told))


def _apart(one: Look, other: Look, content: tuple[frozenset[str], frozenset[str]]) -> list[str]:
    """What tells two samples apart; both must state it."""
    reasons = []
    if one.form and other.form and one.form != other.form and not _may_be_one(one.form, other.form):
        reasons.append("the form")
    if one.colours and other.colours and not (one.colours & other.colours) and not _near_colours(one, other):
        reasons.append("the colour")
    if one.doses and other.doses and not (one.doses & other.doses) and not {one.form, other.form} & LOOSE:
        reasons.append("the dose or number")
    if one.codes and other.codes and not (one.codes & other.codes):
        reasons.append("the imprint")
    if one.marked and other.marked and not _shared(one, other):
        reasons.append("the words on it")
    if one.sold_as and other.sold_as and one.sold_as != other.sold_as and not one.codes & other.codes:
        reasons.append("what it was sold as")
    if content[0] and content[1] and not (content[0] & content[1]):
        reasons.append("the content")
    return reasons


def are_one(one: Look, other: Look) -> bool:
    """Whether nothing that both state of how they look tells two samples apart."""
    return not _apart(one, other, NOTHING_FOUND)


def _may_be_one(form: str, other: str) -> bool:
    """Powder, granules and lumps are told of by any of these words; a tablet may have been crushed."""
    return {form, other} <= LOOSE or (bool({form, other} & PRESSED) and bool({form, other} & LOOSE))


def _near_colours(one: Look, other: Look) -> bool:
    return any(one.colours & pair and other.colours & pair for pair in NEAR_COLOURS)


def _shared(one: Look, other: Look) -> int:
    """Marks in common; a word of five letters and more may have a slip in it, a code never."""
    words = sum(1 for word in one.words if any(same_word(word, w) for w in other.words))
    return words + len(one.codes & other.codes)


@lru_cache(maxsize=65_536)
def same_word(word: str, other: str) -> bool:
    slips = _slips(min(len(word), len(other)))
    return word == other or (slips > 0 and OSA.distance(word, other, score_cutoff=slips) <= slips)


def _slips(length: int) -> int:
    """How many slips two words may have between them, the shorter of so many letters."""
    return 0 if length < 5 else 1 if length < 8 else 2


class Spellings:
    """The words seen so far, and which of them may be one with a slip in it."""

    def __init__(self) -> None:
        self._like: dict[str, list[str]] = {}
        self._of_length: dict[int, list[str]] = {}

    def like(self, word: str) -> list[str]:
        """The words that may be this one, and itself; from now on it is one of those seen."""
        if word not in self._like:
            near = list(self._near(word))
            for other in near:
                self._like[other].append(word)
            self._like[word] = [word, *near]
            self._of_length.setdefault(len(word), []).append(word)
        return self._like[word]

    def _near(self, word: str) -> Iterator[str]:
        for length, words in self._of_length.items():
            slips = _slips(min(length, len(word)))
            if slips and abs(length - len(word)) <= slips:
                found = process.extract(word, words, scorer=OSA.distance, score_cutoff=slips, limit=None)
                yield from (other for other, _, _ in found)


def _by_marks(one: Look, other: Look) -> Iterable[tuple[float, str]]:
    shared = _shared(one, other)
    if shared:
        yield 2.5 + 0.5 * (shared - 1), f"{shared} mark{'s' if shared > 1 else ''} in common"
    if one.doses & other.doses:
        yield 0.5, "the same dose or number"


def _by_appearance(one: Look, other: Look) -> Iterable[tuple[float, str]]:
    if not one.colours or not other.colours:
        yield 0.0, "a colour is not stated"
    elif one.colours == other.colours:
        yield 1.0, "the same colour"
    else:
        inside = one.colours <= other.colours or other.colours <= one.colours
        yield (0.5, "a colour in common") if inside else (0.25, "colours near each other")
    if one.form and one.form == other.form:
        yield 0.5, "the same form"
    elif one.form and other.form:
        yield (0.25, "forms that may be one") if {one.form, other.form} & PRESSED == set() else (-0.5, "one is loose")
    if one.sold_as and other.sold_as and one.sold_as != other.sold_as:
        yield -0.5, "sold as something else"
    elif (one.sold_as or one.asked) and (one.sold_as, one.asked) == (other.sold_as, other.asked):
        yield 0.5, "sold as the same"


def _by_content(one: frozenset[str], other: frozenset[str]) -> Iterable[tuple[float, str]]:
    if bool(one) != bool(other):
        yield -1.0, "nothing active was identified in one"
    elif one:
        close = len(one & other) / len(one | other)
        yield (1.0, "like content") if close >= 0.5 else (0.0, "content in common")


def _by_distance(days: float, near: bool) -> Iterable[tuple[float, str]]:
    if days > APART_DAYS:
        yield (-1.0 if days <= FAR_DAYS else -2.0), f"{days:.0f} days apart"
    elif near and days <= 14:
        yield (1.5 if days <= CLOSE_DAYS else 0.5), "from one place within days"


def sureness(points: float) -> str:
    """How sure, in words."""
    return "very likely" if points >= SURE else "likely" if points >= SAME else "possible"
