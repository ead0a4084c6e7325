"""Properties of names: how a listed name is written never matters, and inside a longer word it is never found."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ewarn.matching import Matcher
from ewarn.matching.text import Words
from tests.matching.test_names_of_the_lists import listed, outcome

__all__ = ["listed"]
CORE = [
    "Isotonitazene", "N-Desethyl isotonitazene", "N-Pyrrolidino etonitazene", "N,N-Dimethyl etonitazene",
    "Cychlorphine",
    "5,6-dichloro desmethylchlorphine", "SR-17018", "Fentanyl", "para-Fluorofentanyl", "4-ANPP", "Bromazolam",
    "2-Methyl-AP-237", "Xylazine", "Cocaine", "N,N-dimethylpentylone", "alpha-PVP", "MDMB-4en-PINACA", "5F-ADB",
    "3-MeO-PCP", "Ketamine", "6-monoacetylmorphine", "1,4-Butanediol", "Heroin", "Diazepam", "Carfentanil",
]  # fmt: skip
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
SPACES = " \u00a0\u2009\u202f\t"
SALTS = ["hydrochloride", "HCl", "citrate", "sulphate", "hydrobromide", "free base", "(HCl)", "hydrochloride salt"]
SUBSTANCES = st.sampled_from(CORE)


def subject(matcher: Matcher, text: str) -> str:
    (one,) = matcher.mentions(text, whole=True)
    return outcome(one.kind.value, one.subject, one.class_id)


@given(SUBSTANCES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_case_dashes_and_spaces_do_not_matter(listed: Matcher, name: str, random: object) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    written = "".join(
        choose(DASHES) if c == "-" else choose(SPACES + DASHES) if c == " " else choose([c.lower(), c.upper()])
        for c in name
    )
    assert subject(listed, f"{choose(SPACES)}{written} ") == subject(listed, name)
    assert not subject(listed, name).startswith("?")


@given(SUBSTANCES, st.sampled_from(SALTS))
@settings(max_examples=100, deadline=None)
def test_a_salt_behind_is_the_same_substance(listed: Matcher, name: str, salt: str) -> None:
    assert subject(listed, f"{name} {salt}") == subject(listed, name)


@given(SUBSTANCES, st.sampled_from(["({})", "[{}]", '"{}"', "{}.", "'{}'", "({}) ", "{} (trace)", "{} (confirmed)"]))
@settings(max_examples=100, deadline=None)
def test_brackets_quotes_and_remarks_do_not_matter(listed: Matcher, name: str, around: str) -> None:
    assert subject(listed, around.format(name)) == subject(listed, name)


@given(SUBSTANCES, st.sampled_from(["(S)-", "(R)-", "(±)-", "(+)-", "(-)-", "(+/-)-", "rac-", "d5-", "13C6-", "R/S-"]))
@settings(max_examples=100, deadline=None)
def test_mirror_images_and_labels_are_the_same_substance(listed: Matcher, name: str, before: str) -> None:
    assume(not name[0].isdigit() and not name.startswith("N,"))
    assert subject(listed, before + name) == subject(listed, name)


@given(SUBSTANCES, st.text(string.ascii_lowercase, min_size=1, max_size=5), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_name_inside_a_longer_word_is_never_found(listed: Matcher, name: str, letters: str, before: bool) -> None:
    assume(letters != "s" and name.replace(" ", "").replace("-", "").isalpha() and " " not in name and "-" not in name)
    glued = letters + name if before else name + letters
    found = {m.subject for m in listed.mentions(f"Police seized {glued} in Camden", whole=False)}
    wanted = subject(listed, name)
    if wanted in found:  # only where a list has the longer word as a spelling of it
        assert subject(listed, glued) == wanted
        assert Words(glued).key in listed._names


@given(
    st.lists(SUBSTANCES, min_size=1, max_size=5, unique_by=str.casefold), st.sampled_from([", ", "; ", " and ", " + "])
)
@settings(max_examples=150, deadline=None)
def test_a_list_gives_each_of_its_names_once_in_order(listed: Matcher, names: list[str], between: str) -> None:
    wanted = list(dict.fromkeys(subject(listed, name) for name in names))
    for prose, text in ((False, between.join(names)), (True, f"Combined effects of {between.join(names)}")):
        found = [outcome(m.kind.value, m.subject, m.class_id) for m in listed.in_cell(text, in_prose=prose)]
        assert list(dict.fromkeys(found)) == wanted


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_and_what_is_read_is_in_it(listed: Matcher, text: str) -> None:
    for prose in (True, False):
        found = listed.in_cell(text, in_prose=prose)
        assert bool(found) == bool(Words(text).key) or prose
        for one in found:
            assert one.kind.value == "status" or one.as_written.strip() == text[one.start : one.end].strip()


@pytest.mark.parametrize("text", ["metonitazane", "cyklorphine", "N-propyl metonitazene", "Florbinol, heroin"])
def test_what_is_remembered_is_what_was_read(listed: Matcher, text: str) -> None:
    assert listed.in_cell(text, in_prose=False) == listed.in_cell(text, in_prose=False)
    assert listed.mentions(text, whole=True) == listed.mentions(text, whole=True)
