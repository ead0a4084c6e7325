"""The printed templates that the project ships: each sets, with everything and with next to nothing known."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from ewarn.catalogue.definitions import TemplateDefinition
from ewarn.disclosure.suppress import for_audience
from ewarn.dispatch import printed
from tests import sheets
from tests.content.sheet_content import content

ROOT = Path(__file__).resolve().parent.parent.parent
ALERTS = ROOT / "alerts"
GOLDEN = Path(__file__).resolve().parent / "sheets"
ALL = [TemplateDefinition(id=p.stem, **tomllib.loads(p.read_text())) for p in sorted((ALERTS / "templates").glob("*"))]
SHEETS = [t for t in ALL if t.paper]
ENDING = [t for t in SHEETS if t.product in ("stand-down", "withdrawal")]
WARNING = [t for t in SHEETS if t not in ENDING]
BARE: dict[str, Any] = {
    "also_possible": [], "what_happened": [], "figures": [], "sold_as": [], "found": [], "appearance": [], "advice": [],
    "headline": "", "at_risk": "", "report_back": "", "verify": "", "signs": {"id": "", "title": "", "text": ""},
    "analyses": [], "series": {}, "clinical": [],
}  # fmt: skip
ENDED = {
    "kind": "stand-down", "version": 3, "replaces": "version 2 of 3 March 2025", "closes": "LDN-2025-0007/A1",
    "closes_headline": "Overdoses in Camden", "why": "No event for four weeks.",
}  # fmt: skip


def made(template: TemplateDefinition, **changes: Any) -> bytes:
    return _made(template.id, json.dumps(changes, sort_keys=True))


@lru_cache(maxsize=64)
def _made(template_id: str, said: str) -> bytes:
    """Each sheet once for each content: setting it is what these tests cost."""
    template, changes = next(t for t in ALL if t.id == template_id), json.loads(said)
    ended = ENDED if template in ENDING else {}
    return printed.pdf(template, for_audience(content(**ended, **changes), template.audience), "Subject")


def test_formal_alerts_and_their_ends_have_a_flyer_for_each_audience() -> None:
    found = {(str(t.product), t.audience) for t in SHEETS if t.format == "flyer"}
    products = ("formal alert", "stand-down", "withdrawal")
    assert found == {(product, audience) for product in products for audience in ("professional", "public")}
    assert {(t.format, t.paper) for t in SHEETS} == {("flyer", "a4"), ("poster", "a3"), ("clinical", "a4")}


def test_treatment_by_clinicians_comes_from_owned_advice_alone_and_is_no_advice_for_the_public() -> None:
    (template,) = (t for t in SHEETS if t.format == "clinical")
    assert template.audience == "professional" and not re.search(r"microgram|\bmg\b|\bdose", template.body)
    shown = sheets.words(made(template))
    for words in (
        "400 micrograms", "starter text, to be adopted by the panel", "to be looked at again by 22 May 2027",
        "Royal Cornwall Hospitals", "LC-MS confirmatory method", "test strip quick test, not confirmed",
    ):  # fmt: skip
        assert words in shown, words
    for other in SHEETS:
        assert other is template or "microgram" not in sheets.words(made(other))


def test_the_chart_says_its_values_to_those_who_do_not_see_it_and_the_public_has_none() -> None:
    told = "week of 24 February 2025: 2; week of 3 March 2025: 12."
    posters = {t.audience: made(t) for t in SHEETS if t.format == "poster"}
    assert told.encode() in b"".join(sheets.objects(posters["professional"]).values())
    assert "week by week" in sheets.words(posters["professional"])
    assert "week by week" not in sheets.words(posters["public"])
    assert b"week of" not in b"".join(sheets.objects(posters["public"]).values())


@pytest.mark.parametrize("template", SHEETS, ids=lambda t: t.id)
def test_a_sheet_says_what_it_has_to_say(template: TemplateDefinition) -> None:
    shown = sheets.words(made(template))
    wanted = ["Camden", "LDN-2025-0007", "Camden LDIS", "3 March 2025", "TLP:AMBER", "Call 999 first", "naloxone"]
    wanted += ["Not an NHS Patient Safety Alert"]
    assert "https://alerts.example.org/verify/LDN-2025-0007" in shown.replace(" ", "")
    if template in WARNING:
        wanted += ["Metonitazene", "heroin, diazepam", "We do not have confirmation of the drug involved."]
        wanted += ["17 March 2025", "31 March 2025", "quick test, not confirmed", "powder, brown"]
    for words in wanted:
        assert words in shown, words


@pytest.mark.parametrize("template", SHEETS, ids=lambda t: t.id)
def test_a_sheet_with_next_to_nothing_known_is_set_too(template: TemplateDefinition) -> None:
    shown = sheets.words(made(template, **BARE))
    assert "Call 999 first" in shown and not re.search(r"\bnone\b|\(\)|Sold as", shown)


@pytest.mark.parametrize("template", ENDING, ids=lambda t: t.id)
def test_an_end_says_so_first_and_is_no_all_clear(template: TemplateDefinition) -> None:
    shown = sheets.words(made(template))
    assert shown.startswith("WARNING ENDED")
    assert "stood down" in shown if template.product == "stand-down" else "withdrawn" in shown
    for words in (
        "No event for four weeks.",
        "Take down every flyer and poster",
        "This is not an all-clear",
        "Overdoses in Camden",
    ):
        assert words in shown
    assert "TAKE DOWN AFTER" not in shown and "31 March 2025" not in shown


@pytest.mark.parametrize("template", SHEETS, ids=lambda t: t.id)
def test_an_exercise_is_marked_above_below_and_across(template: TemplateDefinition) -> None:
    mark = "EXERCISE EXERCISE EXERCISE: not a real event"
    sheet = made(template, watermark=mark, standing="exercise", origin="Reconstructed from public reports")
    shown = sheets.text(sheet)
    assert " ".join(shown.split()).count(mark) == 1 + sheets.pages(sheet) and "EXERCISE" in shown.split("\n")
    assert "Reconstructed from public reports" in " ".join(shown.split())
    assert "EXERCISE" not in sheets.text(made(template))


@pytest.mark.parametrize("template", [t for t in SHEETS if t.audience == "public"], ids=lambda t: t.id)
def test_a_public_sheet_prints_no_count_below_what_may_be_shown(template: TemplateDefinition) -> None:
    public = [
        "On 3 March 2025, about 10 people were reported to have overdosed.",
        "Of these, fewer than 8 people died.",
    ]
    shown = sheets.words(made(template, what_happened_public=public, headline="3 died in Camden", advice=[]))
    assert "12 people" not in shown and "3 died" not in shown and "3 people" not in shown


@pytest.mark.parametrize("template", SHEETS, ids=lambda t: t.id)
def test_a_sheet_is_black_on_white(template: TemplateDefinition) -> None:
    """Grey stands across the page in exercises alone; everything else is black, or white on black."""
    assert not re.search(r"\b(rgb|red|blue|green|yellow|orange|luma)\b", template.body)


def told(pdf: bytes) -> str:
    """Pages, structure and words of a sheet, as the golden files keep them."""
    roles = " ".join(f"{role} {count}" for role, count in sorted(Counter(sheets.roles(pdf)).items()))
    return "\n".join([f"pages {sheets.pages(pdf)}", roles, "", *textwrap.wrap(sheets.words(pdf), 110), ""])


@pytest.mark.parametrize("template", SHEETS, ids=lambda t: t.id)
def test_a_sheet_reads_as_it_was_looked_at(template: TemplateDefinition) -> None:
    """After a change that was looked at: `python -m tests.content.test_printed_content` writes these files anew."""
    assert told(made(template)) == (GOLDEN / f"{template.id}.txt").read_text()


@pytest.mark.slow
def test_the_example_of_the_how_to_is_checked_and_set(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "printed-formats.md").read_text()
    found = re.search(r"`alerts/templates/([a-z-]+)\.toml`:\n```toml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    card = TemplateDefinition(id=found[1], **tomllib.loads(found[2]))
    sheet = printed.pdf(card, content(), "Subject")
    assert sheets.pages(sheet) == 1 and "Call 999 first" in sheets.words(sheet)


if __name__ == "__main__":
    for sheet in SHEETS:
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / f"{sheet.id}.txt").write_text(told(made(sheet)))
