"""Names: the traps of real data, each as a statement that must hold."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching import Matcher
from ewarn.matching.text import fold, spaced
from ewarn.terms import MentionKind


def whole(matcher: Matcher, text: str) -> tuple[str, str | None, str | None]:
    (one,) = matcher.mentions(text, whole=True)
    return one.kind.value, one.subject, one.class_id


def within(matcher: Matcher, text: str, brands: bool = False) -> list[tuple[str, str | None, str]]:
    return [(m.kind.value, m.subject, m.as_written) for m in matcher.mentions(text, whole=False, brands=brands)]


@pytest.mark.parametrize(
    "text", ["Morphine", "buprenorphine", "apomorphine", "norbuprenorphine", "Desomorphine", "hydromorphone"]
)
def test_orphine_is_never_found_inside_another_name(matcher: Matcher, text: str) -> None:
    assert whole(matcher, text)[2] != "orphine"
    assert all(subject != "orphine" for _, subject, _ in within(matcher, f"Seized: {text}, and more"))


def test_metonitazene_is_never_counted_as_etonitazene(matcher: Matcher) -> None:
    assert whole(matcher, "Metonitazene") == ("substance", "metonitazene", "nitazene")
    assert within(matcher, "Tablets held metonitazene.") == [("substance", "metonitazene", "metonitazene")]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("5,6-dichloro desmethylchlorphine", "sr-17018"),
        ("N,N-dimethyletonitazene", "n-n-dimethyl-etonitazene"),
        ("Morphine, 6 Monoacetyl", "6-mam"),
        ("6-MAM", "6-mam"),
        ("6 mam", "6-mam"),
        ("N-desethylisotonitazene", "n-desethyl-isotonitazene"),
        ("n\u2010desethyl\u00a0isotonitazene", "n-desethyl-isotonitazene"),
        ("SR\u201317018", "sr-17018"),
        ("Metonitazene hydrochloride", "metonitazene"),
        ("Metonitazene (trace)", "metonitazene"),
        ("Etonitazepyne (N-pyrrolidino etonitazene)", "n-pyrrolidino-etonitazene"),
        ("ｆｅｎｔａｎｙｌ", "fentanyl"),
    ],
)
def test_a_name_is_one_name_however_it_is_spelt(matcher: Matcher, text: str, subject: str) -> None:
    assert whole(matcher, text)[:2] == ("substance", subject)


def test_names_with_commas_are_found_whole_in_prose(matcher: Matcher) -> None:
    assert within(matcher, "with 5,6-dichloro desmethylchlorphine and N,N-dimethyletonitazene") == [
        ("substance", "sr-17018", "5,6-dichloro desmethylchlorphine"),
        ("substance", "n-n-dimethyl-etonitazene", "N,N-dimethyletonitazene"),
    ]


@pytest.mark.parametrize(
    "text",
    ["No Active Component Identified", "unable to identify", "Unknown (insufficient sample for further analysis)",
     "Received damaged, insufficient sample"],
)  # fmt: skip
def test_results_are_neither_substances_nor_negatives(matcher: Matcher, text: str) -> None:
    assert whole(matcher, text)[0] == "status"


@pytest.mark.parametrize(
    "text", ["Fluetonitazene", "4-fluoro-etonitazene", "acetyl metonitazene", "Nitazepyne X zepyne"]
)
def test_an_unlisted_name_with_the_ending_of_a_class_is_queued_with_that_class(matcher: Matcher, text: str) -> None:
    assert whole(matcher, text) == ("queued", None, "nitazene")


def test_a_longer_compound_is_not_the_name_inside_it(matcher: Matcher) -> None:
    assert within(matcher, "police found acetyl fentanyl") == [("queued", None, "acetyl fentanyl")]
    assert within(matcher, "held N-propyl metonitazene") == [("queued", None, "N-propyl metonitazene")]
    assert within(matcher, "heroin and fentanyl-laced pills") == [
        ("substance", "heroin", "heroin"), ("substance", "fentanyl", "fentanyl"),
    ]  # fmt: skip


def test_a_number_before_a_name_is_only_a_number(matcher: Matcher) -> None:
    assert within(matcher, "found 12 metonitazene samples") == [("substance", "metonitazene", "metonitazene")]
    assert within(matcher, "found 2-metonitazene") == [("queued", None, "2-metonitazene")]


def test_a_misspelling_is_queued_and_only_suggested(matcher: Matcher) -> None:
    assert whole(matcher, "metonitazine") == ("queued", None, None)
    assert matcher.suggest("metonitazine")[0].subject == "metonitazene"


def test_unknown_words_are_queued_as_written(matcher: Matcher) -> None:
    (one,) = matcher.mentions("  Purple Thing 7 ", whole=True)
    assert (one.kind, one.as_written, one.matched) == (MentionKind.QUEUED, "Purple Thing 7", None)


def test_a_class_is_named_by_its_own_words(matcher: Matcher) -> None:
    assert within(matcher, "Nitazenes were found") == [("class", "nitazene", "Nitazenes")]


def test_brands_count_only_where_they_are_asked_for(matcher: Matcher) -> None:
    assert within(matcher, "blue Valium tablets") == []
    assert within(matcher, "blue Valium tablets", brands=True) == [("substance", "diazepam", "Valium")]


def test_short_names_in_prose_stand_in_capitals(matcher: Matcher) -> None:
    assert within(matcher, "an mda group") == []
    assert within(matcher, "sold as MDA") == [("substance", "mda", "MDA")]


@pytest.mark.parametrize("text", ["non-fatal fentanyl overdose", "a non-prescribed fentanyl patch"])
def test_a_word_that_only_begins_with_non_rules_nothing_out(matcher: Matcher, text: str) -> None:
    assert [found[1] for found in within(matcher, text)] == ["fentanyl"]


@pytest.mark.parametrize(
    "text", ["no fentanyl was found", "fentanyl not detected", "tested negative for metonitazene", "without any heroin"]
)
def test_what_was_ruled_out_is_not_mentioned(matcher: Matcher, text: str) -> None:
    assert within(matcher, text) == []


def test_not_in_another_clause_rules_nothing_out(matcher: Matcher) -> None:
    assert within(matcher, "Do not use alone: metonitazene found")[0][1] == "metonitazene"


def test_spans_point_at_the_words(matcher: Matcher) -> None:
    text = "Pills\u00ae held  N\u2011desethyl   isotonitazene™ and ﬁne heroin"
    for one in matcher.mentions(text, whole=False):
        assert text[one.start : one.end] == one.as_written


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_without_fault(matcher: Matcher, text: str) -> None:
    for one in matcher.mentions(text, whole=False, brands=True):
        assert text[one.start : one.end] == one.as_written
    assert len(matcher.mentions(text, whole=True)) <= 1
    assert len(fold(text).text) == len(fold(text).origin)


@given(st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_letters_glued_to_a_name_make_it_another_word(matcher: Matcher, letters: str) -> None:
    glued = f"{letters}brorphine"
    assert all(m.subject != "brorphine" for m in matcher.mentions(glued, whole=False))
    assert spaced(glued) == glued
