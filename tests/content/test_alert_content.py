"""Advice, templates, channels, routes and grading, as they lie under alerts."""

from __future__ import annotations

import json
import re
import threading
import tomllib
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller
from apprise import Apprise
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.slack import NotifySlack
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from ewarn.catalogue.definitions import (
    AdviceDefinition,
    ChannelDefinition,
    GradingDefinition,
    RoutesDefinition,
    TemplateDefinition,
)
from ewarn.dispatch import chat, send
from ewarn.personal import placeholders
from ewarn.terms import Delivery, DeliveryState, Payload, Product, Recipient, Standing

ALERTS = Path(__file__).resolve().parent.parent.parent / "alerts"
MULTIPLIER = re.compile(r"\btimes (as |more )?(strong|potent|toxic)|\bstronger than\b|\d+ ?x\b", re.IGNORECASE)
STIGMA = re.compile(r"\b(addict|abuser?|junkie|user|clean|dirty|misuse)s?\b", re.IGNORECASE)


def advice(path: Path) -> AdviceDefinition:
    _, head, text = path.read_text().split("+++\n", 2)
    return AdviceDefinition(**{"id": path.stem, **tomllib.loads(head), "text": text.strip()})


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


ADVICE = {path.stem: advice(path) for path in sorted((ALERTS / "advice").glob("*.md"))}
WRITTEN = {p.stem: TemplateDefinition(id=p.stem, **toml(p)) for p in sorted((ALERTS / "templates").glob("*.toml"))}
# What is about the list of recipients and says nothing of a drug has tests of its own.
OF_THE_LIST = ("contact test", "confirmation request", "parts")
PARTS = {t.format: t.body for t in WRITTEN.values() if t.product == "parts"}
TEMPLATES = {name: t for name, t in WRITTEN.items() if t.product not in OF_THE_LIST}
CHANNELS = {p.stem: ChannelDefinition(id=p.stem, **toml(p)) for p in sorted((ALERTS / "channels").glob("*.toml"))}
ROUTES = RoutesDefinition(**toml(ALERTS / "routes.toml"))
GRADING = GradingDefinition(**toml(ALERTS / "grading.toml"))


# ---------------------------------------------------------------- grading


def test_the_grades_are_said_to_be_ours_and_run_from_urgent_to_quiet() -> None:
    assert "ours" in GRADING.note and "not the levels of an official guide" in GRADING.note
    assert [grade.id for grade in GRADING.grades] == ["act-now", "act-today", "share", "note"]
    hours = [grade.due_hours for grade in GRADING.grades]
    assert hours == sorted(hours)


def test_the_four_questions_are_asked_with_their_source_and_answers_are_due_in_48_hours() -> None:
    assert [q.id for q in GRADING.questions] == ["local-relevance", "anecdotal", "plausible", "efficacy"]
    assert all("appendix 6" in q.source for q in GRADING.questions)
    assert GRADING.answer_reports_within_hours == 48


def test_the_two_urgent_grades_ask_for_a_formal_alert() -> None:
    assert [grade.product for grade in GRADING.grades[:2]] == [Product.FORMAL_ALERT] * 2


# ---------------------------------------------------------------- advice


def syllables(word: str) -> int:
    word = re.sub(r"e$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def reading_age(text: str) -> float:
    """Flesch-Kincaid grade plus five: about the age at which a text is read with ease."""
    sentences = [s for s in re.split(r"[.!?:]\s|\n", text) if s.strip("- ")]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59 + 5


def test_the_advice_an_alert_needs_is_there() -> None:
    assert {
        "overdose-signs", "naloxone-999", "harm-reduction", "strips-nitazene", "strips-orphine",
        "benzodiazepine-mix", "sedative-adulterant", "drug-checking", "report-back",
    } <= set(ADVICE)  # fmt: skip


@pytest.mark.parametrize("text", ADVICE.values(), ids=lambda a: a.id)
def test_advice_is_owned_sourced_and_falls_due_for_review(text: AdviceDefinition) -> None:
    assert text.owner == "ewarn starter text, to be adopted by the panel"
    assert text.review_by > text.dated
    assert all(source.title for source in text.sources)
    assert any(source.url for source in text.sources)


@pytest.mark.parametrize("text", ADVICE.values(), ids=lambda a: a.id)
def test_advice_is_in_plain_words(text: AdviceDefinition) -> None:
    most = 12.5 if "public" in text.audience else 14  # clinicians read their own words
    assert reading_age(text.text) <= most, f"{reading_age(text.text):.1f}"
    assert not MULTIPLIER.search(text.text) and not STIGMA.search(text.text)
    assert not re.search(r"[<>&*#`\[\]]", text.text), "plain paragraphs and '- ' lists only"


def test_naloxone_is_given_once_then_waited_for_and_repeated() -> None:
    text = ADVICE["naloxone-999"].text
    assert "Call 999 first" in text
    assert re.search(r"one dose of naloxone\. Wait a minute or two", text)
    assert "repeat" in text and "wears off" in text and "Stay with them" in text


def test_what_strips_miss_is_said_where_it_applies() -> None:
    assert ADVICE["strips-nitazene"].applies_to == ("nitazene",)
    assert "Fentanyl test strips do not detect nitazenes" in ADVICE["strips-nitazene"].text
    assert ADVICE["strips-orphine"].applies_to == ("orphine",)


@pytest.mark.parametrize("name", ["benzodiazepine-mix", "sedative-adulterant"])
def test_naloxone_is_given_even_where_it_does_not_reverse_the_other_drug(name: str) -> None:
    assert re.search(r"[Gg]ive it anyway", ADVICE[name].text)


# ---------------------------------------------------------------- templates


def printed(name: str) -> dict[str, Any]:
    text = ADVICE[name]
    return {"id": text.id, "version": text.version, "title": text.title, "html": "", "text": text.text}


def content(**changes: Any) -> dict[str, Any]:
    return {
        "reference": "LDN-2025-0007",
        "alert_id": "LDN-2025-0007/A1",
        "version": 1,
        "issuer": "Camden LDIS",
        "standing": "actual",
        "product": "formal alert",
        "date": "2025-03-03",
        "area": {"code": "E09000007", "name": "Camden", "tier": "borough"},
        "also_possible": ["Islington"],
        "headline": "Overdoses in Camden, drug not confirmed",
        "what_happened": ["On 3 March 2025, 12 people were reported to have overdosed in or near Camden."],
        "what_happened_public": ["Some people overdosed."],
        "figures": [{"label": "People affected, at least", "value": 12, "signal": "ab12", "records": ["r1", "r2"]}],
        "verification": {
            "event": {"level": "confirmed", "words": "Confirmed: an organisation that treated people reported it."},
            "substance": {"level": "unverified", "words": "We do not have confirmation of the drug involved."},
            "link": {"level": "unverified", "words": "We do not know whether this drug caused harm."},
        },
        "sold_as": ["heroin"],
        "found": [{"name": "metonitazene", "role": "minor", "presumptive": True}],
        "appearance": ["powder, brown"],
        "photo": None,
        "at_risk": "Anyone who uses drugs sold as heroin in or near Camden.",
        "signs": printed("overdose-signs"),
        "advice": [printed("harm-reduction"), printed("strips-nitazene")],
        "emergency": printed("naloxone-999"),
        "report_back": "Please tell Camden LDIS: reply and quote LDN-2025-0007.",
        "marking": "TLP:AMBER",
        "handling": {"marking": "TLP:AMBER", "conditions": []},
        "audience": "Professionals who work with people who use drugs. Not for publication.",
        "review_on": "2025-03-17",
        "expires_on": "2025-03-31",
        "replaces": None,
        "kind": "alert",
        "closes": "LDN-2025-0007/A1",
        "closes_headline": "Overdoses in Camden",
        "why": "No event for four weeks.",
        "watermark": "",
        "origin": "",
        **placeholders.parts("", "LDN-2025-0007"),
    } | changes


PAGE = {
    "id": "p1", "case": "LDN-2025-0007", "subject": "New case: overdoses in Camden", "text": "12 events in 24 hours.",
    "standing": "actual", "rota_order": 1,
}  # fmt: skip


def rendered(template: TemplateDefinition, **changes: Any) -> str:
    maker = SandboxedEnvironment(autoescape=template.format == "html", undefined=StrictUndefined, trim_blocks=False)
    page = PAGE | {"standing": changes.get("standing", "actual")}
    return (
        maker.from_string(PARTS.get(template.format, "") + template.body)
        .render(content=content(**changes), page=page)
        .strip()
    )


# A text message has no room for all that the others must say: tests/content/test_golden_messages.py shows each.
OUTGOING = [t for t in TEMPLATES.values() if t.product != "page" and t.format != "sms" and not t.paper]
ENDING = [t for t in OUTGOING if t.product in ("stand-down", "withdrawal")]
WARNING = [t for t in OUTGOING if t not in ENDING]
BARE = {
    "also_possible": [], "what_happened": [], "figures": [], "sold_as": [], "found": [], "appearance": [], "advice": [],
}  # fmt: skip


def test_each_product_has_a_text_an_html_and_a_chat_template_and_the_page_has_one() -> None:
    kinds = {(str(t.product), t.format) for t in OUTGOING if t.audience == "professional"}
    products = [*(p.value for p in Product if p is not Product.CONTACT_TEST), "stand-down", "withdrawal"]
    assert kinds == {(product, form) for product in products for form in ("text", "html", "chat")}
    public = {(str(t.product), t.format) for t in OUTGOING if t.audience == "public"}
    assert public == {(p, form) for p in ("formal alert", "stand-down", "withdrawal") for form in ("text", "html")}
    assert [(t.id, t.format, t.audience) for t in TEMPLATES.values() if t.product == "page"] == [
        ("page-text", "page", "internal")
    ]


@pytest.mark.parametrize("template", OUTGOING, ids=lambda t: t.id)
def test_a_later_version_names_the_one_it_replaces_in_subject_and_body(template: TemplateDefinition) -> None:
    later = {"replaces": "version 1 of 3 March 2025", "version": 2}
    maker = SandboxedEnvironment(undefined=StrictUndefined)
    subject = maker.from_string(template.subject).render(content=content(**later))
    assert "This replaces version 1 of 3 March 2025" in subject
    assert "This replaces version 1 of 3 March 2025." in rendered(template, **later)
    if template in WARNING:
        assert "This replaces" not in rendered(template) and "UPDATE: " in subject


@pytest.mark.parametrize("template", ENDING, ids=lambda t: t.id)
def test_a_text_that_ends_an_alert_says_which_and_why_and_gives_no_all_clear(template: TemplateDefinition) -> None:
    text = rendered(template, replaces="version 2 of 3 March 2025", version=3)
    verb = "stood down" if template.product == "stand-down" else "withdrawn"
    for words in (
        "LDN-2025-0007/A1", "Overdoses in Camden", verb, "No event for four weeks.", "not an all-clear", "999",
        "naloxone", "Please take down every copy", "Not an NHS Patient Safety Alert",
    ):  # fmt: skip
        assert words.lower() in text.lower().replace("it is not an nhs", "not an nhs"), words
    assert "Take down or replace after" not in text and "None" not in text


@pytest.mark.parametrize("template", [t for t in OUTGOING if t.audience == "public"], ids=lambda t: t.id)
def test_the_public_text_prints_no_figure_and_reads_without_what_was_suppressed(template: TemplateDefinition) -> None:
    hidden: dict[str, Any] = {
        "replaces": "version 1 of 3 March 2025",
        "headline": "",
        "what_happened": [],
        "at_risk": "",
        "why": "",
        "closes_headline": "",
    }
    text = rendered(template, figures=[{"label": "People who died", "value": "*"}], **hidden)
    assert "People who died" not in text and "*" not in text and "None" not in text
    assert "<h1" not in text or not re.search(r"<h1[^>]*></h1>", text)


@pytest.mark.parametrize("template", WARNING, ids=lambda t: t.id)
def test_a_message_says_what_an_alert_has_to_say(template: TemplateDefinition) -> None:
    text = rendered(template)
    for words in (
        "LDN-2025-0007", "Camden LDIS", "3 March 2025", "Camden", "on 3 March 2025, 12 people", "heroin",
        "metonitazene",
        "quick test, not confirmed", "We do not have confirmation of the drug involved.", "999", "naloxone",
        "TLP:AMBER", "reply and quote", "powder, brown", "Not an NHS Patient Safety Alert",
    ):  # fmt: skip
        assert words.lower() in text.lower().replace("it is not an nhs", "not an nhs"), words


@pytest.mark.parametrize("template", WARNING, ids=lambda t: t.id)
def test_a_message_with_little_known_still_reads(template: TemplateDefinition) -> None:
    text = rendered(template, **BARE)
    assert "None" not in text and "[]" not in text and "Sold as" not in text
    assert "We do not have confirmation" in text


@pytest.mark.parametrize("template", OUTGOING, ids=lambda t: t.id)
def test_a_message_asks_for_an_answer_where_there_is_a_service_and_everybody_can_check_it(
    template: TemplateDefinition,
) -> None:
    told = placeholders.parts("https://answer.example.org", "LDN-2025-0007")
    text = rendered(template, **told)
    professional = template.audience == "professional"
    assert (told["answer"] in text) is professional and told["verify"] in text
    assert (told["answer_code"] in text) is (professional and template.format != "chat")
    subject = SandboxedEnvironment(undefined=StrictUndefined).from_string(template.subject)
    assert "answer" not in subject.render(content=content(**told)).lower()
    assert not re.search(r"genuine|read it\?|have read", rendered(template), re.I)


@pytest.mark.parametrize("template", OUTGOING, ids=lambda t: t.id)
def test_the_watermark_and_the_origin_stand_in_every_format_above_and_below(template: TemplateDefinition) -> None:
    text = rendered(
        template,
        watermark="EXERCISE EXERCISE EXERCISE: not a real event",
        origin="Reconstructed from public reports",
        standing="exercise",
    )
    assert text.count("EXERCISE EXERCISE EXERCISE: not a real event") == 2
    assert "Reconstructed from public reports" in text


@pytest.mark.parametrize("template", [t for t in OUTGOING if t.format != "chat"], ids=lambda t: t.id)
def test_the_marking_stands_above_and_below_and_the_dates_of_review_and_end_are_given(
    template: TemplateDefinition,
) -> None:
    text = rendered(template)
    assert text.count("TLP:AMBER") == 2
    assert (template in ENDING) == ("17 March 2025" not in text and "31 March 2025" not in text)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.id)
def test_the_subject_carries_the_marking_and_the_standing(template: TemplateDefinition) -> None:
    maker = SandboxedEnvironment(undefined=StrictUndefined)
    changed = content(watermark="EXERCISE", standing="exercise", version=2, replaces=None)
    subject = maker.from_string(template.subject).render(content=changed, page=PAGE | {"standing": "exercise"})
    assert subject.startswith("EXERCISE: ") and "\n" not in subject
    if template.product != "page":
        assert "[TLP:AMBER]" in subject and "version 2" in subject and "LDN-2025-0007" in subject


@pytest.mark.parametrize("template", [t for t in OUTGOING if t.format == "html"], ids=lambda t: t.id)
def test_an_html_message_is_accessible_fetches_nothing_and_looks_like_nobody_elses(
    template: TemplateDefinition,
) -> None:
    text = rendered(template)
    assert text.startswith("<!DOCTYPE html>") and '<html lang="en-GB">' in text
    assert ('scope="row"' in text) == (template in WARNING and template.audience == "professional")
    assert text.count("<h1") == 1
    assert not re.search(r"<img|<script|<link|https?://|url\(|crown|gov\.uk|#0b0c0c|#1d70b8|#005eb8", text, re.I)


@pytest.mark.parametrize("template", [t for t in OUTGOING if t.format == "html"], ids=lambda t: t.id)
def test_what_comes_from_records_is_escaped_in_html(template: TemplateDefinition) -> None:
    evil = "<img src=x onerror=alert(1)>"
    text = rendered(
        template, headline=evil, what_happened=[evil], sold_as=[evil], appearance=[evil], at_risk=evil,
        report_back=evil, found=[{"name": evil, "role": "major", "presumptive": False}],
        emergency={**printed("naloxone-999"), "text": f"{evil}\n\n- {evil}"},
    )  # fmt: skip
    assert "<img" not in text and "&lt;img" in text


@pytest.mark.parametrize("template", [t for t in OUTGOING if t.format == "chat"], ids=lambda t: t.id)
def test_a_chat_text_is_short_and_has_one_headline(template: TemplateDefinition) -> None:
    found = chat.lines(rendered(template))
    assert [line.words for line in found if line.kind == "headline"] == ["Overdoses in Camden, drug not confirmed"]
    assert {"fact", "mark", "small", "rule"} <= {line.kind for line in found}
    assert len(rendered(template)) < 1_900


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.id)
def test_templates_hold_no_multiplier_and_no_stigma(template: TemplateDefinition) -> None:
    words = re.sub(r"\{[%{].*?[%}]\}|<[^>]*>", " ", template.body, flags=re.S)
    assert not MULTIPLIER.search(words) and not STIGMA.search(words)


def test_a_formal_alert_gives_the_advice_in_every_format() -> None:
    advised = {"advice": [printed("harm-reduction"), printed("report-back"), printed("strips-nitazene")]}
    for form in ("text", "html", "chat"):
        text = rendered(TEMPLATES[f"formal-alert-{form}"], **advised)
        for words in (
            "Do not use alone", "Start low and go slow", "Do not all use at the same time", "Do not mix drugs",
            "Fentanyl test strips do not detect nitazenes",
        ):  # fmt: skip
            assert words in text, (form, words)
    full = rendered(TEMPLATES["formal-alert-text"], **advised)
    assert full.index("REPORT BACK") < full.index("Quote the reference of this message") and "TELL US" not in full


def test_light_products_do_not_pass_for_a_warning() -> None:
    assert "no warning has been issued" in rendered(TEMPLATES["share-text"])
    assert "this is a question, not a warning" in rendered(TEMPLATES["corroborate-text"])
    assert "also if you have not" in rendered(TEMPLATES["corroborate-chat"])


def test_a_page_says_that_it_is_internal_and_whether_it_is_an_exercise() -> None:
    text = rendered(TEMPLATES["page-text"], standing="exercise")
    assert "12 events in 24 hours." in text and "Internal" in text and "EXERCISE: not a real event" in text
    assert "EXERCISE" not in rendered(TEMPLATES["page-text"])


# ---------------------------------------------------------------- channels and routes


def test_each_product_has_a_route_and_channels_need_no_naming() -> None:
    assert {product for route in ROUTES.routes for product in route.product} == set(Product) - {Product.CONTACT_TEST}
    assert not any(route.channels for route in ROUTES.routes), "a new channel is one file"
    assert ROUTES.page_backup_after_minutes == 15


def test_partners_and_the_rota_have_a_way_out_in_earnest_and_one_for_exercises() -> None:
    for internal in (True, False):
        assert {c.live for c in CHANNELS.values() if c.internal is internal} == {True, False}


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=lambda c: c.id)
def test_a_channel_names_its_secrets_by_reference_and_exercises_never_name_a_live_one(
    channel: ChannelDefinition,
) -> None:
    rest = re.sub(r"\{(address|from|secret:[a-z_]+)\}", "", channel.url + channel.sign)
    assert "{" not in rest and "@" not in rest
    secrets = set(re.findall(r"\{secret:([a-z_]+)\}", channel.url + channel.sign))
    assert secrets
    assert all(name.startswith("exercise_") for name in secrets) == (not channel.live)


class Post(BaseHTTPRequestHandler):
    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    Post.taken = []
    server = HTTPServer(("127.0.0.1", 0), Post)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", Post.taken
    server.shutdown()
    server.server_close()


class Mailbox:
    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        return "250 OK"


class AnyPort(Controller):
    """aiosmtpd on a port of the system's choosing."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def smtp() -> Iterator[tuple[str, list[Any]]]:
    box = Mailbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    yield f"127.0.0.1:{controller.port}", box.taken
    controller.stop()


SECRETS = {
    "smtp_host": "smtp.example.org:2587", "smtp_user": "ewarn@example.org", "smtp_password": "p/q:r@s&t=u%v",
    "teams_webhook": "https://teams.example.org:443/workflows/1/triggers/manual?sp=%2Ft&sig=x",
    "partner_webhook_key": "k",
    "slack_webhook": "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "ntfy_host": "ntfy.example.org",
    "ntfy_token": "tk_abc", "duty_webhook": "hooks.example.org/duty/1",
}  # fmt: skip


def recipient(channel: ChannelDefinition, address: str = "duty+ldn@example.org") -> Recipient:
    return Recipient(id="r1", name="Outreach", areas=("E09000007",), channel=channel.id, address=address)


def sent(channel: ChannelDefinition, payload: Payload, secrets: dict[str, str]) -> send.Outcome:
    delivery = Delivery(
        id="d1", destination="r1", channel=channel.id, audience="professional", format=payload.format,
        state=DeliveryState.SENDING, standing=Standing.ACTUAL if channel.live else Standing.EXERCISE,
    )  # fmt: skip
    return send.deliver(delivery, payload, channel, recipient(channel), secrets.__getitem__, "ewarn@example.org")


def test_exercise_email_reaches_a_real_mail_server_and_one_address_only(smtp: tuple[str, list[Any]]) -> None:
    host, taken = smtp
    mail = json.dumps({"subject": "EXERCISE: [TLP:AMBER] Hello", "text": "Words", "html": "<p>Words</p>"}).encode()
    payload = Payload(audience="professional", format="email", subject="EXERCISE: [TLP:AMBER] Hello", body=mail)
    outcome = sent(CHANNELS["exercise-email"], payload, {"exercise_smtp": host})
    assert outcome.ok, outcome.error
    (envelope,) = taken
    assert envelope.mail_from == "ewarn@example.org" and envelope.rcpt_tos == ["duty+ldn@example.org"]
    message = message_from_bytes(envelope.content, policy=default)
    assert message["Subject"] == "EXERCISE: [TLP:AMBER] Hello"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_an_exercise_page_gets_the_text_as_a_webhook_takes_it(webhook: tuple[str, list[tuple[str, bytes]]]) -> None:
    host, taken = webhook
    payload = Payload(audience="internal", format="text", subject="Hello", body=b"a & b\nline 2")
    outcome = sent(CHANNELS["exercise-duty"], payload, {"exercise_duty_webhook": f"{host}/duty"})
    assert outcome.ok, outcome.error
    ((path, body),) = taken
    assert path == "/duty" and json.loads(body) == {"text": "a & b\nline 2"}


@pytest.mark.parametrize(
    ("name", "form", "secret"),
    [("exercise-webhook", "slack", "exercise_webhook"), ("slack", "slack", ""), ("teams", "teams", "teams_webhook")],
)
def test_chat_channels_post_the_stored_bytes(
    webhook: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch, name: str, form: str, secret: str
) -> None:
    host, taken = webhook
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{host}/services")
    body = b'{"blocks":[ ],"text":"\xc2\xa3 &amp;"}'
    payload = Payload(audience="professional", format=form, subject="[TLP:AMBER] Hello", body=body)
    where = f"{host}/partners" if form == "slack" else f"http://{host}/partners?sp=%2Ft&sig=x"
    outcome = sent(CHANNELS[name], payload, SECRETS | {secret: where})
    assert outcome.ok, outcome.error
    ((path, raw),) = taken
    assert raw == body
    assert (
        path
        == {
            "slack": "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
            "teams": "/partners?sp=%2Ft&sig=x",
            "exercise-webhook": "/partners",
        }[name]
    )


@pytest.mark.parametrize("name", ["email", "duty-email"])
def test_a_password_may_hold_any_character(name: str) -> None:
    address = send.fill(CHANNELS[name], recipient(CHANNELS[name]), SECRETS.__getitem__, "ewarn@example.org")
    parsed = NotifyEmail.parse_url(address.url)
    mail = NotifyEmail(**parsed)
    assert (mail.smtp_host, mail.port, mail.secure_mode) == ("smtp.example.org", 2587, "starttls")
    assert (mail.user, mail.password) == (SECRETS["smtp_user"], SECRETS["smtp_password"])
    assert [address for _, address in mail.targets] == ["duty+ldn@example.org"]


@pytest.mark.parametrize("name", ["duty-ntfy", "duty-webhook"])
def test_live_channels_give_addresses_that_apprise_reads(name: str) -> None:
    address = send.fill(CHANNELS[name], recipient(CHANNELS[name], "duty-ldn"), SECRETS.__getitem__, "ewarn@example.org")
    assert Apprise.instantiate(address.url) is not None
