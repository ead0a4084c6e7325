"""What is put in the place of a placeholder comes out again to the byte, and a subject stays as it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ewarn.personal import placeholders
from ewarn.personal.placeholders import CODE, LINK, Personal
from ewarn.terms import Payload, canonical

OWN = Personal(link="https://answer.example.org/r/abc.20250401.x_-9", code="7K3MQ-2XD9T")


def payload(body: bytes, form: str = "text") -> Payload:
    return Payload(audience="professional", format=form, subject="S", body=body)


@given(st.lists(st.one_of(st.text(), st.sampled_from([LINK, CODE, "&", '"', "\\"]))))
def test_any_text_comes_back_as_it_was_approved(parts: list[str]) -> None:
    stored = payload(" ".join(parts).encode("utf-8", "surrogatepass"))
    assert OWN.out_of(OWN.into(stored)) == stored


@given(st.dictionaries(st.sampled_from(["text", "html", "references"]), st.text()), st.text())
def test_an_email_comes_back_as_it_was_approved_and_its_subject_never_changes(parts: dict[str, str], odd: str) -> None:
    mail = {"subject": f"{odd} {LINK} {CODE}", "deep": [{"link": LINK}], **parts}
    stored = payload(canonical(mail), "email")
    sent = OWN.into(stored)
    assert OWN.out_of(sent) == stored
    assert canonical(mail["subject"]) in sent.body and OWN.link.encode() in sent.body


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    pdf = payload(b"%PDF-1.7\xff\xfe\x00" + b"\xc3\x28", "pdf")
    assert OWN.into(pdf) == pdf


def test_without_a_service_a_text_says_nothing_of_it() -> None:
    assert set(placeholders.parts("", "LDN-2025-0001").values()) == {""}
    told = placeholders.parts("https://answer.example.org", "LDN-2025-0001")
    assert told["verify"] == "https://answer.example.org/v/LDN-2025-0001" and told["answer"] == LINK
