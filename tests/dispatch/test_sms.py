"""A text message is counted as the networks count it, fits in two parts, and is said shorter and never cut."""

from __future__ import annotations

import pytest

from ewarn.dispatch import render, sms
from ewarn.errors import ContentFault
from tests.dispatch.conftest import template

BODY = (
    "{{ content.marking }} {% if short < 2 %}{{ content.headline }}{% else %}short{% endif %} "
    "{% if short < 1 %}{{ content.what_happened[0] }}{% endif %} call 999"
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
     ("a" * 152 + "€" + "a" * 151, 2), ("a" * 152 + "€" + "a" * 152, 3), ("ł" * 70, 1), ("ł" * 71, 2), ("ł" * 134, 2),
     ("ł" * 135, 3), ("😀" * 35, 1), ("😀" * 66, 2), ("😀" * 67, 3), ("[]{}~|^\\" * 10, 1), ("", 1)],
)  # fmt: skip
def test_parts_are_counted_as_the_networks_count_them(text, parts):
    assert sms.parts(text) == parts


def test_a_typographers_sign_does_not_double_the_price():
    assert sms.plain("it’s “new” – and\n bad…") == 'it\'s "new" - and bad...'


@pytest.fixture
def written(make_alert, make_catalogue, catalogue):
    def write(standing="actual", body=BODY, **content):
        one = template("formal-sms", "sms", body)
        alert = make_alert(standing, **content)
        alert = alert.model_copy(update={"template_versions": {**alert.template_versions, "formal-sms": 1}})
        found = render.payloads(alert, make_catalogue(templates={**catalogue.templates, "formal-sms": one}))
        return next(p for p in found if p.format == "sms").body.decode()

    return write


def test_it_is_shortened_in_the_order_that_the_template_states(written):
    assert written() == "TLP:AMBER Harm in Camden On 3 March 2025, 12 people were ill. call 999"
    assert written(what_happened=["word " * 70]) == "TLP:AMBER Harm in Camden call 999"
    assert written(headline="word " * 70) == "TLP:AMBER short call 999"


def test_an_exercise_and_its_marking_are_said_where_the_template_leaves_them_out(written):
    assert written("exercise", body="call 999") == "EXERCISE TLP:AMBER call 999"


def test_what_cannot_fit_is_refused_with_what_to_do(written):
    with pytest.raises(ContentFault, match="3 parts at its shortest") as fault:
        written(body="{{ content.marking }} " + "ж" * 130)
    assert "Shorten the headline" in str(fault.value.next_step)


def test_a_letter_loses_its_accent_before_a_fact_is_left_out(written):
    assert written(what_happened=["Pŵer łoś. " * 16]).startswith("TLP:AMBER Harm in Camden Pwer los. Pwer los.")
    assert "Pŵer" in written(what_happened=["Pŵer."])
