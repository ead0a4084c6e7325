"""Words of others stay words in every format: nothing in them becomes a tag, a link, a mention, a header or a command.

One corpus, put into every field of an alert that people or sources fill, a photograph's words and the reason for an end
among them; every template of the project, the messages made of them, the printed sheets and the report to the region.
The same in the names of recipients and their organisations, and in what recipients answer.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import html as reading

from ewarn import catalogue
from ewarn.answers import forms
from ewarn.disclosure import inert
from ewarn.disclosure.suppress import for_audience
from ewarn.dispatch import addressbook, blocks, cards, chat, letter, mail, page, printed, render, send
from ewarn.dispatch.envelope import Envelope
from ewarn.errors import ContentFault
from ewarn.pipeline.exports import csv_of
from ewarn.review import matrix, regional
from ewarn.terms import Recipient, Standing
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
FORMULAS = tuple("=+@|%\t\r\n")
SINCE = datetime(2025, 7, 3, tzinfo=UTC)
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


STORED = tuple(words.replace("\ud800", "") for words in CORPUS)  # what is no text is never stored
PLAIN = "Camden outreach"


def recipient(words: str, **more: str) -> Recipient:
    return Recipient(id="r", name=words, organisation=words, areas=("E09000007",), channel="exercise-email", **more)


def parts_of_page(words: str, form: str, shipped: Any) -> Any:
    """What is told of somebody who cannot be reached, as one kind of channel takes it."""
    said = f"{words}: given up: SMTP 550"
    told_of = page.operator_message([(words, said), ("dispatch", said)], Standing.EXERCISE, SINCE, PLAIN)
    return render.page_payload(told_of, form, shipped)


@pytest.mark.parametrize("words", STORED)
def test_names_of_recipients_add_nothing_to_what_the_operator_is_told(shipped: Any, words: str) -> None:
    for form in ("text", "sms", "email", "slack", "teams", "json"):
        made, harmless = (parts_of_page(said, form, shipped) for said in (words, PLAIN))
        assert "\n" not in made.subject and not re.search(UNSEEN, made.subject)
        body = made.body.decode()
        if form in ("text", "sms"):
            assert body.count("\n") == harmless.body.decode().count("\n")
            assert not re.search(UNSEEN, body.replace("\n", ""))
            continue
        read, plain = json.loads(body), json.loads(harmless.body)
        if form == "email":
            assert shape(read["html"]) == shape(plain["html"])
            assert read["text"].count("\n") == plain["text"].count("\n") and read["references"] == plain["references"]
        elif form == "slack":
            texts = [
                part for block in read["blocks"] for part in (block.get("text"), *block.get("elements", ())) if part
            ]
            assert "<" not in "".join([read["text"], *(p["text"] for p in texts if p["type"] == "mrkdwn")])
            assert all(part.get("verbatim", True) for part in texts)
        elif form == "teams":
            assert '"url"' not in body and body.count('"type"') == harmless.body.decode().count('"type"')
        else:
            assert read["page"]["text"].count("\n") == plain["page"]["text"].count("\n")


@pytest.mark.parametrize("words", STORED)
def test_names_of_recipients_add_no_line_to_their_letter_and_no_cell_to_the_list(shipped: Any, words: str) -> None:
    asked = recipient(words, address="a@b.test")
    subject, text = letter.confirmation(asked, shipped, PLAIN, SINCE.date())
    plain = letter.confirmation(recipient(PLAIN, address="a@b.test"), shipped, PLAIN, SINCE.date())
    assert subject == plain[0] and text.count("\n") == plain[1].count("\n")
    assert not re.search(UNSEEN, text.replace("\n", ""))
    rows = list(csv.reader(io.StringIO(addressbook.write([asked]), newline="")))
    assert len(rows) == 2 and len(rows[1]) == len(addressbook.COLUMNS)
    assert not [cell for cell in rows[1] if cell.startswith(FORMULAS)]


@pytest.mark.parametrize("words", STORED)
def test_names_of_recipients_are_words_in_the_matrix(words: str) -> None:
    cell = dict.fromkeys(matrix.COLUMNS) | {
        "destination": "r", "alert": "LDN-2025-0001/A1", "version": 1, "state": "withheld", "sent_at": SINCE,
        "forwarded": False, "reason": words,
    }  # fmt: skip
    cells = pl.DataFrame([{key: value for key, value in cell.items() if key != "name"}])
    made, harmless = (matrix.page(cells, {"r": name}, PLAIN, SINCE) for name in (words, PLAIN))
    assert shape(made) == shape(harmless)
    (row,) = list(csv.reader(io.StringIO(matrix.sheet(cells, {"r": words}).split("\r\n", 1)[1], newline="")))
    assert len(row) == len(matrix.COLUMNS) and not [said for said in row if said.startswith(FORMULAS)]


ADDRESSES = (
    *STORED, "anna@b.test,eve@evil.test", "anna@b.test;eve@evil.test", "anna@b.test eve@evil.test",
    "anna@b.test&to=eve@evil.test", "anna@b.test?bcc=eve@evil.test", "anna@b.test%26cc=eve@evil.test",
    "anna@b.test%2Ceve@evil.test", "anna@b.test%252Ceve@evil.test", "anna@b.test\r\nBcc: eve@evil.test",
    "anna@b.test&+Bcc=eve@evil.test", "Anna <anna@b.test>, eve@evil.test", "anna@b.test&smtp=evil.test",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_one_address_of_the_channels_own_server(shipped: Any, address: str, make_delivery: Any) -> None:
    channel, delivery = shipped.channels["exercise-email"], make_delivery()
    filled = send.fill(channel, recipient(PLAIN, address=address), lambda _: "127.0.0.1:25", "ewarn@b.test", delivery)
    try:
        made = mail.TwoPartMail.of(filled.url, {"text": "t"}, delivery, Envelope(key="k", message_id="<k@b.test>"))
    except ValueError:
        return
    message = made._message("subject")
    assert made.smtp_host == "127.0.0.1" and made.from_addr[1] == "ewarn@b.test"
    assert len(message.get_all("To")) == 1 and "," not in message["To"] and not {"Cc", "Bcc"} & {*message.keys()}


@pytest.mark.parametrize("words", CORPUS)
def test_what_a_recipient_or_a_reporter_types_is_bounded_words_before_it_is_kept(words: str) -> None:
    assert not re.search(UNSEEN + "|[\n\u2028\u2029]", forms.line(words))
    assert not re.search(UNSEEN, forms.prose(words).replace("\n", ""))
