"""What a sample looks like, and whether two are of one batch: by hand, and against made batches of known truth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ewarn import catalogue as catalogues
from ewarn.matching import batches, looks
from ewarn.matching.looks import Look, Vocabulary


@pytest.fixture(scope="module")
def vocabulary(root: Path) -> Vocabulary:
    return Vocabulary.of(catalogues.load(root))


def seen(vocabulary: Vocabulary, label: str = "", colour: str = "blue", form: str = "tablet", **said: str) -> Look:
    subject = said.get("subject", "oxycodone")
    return looks.look(
        vocabulary, sold_as=said.get("sold_as", "oxycodone"), subject=subject or None, form=form, colour=colour,
        label=label or None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ({"label": "M30"}, {"label": "M 30 oxycodone"}, "same"),
        ({"label": "M30"}, {"label": "m3O", "colour": ""}, "same"),
        ({"label": "M30"}, {"label": "K30"}, "other"),
        ({"label": "M30"}, {"label": "M20"}, "other"),
        ({"label": "Carrick 10mg"}, {"label": "Carrick 5 mg"}, "other"),
        ({"label": "Carrick 10mg"}, {"label": "10mg Carick"}, "same"),
        ({"label": "Carrick"}, {"label": "Norwood"}, "other"),
        ({"label": "Carrick"}, {"label": "Carrick", "colour": "white"}, "other"),
        ({"label": "Carrick"}, {"label": "Carrick", "colour": "glas", "form": "tabled"}, "same"),
        ({"label": "Carrick"}, {"label": ""}, "cannot tell"),
        ({"label": "oxycodone"}, {"label": "oxycodone"}, "cannot tell"),
        ({}, {}, "cannot tell"),
        ({"label": "Carrick"}, {"label": "Carrick", "form": "liquid"}, "other"),
        ({"label": "Carrick"}, {"label": "Carrick", "subject": "diazepam"}, "other"),
    ],
)
def test_two_looks_are_one_batch_or_not(
    vocabulary: Vocabulary, one: dict[str, str], other: dict[str, str], state: str
) -> None:
    both = seen(vocabulary, **one), seen(vocabulary, **other)
    held = frozenset({"metonitazene"})
    assert batches.alike(*both, 10, content=(held, held)).state == state
    assert batches.alike(*reversed(both), 10, content=(held, held)).state == state


def test_content_that_differs_tells_two_apart_and_time_makes_it_less_sure(vocabulary: Vocabulary) -> None:
    look = seen(vocabulary, "M30")
    held, none = frozenset({"metonitazene"}), frozenset[str]()
    assert batches.alike(look, look, 1, content=(held, frozenset({"oxycodone"}))).state == "other"
    assert batches.alike(look, look, 1, content=(held, none)).points < batches.alike(look, look, 1).points
    assert batches.alike(look, look, 300, content=(held, held)).state == "cannot tell"


def test_a_powder_without_an_imprint_is_one_batch_only_from_one_place_within_days(vocabulary: Vocabulary) -> None:
    powder = seen(vocabulary, "", "brown", "powder", sold_as="heroin", subject="heroin")
    lumps = seen(vocabulary, "", "brown", "solid", sold_as="heroin", subject="heroin")
    content = (frozenset({"heroin", "metonitazene"}), frozenset({"heroin", "metonitazene"}))
    assert powder.enough and not powder.marked
    assert batches.alike(powder, powder, 20, content=content).state == "cannot tell"
    assert batches.alike(powder, powder, 2, near=True, content=content).state == "same"
    assert batches.alike(powder, lumps, 2, near=True, content=content).state == "same"


def test_what_is_printed_holds_no_words_of_a_maker_or_seller(vocabulary: Vocabulary) -> None:
    look = seen(vocabulary, "Carrick M30 bought from @dave call 0700 £20")
    said = looks.describe(look)
    assert said.startswith("blue tablets marked") and "M30" in said
    assert "arrick" not in said and "dave" not in said
    assert looks.describe(seen(vocabulary, "", "", "")) == "of a form not stated"


def test_too_little_is_no_key(vocabulary: Vocabulary) -> None:
    assert not seen(vocabulary, "", "blue", "").enough
    assert not seen(vocabulary, "", "", "tablet").enough
    assert seen(vocabulary, "M30", "", "tablet").enough


@dataclass(frozen=True)
class Made:
    batch: int
    look: Look


WELSH = {"blue": "glas", "white": "gwyn", "green": "gwyrdd", "yellow": "melyn", "pink": "pinc"}
SYLLABLES = ("bar", "kel", "mon", "tri", "ves", "lor", "dan", "fex", "rup", "gol", "sti", "wen")


def made_batches(vocabulary: Vocabulary, seed: int, number: int = 60, samples: int = 5) -> list[Made]:
    """Batches of pressed tablets with known truth, told of with slips, gaps and translated words."""
    rng = np.random.default_rng(seed)
    found = []
    for batch in range(number):
        colour = str(rng.choice(list(WELSH)))
        word = "".join(rng.choice(SYLLABLES, 3))
        mark = word if rng.random() < 0.6 else f"{rng.choice(list('abcdefgh'))}{rng.integers(10, 99)}"
        dose = int(rng.choice([5, 10, 20, 30])) if rng.random() < 0.5 and mark == word else 0
        for _ in range(samples):
            label = f"{_slipped(mark, rng) if rng.random() < 0.2 else mark}{f' {dose}mg' if dose else ''}"
            said = "" if rng.random() < 0.15 else WELSH[colour] if rng.random() < 0.1 else colour
            form = "tabled" if rng.random() < 0.1 else "tablet"
            found.append(Made(batch, seen(vocabulary, "" if rng.random() < 0.05 else label.title(), said, form)))
    return found


def _slipped(word: str, rng: np.random.Generator) -> str:
    """A slip of the pen in a word; a code is copied right or not at all."""
    if not word.isalpha():
        return word
    at = int(rng.integers(1, len(word) - 1))
    kinds = (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + "e" + word[at + 1 :])
    return kinds[int(rng.integers(3))]


def scores(made: list[Made]) -> tuple[float, float]:
    """Precision and recall of 'same' over all pairs."""
    held = frozenset({"metonitazene"})
    right = called = there = 0
    for one, other in combinations(made, 2):
        same = batches.alike(one.look, other.look, 20, content=(held, held)).state == "same"
        right += same and one.batch == other.batch
        called += same
        there += one.batch == other.batch
    return right / called, right / there


def test_made_batches_are_found_again_in_spite_of_slips_and_gaps(vocabulary: Vocabulary) -> None:
    precision, recall = scores(made_batches(vocabulary, seed=1))
    assert precision >= 0.95 and recall >= 0.80
