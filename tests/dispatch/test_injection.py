"""Words of others stay words in every format: nothing in them becomes a tag, a link, a mention, a header or a command.

One corpus, put into every field of an alert that people or sources fill, a photograph's words and the reason for an end
among them; every template of the project, the messages made of them, the printed sheets and the report to the region.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html as reading

from ewarn import catalogue
from ewarn.disclosure import inert
from ewarn.disclosure.suppress import for_audience
from ewarn.dispatch import blocks, cards, chat, mail, printed, render
from ewarn.dispatch.envelope import Envelope
from ewarn.errors import ContentFault
from ewarn.pipeline.exports import csv_of
from ewarn.review import regional
from tests.dispatch.told import CONTENT, HOSTILE, hostile_everywhere, told

CORPUS = (
    *HOSTILE,
    "<!channel> <@U123> <https://evil.test|here> @here",
    "[here](https://evil.test) ![x](https://evil.test/x.png) **bold** `code`",
    "a\r\nBcc: everybody@evil.test\r\n\r\nbody",
    "{{ 7 * 7 }} {% include 'x' %} {# y #} ${7*7} #{7*7}",
    '#import "/etc/passwd": * \n= Heading\n#link("https://evil.test")[here] $x$ @ref <label>',
    "\uff1cscript\uff1e \ufe64b\ufe65 \uff20everyone \u2024\u2024/",
    "' onmouseover='alert(1)\" style=\"x",
    "# headline\n! mark\n@ here | https://evil.test\n> small",
    "https://answer.invalid/PERSONAL ANSWER-CODE",
)
ENDS = {"closes": "LDN-2025-0001/A1", "closes_headline": "What was said", "why": "It was a mistake.", "replaces": "v1"}
UNSEEN = "[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f\U000e0000-\U000e007f]"
OWN = ("signs", "advice", "emergency", "answer", "answer_code", "answer_at", "verify", "reference", "alert_id")
MADE: dict[tuple[str, str | None], tuple[str, str]] = {}


@pytest.fixture(scope="module")
def shipped(root: Any) -> Any:
    return catalogue.load(root)


def content(words: str | None, audience: str) -> dict[str, Any]:
    """As `render.payloads` makes it; None for what a harmless text has in the same places."""
    filled = hostile_everywhere("Harmless words." if words is None else words)
    filled |= {key: CONTENT[key] for key in OWN}
    shown = for_audience(inert.content({**told().content, **filled}), audience)
    return {k: v for k, v in (filled | shown).items() if k in shown or k in ENDS} if audience == "public" else shown


def written(shipped: Any, template: str, words: str | None) -> tuple[str, str]:
    if (template, words) not in MADE:
        found = shipped.templates[template]
        (ready,) = render._with_parts([found, *(t for t in shipped.templates.values() if t.product == "parts")])
        MADE[template, words] = render.written(ready, content(words, found.audience))
    return MADE[template, words]


def templates(form: str) -> list[str]:
    """Those that words of an alert stand in, by file name."""
    found = (p.stem for p in (Path(__file__).parents[2] / "alerts" / "templates").glob(f"*-{form}.toml"))
    return sorted(name for name in found if name.split("-")[0] not in ("page", "parts", "contact", "confirm"))


def shape(page: str) -> list[tuple[str, list[str], str | None, str | None]]:
    """Every element of a page with its attributes' names and where it leads."""
    return [(e.tag, sorted(e.attrib), e.get("href"), e.get("src")) for e in reading.fromstring(page).iter()]


@pytest.mark.parametrize("words", CORPUS)
@pytest.mark.parametrize("template", templates("html"))
def test_in_html_they_add_no_element_no_attribute_and_no_address(shipped: Any, template: str, words: str) -> None:
    assert shape(written(shipped, template, words)[1]) == shape(written(shipped, template, None)[1])


@pytest.mark.parametrize("words", CORPUS)
@pytest.mark.parametrize("template", templates("chat"))
def test_in_chat_they_are_no_mention_no_link_and_no_layout(shipped: Any, template: str, words: str) -> None:
    (subject, body), plain = written(shipped, template, words), written(shipped, template, None)[1]
    lines = chat.lines(body)
    assert [(line.kind, line.address) for line in lines] == [(line.kind, line.address) for line in chat.lines(plain)]
    sent = blocks.message(subject, lines)
    texts = [part for block in sent["blocks"] for part in (block.get("text"), *block.get("elements", ())) if part]
    read = [sent["text"], *(part["text"] for part in texts if part["type"] == "mrkdwn")]  # others stand as they are
    assert not re.search(r"<(?!https://(answer\.invalid|alerts\.example\.org)/)", "".join(read)), "commands stand in <>"
    card = json.dumps(cards.message(subject, lines))
    assert card.count('"url"') == sum(line.kind == "link" for line in lines)
    assert not re.search(r'"type": "(?!message|AdaptiveCard|RichTextBlock|TextRun|Container|Action.OpenUrl)', card)


@pytest.mark.parametrize("words", CORPUS)
@pytest.mark.parametrize("template", templates("text") + templates("sms"))
def test_in_text_they_add_no_line_and_nothing_unseen_and_no_template_runs(
    shipped: Any, template: str, words: str
) -> None:
    try:
        subject, body = written(shipped, template, words)
    except ContentFault as fault:
        assert template.endswith("sms") and "Shorten" in fault.next_step, "too long is said, never cut"
        return
    assert "\n" not in subject and not re.search(UNSEEN, subject + body.replace("\n", ""))
    assert "49" not in re.sub(r"[0-9-]{6,}", "", body) or "49" in words
    if template.endswith("text"):
        assert body.count("\n") == written(shipped, template, None)[1].count("\n")


@pytest.mark.parametrize("words", CORPUS)
def test_in_an_e_mail_they_are_no_header_and_no_second_address(shipped: Any, words: str, make_delivery: Any) -> None:
    (subject, text), (_, page) = (written(shipped, f"formal-alert-{form}", words) for form in ("text", "html"))
    parts = {"subject": subject, "text": text, "html": page, "references": render.thread(told().content)}
    url = "mailto://127.0.0.1:25?mode=insecure&from=a@b.test&to=anna@partner.test"
    made = mail.TwoPartMail.of(url, parts, make_delivery(), Envelope(key="k", message_id="<k@b.test>"))
    headers = [name.lower() for name in made._message(subject)]
    assert len(headers) == len(set(headers)) and "bcc" not in headers and "cc" not in headers


PDFS = ("formal-alert-flyer", "formal-alert-clinical", "formal-alert-public-poster", "withdrawal-flyer")


@pytest.mark.parametrize("template", PDFS)
def test_on_paper_they_are_set_as_they_are(shipped: Any, template: str) -> None:
    found = shipped.templates[template]
    some = " ".join(CORPUS[-6:-4])
    body = printed.pdf(found, content(some, found.audience), "subject")
    harmless = printed.pdf(found, content(None, found.audience), "subject")
    assert body.startswith(b"%PDF-") and b"evil.test)" not in body
    assert body.count(b"/URI") == harmless.count(b"/URI") and b"/JavaScript" not in body


@pytest.mark.parametrize("words", CORPUS)
def test_in_the_report_to_the_region_they_are_no_markup_and_no_formula(words: str) -> None:
    now = datetime(2025, 7, 3, tzinfo=UTC)
    row = regional.AlertRow(
        alert="LDN-2025-0001/A1", product="formal alert", standing="actual", headline=words, area_code="E09000007",
        area=words, drug=words, state="issued", versions=1, event=words, substance="probable", link="unverified",
        received=now, assessed=now, issued=now, marking="TLP:AMBER", conditions=(words,),
    )  # fmt: skip
    case = regional.CaseRow(area_code="E09000007", area=words, drug=words, open=True, substance="probable")
    asked = regional.Asked(
        issuer_name=words, standing="actual", origin=words, since=now.date(), until=now.date(), marking="TLP:AMBER",
        made_at=now,
    )  # fmt: skip
    page = regional.html(regional.markdown(asked, [row], [case]), words)
    tags = {e.tag for e in reading.fromstring(page).iter()}
    assert tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "table", "thead",
                    "tbody", "tr", "th", "td", "ul", "li"}  # fmt: skip
    assert page.count("<h1>") == 1 and page.count("<tr>") == 4 and "<a " not in page and "<img" not in page
    sheet = csv_of(regional.ALERT_COLUMNS, [row.cells()])
    for cell in next(csv.reader(io.StringIO(sheet.split("\r\n", 1)[1], newline=""))):
        assert not cell.startswith(tuple("=+@|%\t\r\n")), cell
