"""Every payload is the same bytes each time, carries marking and watermark, and the hash binds all of it."""

from __future__ import annotations

import json

import pytest

from ewarn.dispatch import render
from ewarn.errors import ContentFault, Refused
from ewarn.terms import Page


def by_format(alert, catalogue, audience="professional"):
    return {p.format: p for p in render.payloads(alert, catalogue) if p.audience == audience}


def test_one_payload_for_each_audience_and_format(make_alert, catalogue):
    found = [(p.audience, p.format) for p in render.payloads(make_alert(), catalogue)]
    assert found == [
        *(("professional", f) for f in ("cap", "email", "json", "slack", "teams", "text")),
        *(("public", f) for f in ("json", "text")),
    ]


def test_rendering_is_deterministic_and_the_hash_with_it(make_alert, catalogue):
    one, two = render.payloads(make_alert(), catalogue), render.payloads(make_alert(), catalogue)
    assert one == two and render.bundle_hash(make_alert(), one) == render.bundle_hash(make_alert(), two[::-1])


@pytest.mark.parametrize("change", ["content", "template", "advice", "bytes", "subject", "version"])
def test_any_change_changes_the_hash(make_alert, catalogue, change):
    alert = make_alert()
    bundle = render.payloads(alert, catalogue)
    before = render.bundle_hash(alert, bundle)
    if change == "content":
        alert = make_alert(origin="x")
    elif change == "template":
        alert = alert.model_copy(update={"template_versions": {"formal-text": 2}})
    elif change == "advice":
        alert = alert.model_copy(update={"advice_versions": {"a": 2}})
    elif change == "version":
        alert = alert.model_copy(update={"version": 2})
    else:
        update = {"body": bundle[0].body + b" "} if change == "bytes" else {"subject": "other"}
        bundle = [bundle[0].model_copy(update=update), *bundle[1:]]
    assert render.bundle_hash(alert, bundle) != before


@pytest.mark.parametrize("standing", ["exercise", "test"])
def test_marking_and_watermark_stand_in_every_subject_and_body(make_alert, catalogue, standing):
    for payload in render.payloads(make_alert(standing), catalogue):
        body = payload.body.decode()
        parts = json.loads(body) if payload.format == "email" else {"body": body}
        for part in (parts.get("text"), parts.get("html"), parts.get("body")):
            if part is not None:
                assert "TLP:AMBER" in part and f"{standing.upper()}: not a real event" in part
        assert "[TLP:AMBER]" in payload.subject and standing.upper() in payload.subject


def test_an_actual_alert_carries_no_watermark(make_alert, catalogue):
    assert b"EXERCISE" not in b"".join(p.body for p in render.payloads(make_alert(), catalogue))


def test_html_and_slack_escape_what_people_wrote_and_text_does_not(make_alert, catalogue):
    found = by_format(make_alert(headline='<!channel> & "you" <b>'), catalogue)
    assert "&lt;!channel&gt; &amp; &#34;you&#34;" in json.loads(found["email"].body)["html"]
    slack = json.loads(found["slack"].body)
    assert slack["text"] == '[TLP:AMBER] &lt;!channel&gt; &amp; "you" &lt;b&gt;'
    assert slack["blocks"][-2]["text"] == {"type": "plain_text", "text": '<!channel> & "you" <b>', "emoji": False}
    assert slack["blocks"][-1]["text"]["text"] == "*What:* On 3 March 2025, 12 people were ill."
    assert '<!channel> & "you" <b>' in found["text"].body.decode()


def test_a_subject_is_one_line(make_alert, catalogue):
    found = by_format(make_alert(headline="one\r\nBcc: two"), catalogue)
    assert found["text"].subject == "[TLP:AMBER] one Bcc: two"


def test_the_public_text_holds_no_small_count_and_nothing_internal(make_alert, catalogue):
    public = by_format(make_alert(), catalogue, "public")
    assert public["text"].body.decode().splitlines() == ["TLP:AMBER", "On 3 March 2025, about 10 people were ill."]
    wire = json.loads(public["json"].body)["alert"]
    assert wire["figures"][0] == {"label": "died", "value": "*", "signal": "", "records": []}
    assert "handling" not in wire and "what_happened_public" not in wire


def test_a_template_cannot_reach_into_the_program_nor_use_an_unknown_key(make_alert, make_catalogue, catalogue):
    for body in ("{{ content.nothing }}", "{{ ''.__class__.__mro__ }}", "{{ content.advice[7].text }}", "{% if %}"):
        broken = catalogue.templates["formal-text"].model_copy(update={"body": body})
        with pytest.raises(ContentFault, match="cannot be rendered"):
            render.payloads(make_alert(), make_catalogue(templates={**catalogue.templates, "formal-text": broken}))


def test_a_template_changed_since_the_draft_is_refused(make_alert, make_catalogue, catalogue):
    newer = catalogue.templates["formal-text"].model_copy(update={"version": 2})
    with pytest.raises(Refused, match="no longer version 1"):
        render.payloads(make_alert(), make_catalogue(templates={**catalogue.templates, "formal-text": newer}))


def test_messages_of_one_case_share_a_thread(make_alert, catalogue):
    parts = [json.loads(by_format(make_alert(version=v), catalogue)["email"].body) for v in (1, 2)]
    assert parts[0]["references"] == parts[1]["references"] == "<LDN-2025-0001.thread@ewarn.invalid>"


def test_a_page_calls_somebody_though_its_template_has_a_fault(make_catalogue, catalogue):
    wrong = catalogue.templates["formal-text"].model_copy(
        update={"id": "page-text", "product": "page", "format": "page", "subject": "{{ page.txet }}"}
    )
    page = Page(id="p1", case="LDN-1", at="2025-03-03T02:10:00Z", subject="opened", text="do", standing="exercise")
    payload = render.page_payload(page, "text", make_catalogue(templates={"page-text": wrong}))
    assert (payload.subject, payload.body) == ("EXERCISE: opened", b"opened\n\ndo")


@pytest.mark.parametrize("form", ["text", "slack", "teams", "email", "json"])
def test_a_page_is_rendered_for_each_kind_of_channel(catalogue, form):
    page = Page(
        id="p1",
        case="LDN-1",
        at="2025-03-03T02:10:00Z",
        subject="EXERCISE: a <b>",
        text="do & ack",
        standing="exercise",
    )
    payload = render.page_payload(page, form, catalogue)
    assert (payload.audience, payload.format) == ("internal", form)
    assert "EXERCISE" in payload.subject and b"ack" in payload.body
    assert (b"do &amp; ack" in payload.body) == (form in ("slack", "email"))
    if form in ("slack", "teams"):
        assert json.loads(payload.body)
