"""E-mail and pasted notices: everything said is read, and no sender or name is carried along."""

from __future__ import annotations

import base64
import gzip
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ewarn import catalogue
from ewarn.catalogue.definitions import NoticeDefinition
from ewarn.errors import UnusableInput
from ewarn.intake import Staged, attachments, is_mail, mail, read, wrapped

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
NAMES = ("jane", "smith", "bob", "brown", "@", "7946")


@pytest.fixture(scope="module")
def known() -> catalogue.Catalogue:
    return catalogue.load(ROOT)


def message(text: str = "Metonitazene sold as heroin in Hackney.", **more: Any) -> EmailMessage:
    made = EmailMessage()
    made["From"] = more.get("sender", '"Smith, Jane" <jane.smith@camden.example>')
    made["To"] = "Bob Brown <bob@example.org>"
    made["Subject"] = more.get("subject", "FW: Drug alert \u2013 from Jane Smith")
    made["Date"] = more.get("date", "Mon, 03 Mar 2025 10:00:00 +0000")
    made["Message-ID"] = "<1@camden.example>"
    made.set_content(text, charset=more.get("charset", "utf-8"))
    return made


def staged(known: catalogue.Catalogue, body: bytes, source: str = "email", **changed: Any) -> Staged:
    definition = known.notices[source].model_copy(update=changed)
    return read(definition, body, known, received_at=NOW, backfill=False)


def everything(found: Staged) -> str:
    return str([f.to_dicts() for f in (found.records, found.mentions, found.places, found.rejects)] + list(found.notes))


def test_a_message_is_read_and_its_people_stay_behind(known: catalogue.Catalogue) -> None:
    body = (
        "Hi Bob,\n\nMetonitazene sold as heroin in Hackney.\n\nKind regards\nJane Smith\nCamden Council\n020 7946 0000"
    )
    found = staged(known, bytes(message(body)))
    (record,) = found.records.to_dicts()
    assert (record["notice_kind"], record["reference_date"]) == ("alert", date(2025, 3, 3))
    assert record["title"] == "Alert naming Metonitazene, Heroin (Hackney)" and record["summary"] == ""
    assert record["sold_as"] == "heroin"
    assert found.mentions["subject"].to_list() == ["metonitazene", "heroin"]
    assert found.places["as_written"].to_list() == ["Hackney"], "a sender's own address is not where it happened"
    assert not [name for name in NAMES if name in everything(found).casefold()]


def test_a_forwarded_chain_is_read_to_its_end(known: catalogue.Catalogue) -> None:
    chain = (
        "FYI\n\nThanks\nJane Smith\nCamden Council\n\n-----Original Message-----\nFrom: Brown, Bob <bob@example.org>\n"
        "Sent: 2 March 2025 09:00\nTo: Jane Smith\nSubject: RE: overdoses\n\n> Three overdoses in Islington,\n"
        "> protonitazene is suspected.\n\nBegin forwarded message:\nFrom: Jane\nSubject: first seen\n\n"
        "In Hackney too.\n"
    )
    found = staged(known, bytes(message(chain)))
    assert set(found.places["as_written"]) == {"Islington", "Hackney"}
    assert found.mentions["subject"].to_list() == ["protonitazene"]
    assert not [name for name in NAMES if name in everything(found).casefold()]


def test_a_message_inside_a_message_is_read_and_dated_by_itself(known: catalogue.Catalogue) -> None:
    outer = message("See attached.", subject="Fwd: something", date="Sat, 08 Mar 2025 10:00:00 +0000")
    outer.add_attachment(message("Cychlorphine found in Camden.", subject="Warning: cychlorphine"))
    found = staged(known, bytes(outer))
    assert found.mentions["subject"].to_list() == ["cychlorphine"]
    assert found.records["reference_date"].to_list() == [date(2025, 3, 3)]


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
def test_charsets_and_encodings(charset: str) -> None:
    made = message("Fake caf\u00e9 pills: metonitazene", charset=charset, subject="Caf\u00e9 \u00a320 alert")
    found = mail.read(bytes(made))
    assert "caf\u00e9 pills" in found.text and found.subject == "Caf\u00e9 \u00a320 alert"


def test_a_wrong_or_unknown_charset_is_survived() -> None:
    head = b"From: a@b\nSubject: =?x-none?Q?=E9?= alert\nMIME-Version: 1.0\nContent-Type: text/plain; charset=%s\n\n"
    for charset in (b"utf-8", b"x-none", b"ascii"):
        assert "caf\u00e9" in mail.read(head % charset + b"caf\xe9 metonitazene").text


def test_the_fuller_of_text_and_html_is_read() -> None:
    made = message("Please view this message as HTML.")
    made.add_alternative(
        "<html><head><style>p{}</style></head><body><nav>Home Westminster</nav><h1>Drug alert</h1><p>Metonitazene in"
        " <b>Hackney</b>, sold as heroin, was found in several samples this week.</p>"
        "<script>x()</script></body></html>",
        subtype="html",
    )
    text = mail.read(bytes(made)).text
    assert "Metonitazene in Hackney" in text and "Westminster" not in text and "x()" not in text


def test_attachments_come_with_an_ending_and_never_a_name(known: catalogue.Catalogue) -> None:
    made = message()
    made.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="Jane Smith.csv")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="x.pdf")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    found = attachments(known.notices["email"], wrapped(bytes(made), {}))
    assert [(a.number, a.ending, a.body) for a in found] == [(1, ".csv", b"a,b\n1,2\n"), (2, ".pdf", b"%PDF")]


def test_a_mailbox_of_published_notices_keeps_its_words_without_people(known: catalogue.Catalogue) -> None:
    body = "Dear Bob Brown,\nMetonitazene in Hackney. Ring Jane Smith on 020 7946 0000 or jane@example.org."
    found = staged(known, bytes(message(body)), strip_title=False, strip_summary=False)
    (record,) = found.records.to_dicts()
    assert record["title"] == "Drug alert \u2013 from [name]"
    assert record["summary"] == "Metonitazene in Hackney. Ring [name] on [number] or [address]."


def test_parts_without_end_are_refused_and_nothing_is_quoted(known: catalogue.Catalogue) -> None:
    inner = message()
    for _ in range(12):
        outer = message("x")
        outer.add_attachment(inner)
        inner = outer
    with pytest.raises(UnusableInput) as fault:
        staged(known, bytes(inner))
    assert "jane" not in str(fault.value).casefold()
    deep = b"From: a@b\nSubject: s\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3000)
    )
    with pytest.raises(UnusableInput):
        staged(known, deep)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"From: a@b\nSubject: s\n\nwords", True),
        (b"Subject: Drug alert\nDate: today\n\nwords", True),
        (b"Drug alert: nitazenes\nSold as: heroin\n\nwords", False),
        (b"<html>", False),
        (b"", False),
    ],
)
def test_a_message_is_known_by_its_head(content: bytes, expected: bool) -> None:
    assert is_mail(content) is expected


# ---------------------------------------------------------------- pasted


def pasted(known: catalogue.Catalogue, words: str | bytes, **said: str) -> Staged:
    return staged(known, wrapped(words.encode() if isinstance(words, str) else words, said), "pasted")


def test_the_first_line_of_a_paste_is_its_title(known: catalogue.Catalogue) -> None:
    (record,) = pasted(known, "Drug alert: fake Xanax\n\nIt holds bromazolam.\n").records.to_dicts()
    assert (record["title"], record["summary"]) == ("Drug alert: fake Xanax", "It holds bromazolam.")
    assert record["basis"].endswith("day of receipt")


def test_what_was_said_beside_it_is_kept_with_it(known: catalogue.Catalogue) -> None:
    said = {"title": "T", "publisher": "Hackney LDIS", "published": "2025-03-01T00:00:00+00:00",
            "link": "https://example.org/1", "area": "E09000012"}  # fmt: skip
    found = pasted(known, "Metonitazene found.", **said)
    (record,) = found.records.to_dicts()
    assert (record["title"], record["publisher"], record["link"]) == ("T", "Hackney LDIS", "https://example.org/1")
    assert record["reference_date"] == date(2025, 3, 1)
    assert found.places.select("area", "precision").rows() == [("E09000012", "area code")]


def test_the_same_words_have_the_same_reference_and_the_same_content(known: catalogue.Catalogue) -> None:
    once, again = (pasted(known, "Metonitazene in Camden.").records for _ in range(2))
    other = pasted(known, "Metonitazene in Hackney.").records
    assert once.equals(again) and once["key"][0] != other["key"][0]


def test_a_page_is_read_without_its_menus(known: catalogue.Catalogue) -> None:
    page = (
        "<!DOCTYPE html><html><head><title>Council | Alerts</title></head><body><nav>Islington</nav>"
        "<h1>Drug warning</h1>"
        "<ul><li>Sold as: heroin</li><li>Found: metonitazene</li></ul><footer>Barnet</footer></body></html>"
    )
    found = pasted(known, page)
    assert found.records["title"].to_list() == ["Drug warning"]
    assert found.places["precision"].to_list() == ["unplaced"]
    assert found.mentions["subject"].to_list() == ["heroin", "metonitazene"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_paste_of_any_usual_encoding(known: catalogue.Catalogue, encoding: str) -> None:
    (title,) = pasted(known, "Warning \u2013 caf\u00e9 in Camden".encode(encoding)).records["title"]
    assert title == "Warning \u2013 caf\u00e9 in Camden"


def test_a_pasted_coroners_report_leaves_its_names_behind(known: catalogue.Catalogue) -> None:
    words = (
        "Jane Hackney-Smith: Prevention of future deaths report\nRef: 2025-0042\nJane Smith died on 12 October 2023"
        " after taking metonitazene in Camden. Bob Brown, her son, gave evidence.\n"
    )
    for said in ({}, {"title": "Jane Smith report", "link": "https://example.org/jane-smith"}):
        found = pasted(known, words, **said)
        (record,) = found.records.to_dicts()
        assert record["title"].startswith(("Prevention of future deaths report", "Coroner's report"))
        assert (record["reference_date"], record["summary"], record["notice_kind"]) == (
            date(2023, 10, 12),
            "",
            "background",
        )
        assert found.mentions["subject"].to_list() == ["metonitazene"]
        assert found.places["as_written"].to_list() == ["Camden"]
        assert not [name for name in NAMES if name in everything(found).casefold()]


@pytest.mark.parametrize(
    "content", [b"", b"  \n ", b"<html><script>x</script></html>", gzip.compress(b"", mtime=0), b"\x00" * 50]
)
def test_what_holds_no_words_is_refused(known: catalogue.Catalogue, content: bytes) -> None:
    try:
        found = pasted(known, content)
    except UnusableInput as fault:
        assert "no words" in fault.what
    else:
        assert found.records["notice_kind"].to_list() == ["background"] and content.startswith(b"\x1f\x8b")


def test_a_damaged_envelope_is_refused(known: catalogue.Catalogue) -> None:
    whole = wrapped(b"words", {})
    for broken in (whole[:-5], whole.replace(base64.b64encode(b"words"), b"***"), b'{"ewarn": "notice 1", "x": 1}'):
        with pytest.raises(UnusableInput, match="damaged"):
            staged(known, broken, "pasted")


def test_too_large_a_notice_is_refused(known: catalogue.Catalogue) -> None:
    small = known.notices["pasted"].model_copy(update={"max_bytes": 1000})
    with pytest.raises(UnusableInput, match="bytes"):
        read(NoticeDefinition.model_validate(small), b"x" * 5000, known, received_at=NOW, backfill=False)


def test_a_notice_from_the_future_is_a_reject_that_quotes_nothing(known: catalogue.Catalogue) -> None:
    found = pasted(known, "Jane Smith found metonitazene", published="2031-01-01T00:00:00+00:00")
    assert found.records.is_empty() and "future" in found.rejects["reason"][0]
    assert "jane" not in everything(found).casefold()


@pytest.mark.parametrize(
    "word", ["x", "X", "Camden ", "no fentanyl, ", "fake heroin sold as ", "Aa ", "County ", "a.b@"]
)
def test_a_text_as_long_as_allowed_is_read_to_its_end(known: catalogue.Catalogue, word: str) -> None:
    found = pasted(known, word * (20_000 // len(word)) + ". Metonitazene in Hackney.", title="Warning")
    assert "metonitazene" in found.mentions["subject"].to_list()
    assert "Hackney" in found.places["as_written"].to_list() or word == "County "
