"""Sheets of paper: the same object is the same bytes, what people wrote is only ever text, and one page is one page."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ewarn import catalogue as content_room
from ewarn.catalogue.definitions import TemplateDefinition
from ewarn.dispatch import printed, render
from ewarn.errors import ContentFault
from tests import sheets
from tests.content.sheet_content import LONG, content

ROOT = Path(__file__).resolve().parent.parent.parent
FLYER = ROOT / "alerts" / "templates" / "formal-alert-flyer.toml"
EVIL = '#read("/etc/passwd") $x^2$ *bold* _it_ `code` @ref <label> \\ // = [x] ~ -- ... "q" #{1+1} https://evil.example'


def template(body: str, **more: Any) -> TemplateDefinition:
    values = {"id": "t", "version": 1, "product": "formal alert", "format": "flyer", "audience": "professional"}
    return TemplateDefinition.model_validate(values | {"paper": "a4", "body": body} | more)


def flyer() -> TemplateDefinition:
    return TemplateDefinition.model_validate({"id": FLYER.stem, **tomllib.loads(FLYER.read_text())})


def test_the_same_object_is_the_same_bytes_and_another_is_not() -> None:
    one, two = (printed.pdf(flyer(), content(), "x") for _ in range(2))
    assert one == two and one.startswith(b"%PDF-1.7")
    for change in ({"headline": "Another"}, {"date": "2025-03-04"}, {"verify": "https://other.example/1"}):
        assert printed.pdf(flyer(), content(**change), "x") != one


def test_another_process_makes_the_same_bytes() -> None:
    ask = (
        "import sys, json, hashlib; from ewarn.dispatch import printed;"
        "from ewarn.catalogue.definitions import TemplateDefinition as T;"
        "said = json.load(sys.stdin); made = printed.pdf(T.model_validate(said[0]), said[1], 'x');"
        "print(hashlib.sha256(made).hexdigest())"
    )
    said = json.dumps([flyer().model_dump(mode="json"), content()])
    done = subprocess.run([sys.executable, "-c", ask], input=said, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(printed.pdf(flyer(), content(), "x")).hexdigest()


@pytest.mark.parametrize(
    "key",
    ["headline", "at_risk", "report_back", "what_happened", "appearance", "sold_as", "issuer", "origin", "audience"],
)
def test_what_people_wrote_is_set_as_text_and_never_as_code(key: str) -> None:
    listed = key in ("what_happened", "appearance", "sold_as")
    made = printed.pdf(flyer(), content(advice=[], **{key: [EVIL] if listed else EVIL}), "x")
    if key != "audience":  # the flyer has its own words for who may see it
        shown = re.sub(r"\s", "", sheets.text(made))
        assert re.sub(r"\s", "", EVIL) in shown
    assert b"root:" not in made


def test_advice_and_names_of_substances_are_text_too() -> None:
    advice = {**content()["emergency"], "title": EVIL, "text": f"999 naloxone {EVIL}\n\n- {EVIL}"}
    found = [{"name": EVIL, "role": "minor", "presumptive": True}]
    made = printed.pdf(flyer(), content(emergency=advice, found=found), EVIL)
    assert re.sub(r"\s", "", sheets.text(made)).count(re.sub(r"\s", "", EVIL)) == 4


def test_letters_of_other_scripts_and_signs_are_seen_and_steering_marks_are_not() -> None:
    odd = "💀 in Môr ŵŷ 漢字 \u202edlrow\u202c سلام שלום " + "x" * 100
    shown = sheets.words(printed.pdf(flyer(), content(at_risk=odd, advice=[]), "x"))
    for seen in ("[skull] in Môr ŵŷ [words in Chinese or Japanese letters] dlrow", "xxxxxxxxxxxx"):
        assert seen in shown
    assert "\u202e" not in shown and shown.replace(" ", "").count("x" * 100) == 1
    assert {"س", "ש"} <= set(shown)


def test_a_sheet_is_tagged_titled_and_in_british_english() -> None:
    made = printed.pdf(flyer(), content(), "The subject of it")
    assert b"/Lang(en-GB)" in sheets.catalogue(made) and b"/Marked true" in sheets.catalogue(made)
    assert b"/DisplayDocTitle true" in sheets.catalogue(made)
    assert "The subject of it" in sheets.metadata(made) and "<pdfuaid:part>1<" in sheets.metadata(made)
    assert "2025-03-03T00:00:00" in sheets.metadata(made)
    roles = sheets.roles(made)
    assert roles.count("H1") == 1 and {"H2", "L", "LI", "P"} <= set(roles)
    assert b"/Alt(QR code for https://alerts.example.org/verify/LDN-2025-0007)" in b"".join(
        sheets.objects(made).values()
    )


@pytest.mark.parametrize("verify", ["", "javascript:alert(1)", "file:///etc/passwd", "https://a b"])
def test_without_a_web_address_there_is_no_code(verify: str) -> None:
    made = printed.pdf(flyer(), content(verify=verify), "x")
    assert "Figure" not in sheets.roles(made) and "genuine" not in sheets.words(made)


@pytest.mark.parametrize("key", [*LONG, "everything"])
def test_a_flyer_is_one_page_whatever_is_written_and_keeps_its_safety_lines(key: str) -> None:
    changes = LONG if key == "everything" else {key: LONG[key]}
    made = printed.pdf(flyer(), content(**changes), "x")
    shown = sheets.words(made)
    assert sheets.pages(made) == 1
    for line in (
        " ".join(str(content(**changes)["emergency"]["text"]).replace("\n- ", " • ").split()),
        "TAKE DOWN AFTER",
    ):
        assert line in shown
    if key != "emergency":
        assert "See the full alert LDN-2025-0007/A1" in shown


def test_a_foot_names_marking_version_and_watermark_whatever_the_template_says() -> None:
    changes = {
        "watermark": "EXERCISE: not a real event",
        "standing": "exercise",
        "replaces": "version 1 of 3 March 2025",
    }
    made = printed.pdf(template("= Bare"), content(**changes), "x")
    assert (
        "TLP:AMBER | LDN-2025-0007/A1 | version 1 | replaces version 1 of 3 March 2025 | EXERCISE: not"
        in sheets.words(made)
    )
    changes = changes | {"standing": "draft exercise"}
    across = printed.pdf(template("= Bare"), content(**changes), "x")
    assert {"DRAFT", "EXERCISE"} <= set(sheets.text(across).split("\n"))


@pytest.mark.parametrize(
    "body", ['#read("/etc/passwd")', '#import "@preview/x:1.0.0"', "#eval(content.headline)", '#image("x.png")',
             "#include(\"x\")", "#sys.inputs"],
)  # fmt: skip
def test_a_template_that_reaches_out_is_a_fault_of_content(body: str) -> None:
    with pytest.raises(ValueError, match="cannot use"):
        template(body)


def test_a_written_format_has_no_paper_and_a_printed_one_must_have_it() -> None:
    with pytest.raises(ValueError, match="say the paper"):
        template("x", paper="")
    with pytest.raises(ValueError, match="no printed format"):
        template("x", format="html")


def test_a_template_that_cannot_be_set_is_named() -> None:
    with pytest.raises(ContentFault, match="cannot be set") as fault:
        printed.pdf(template("#nothing"), content(), "x")
    assert fault.value.where == "alerts/templates/t.toml"


def test_a_sheet_that_cannot_be_set_is_left_out_and_stops_no_warning(make_alert, make_catalogue, catalogue) -> None:
    good, bad = template("= Good", id="good"), template("#nothing", id="bad", format="poster")
    both = make_catalogue(templates={**catalogue.templates, "good": good, "bad": bad})
    alert = make_alert(review_on="2025-03-17")
    alert = alert.model_copy(update={"template_versions": {**alert.template_versions, "good": 1, "bad": 1}})
    made = render.payloads(alert, both)
    assert {"email", "json", "slack", "text", "flyer"} <= {p.format for p in made if p.audience == "professional"}
    assert render.unset(alert, both, made) == ["bad"]
    assert "flyer" not in {p.format for p in render.payloads(alert, both, paper=False)}
    assert next(p for p in made if p.format == "flyer").subject == "[TLP:AMBER] "


def test_the_shipped_content_has_no_fault() -> None:
    assert content_room.check(ROOT) == []


@pytest.mark.parametrize(
    ("marking", "said"),
    [
        ("TLP:CLEAR", "May be put up"),
        ("OFFICIAL TLP:CLEAR", "May be put up"),
        ("OFFICIAL-SENSITIVE TLP:AMBER", "For staff: do not put it up"),
        ("TLP:RED", "for the persons it was given to only"),
    ],
)
def test_what_a_marking_allows_is_said_in_words(marking: str, said: str) -> None:
    shown = sheets.words(printed.pdf(flyer(), content(marking=marking), "x"))
    assert said in shown and shown.count(marking) == 2
