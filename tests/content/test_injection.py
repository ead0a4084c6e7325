"""Nothing that somebody writes into a field comes alive in any format that the catalogue renders.

A new format is covered as it lands: what is not known here by name is held to the rules for all (no hidden characters,
well-formed, no program in it).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest
from lxml import etree

from ewarn.assess import draft
from ewarn.disclosure import inert
from ewarn.dispatch.envelope import Envelope
from ewarn.dispatch.mail import TwoPartMail
from ewarn.personal import placeholders
from ewarn.terms import Delivery, Payload
from tests.content.messages import KINDS, alert, payloads, shipped

OURS = tuple(v for v in placeholders.parts("https://answer.example.org", "LDN-2025-0007").values() if "//" in v)
EVIL = {
    "slack": "<!channel> <@U1> <https://evil.test|x>",
    "script": '"><script>alert(1)</script><img src=x>',
    "link": "[x](javascript:alert(1)) `a` **b**",
    "header": "One\r\nBcc: eve@evil.test\r\n\r\nbody",
    "template": "{{ 7*191 }} {% raw %} #(7*191) #eval(1)",
    "layout": "x\n# H\n! M\n@ go | https://evil.test\n---",
    "bidi": "a\u202egnp\u2066x\u200bb\u200d\ufeffc\u00add\U000e0041e",
    "wide": "＜script＞＜！channel＞ｊavascript：x",
    "entity": "&lt;script&gt; &#60;b&#62; <!ENTITY x>",
    "cdata": "]]><x/><!-- ]]> --> \x00\x1b[31m",
}
ACTIVE = {"script", "img", "svg", "iframe", "object", "embed", "form", "input", "link", "base", "x"}


def poisoned(evil: str) -> dict[str, Any]:
    advice = {"id": "a", "version": 1, "title": evil, "html": "", "text": f"{evil}\n\n- {evil}\n- call 999, naloxone"}
    said = {"level": "unverified", "words": evil}
    return {
        **dict.fromkeys(("headline", "at_risk", "report_back", "audience", "why", "closes_headline", "origin"), evil),
        **{key: [evil] for key in ("what_happened", "what_happened_public", "sold_as", "appearance", "also_possible")},
        "found": [{"name": evil, "role": "major", "presumptive": True}],
        "figures": [{"label": evil, "value": 9, "signal": "s", "records": ["r"]}],
        "verification": {"event": said, "substance": said, "link": said},
        "area": {"code": "E09000007", "name": evil[:24], "tier": "borough"},
        "issuer": evil,
        "signs": advice,
        "emergency": advice,
        "advice": [advice],
    }


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def hidden(text: str) -> list[str]:
    return [c for c in text if (unicodedata.category(c) in inert.CONTROLS and c != "\n") or c in inert.HIDDEN]


def check(payload: Payload) -> None:
    """The rules for every format, then those of its own."""
    assert not hidden(payload.subject) and "\n" not in payload.subject
    if payload.body.startswith(b"%PDF"):
        assert not re.search(rb"/JavaScript|/JS\b|/Launch|/OpenAction|evil\.test\)", payload.body)
        return
    text = payload.body.decode()
    assert "1337" not in text, "a template in a value was carried out"
    if text.startswith("{"):
        document = json.loads(text)
        assert not [hidden(one) for one in strings(document) if hidden(one)]
        OF_ITS_OWN.get(payload.format, lambda _: None)(document)
        return
    assert not hidden(text)
    if text.lstrip().startswith("<"):
        root = etree.fromstring(payload.body, etree.XMLParser(resolve_entities=False, no_network=True))
        assert not {etree.QName(e).localname for e in root.iter() if isinstance(e.tag, str)} & ACTIVE


def check_email(mail: dict[str, Any]) -> None:
    page = Page(mail["html"])
    assert not page.tags & ACTIVE
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "action", "srcset")]
    assert {value for name, value in page.attributes if name == "href"} <= set(OURS)
    assert "\n" not in mail["subject"] and "\r" not in mail["text"]


def check_slack(message: dict[str, Any]) -> None:
    for found in objects(message):
        if found.get("type") == "mrkdwn":
            commands = re.findall(r"<([^>]*)>?", found["text"])
            assert all(command.split("|")[0] in OURS for command in commands), found
            assert found["verbatim"] is True
    assert "<" not in message["text"] and not message["unfurl_links"] and not message["unfurl_media"]


def check_teams(message: dict[str, Any]) -> None:
    for found in objects(message):
        assert found.get("type") not in ("TextBlock", "FactSet", "Image", "Media"), "Markdown would come alive in it"
        assert set(found.get("msteams", {})) <= {"width"}, "no entities: a mention stays words"
        if str(found.get("type")).startswith("Action."):
            assert found["type"] == "Action.OpenUrl" and found["url"] in OURS


OF_ITS_OWN = {"email": check_email, "slack": check_slack, "teams": check_teams}


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_alive_in_any_format(kind: str, evil: str) -> None:
    found = payloads(kind, **poisoned(EVIL[evil]))
    assert {"email", "slack", "teams", "sms", "json"} <= {p.format for p in found}
    for payload in found:
        check(payload)


def test_nothing_comes_alive_on_paper() -> None:
    found = [
        p for p in payloads("alert", paper=True, **poisoned(" ".join(EVIL[e] for e in ("script", "template"))[:70]))
    ]
    assert any(p.body.startswith(b"%PDF") for p in found)
    for payload in found:
        check(payload)


@pytest.mark.parametrize("evil", ["header", "bidi", "script"])
def test_a_mail_header_takes_no_second_line_from_a_subject_or_a_name(evil: str) -> None:
    mail = json.loads(next(p.body for p in payloads("alert", **poisoned(EVIL[evil])) if p.format == "email"))
    delivery = Delivery(
        id="d1", destination="r", channel="c", audience="professional", format="email", state="waiting"
    )  # fmt: skip
    url = "mailto://127.0.0.1:25?mode=insecure&from=ewarn@service.test&to=anna@partner.test&name=A%0D%0ABcc:%20e@e.test"
    made = TwoPartMail.of(url, mail, delivery, Envelope(key="k", message_id="<d1@service.test>"))
    parsed = message_from_bytes(made._message(mail["subject"]).as_bytes(), policy=policy.default)
    assert parsed["Bcc"] is None and parsed["To"] == "anna@partner.test"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\u202egnp.exe", "agnp.exe"), ("zero\u200bwidth\u200d\ufeff", "zerowidth"), ("so\u00adft", "soft"),
        ("＜b＞ ＠shop", "<b> @shop"), ("one\r\ntwo\u2028three", "one two three"), ("ｊavascript：x", "javascript:x"),
        ("tag\U000e0041s", "tags"), ("filler\u3164", "filler"), ("½ 10² µg café", "½ 10² µg café"), ("a\u00a0b", "a b"),
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_taken_out_and_what_can_stays(written: str, shown: str) -> None:
    assert inert.words(written) == shown


def test_a_draft_is_made_inert_where_it_is_edited() -> None:

    kept = alert("alert")
    edited = draft.following(
        kept, {"at_risk": "peo\u202eple\nX"}, 2, "ann", datetime(2025, 3, 4, tzinfo=UTC), shipped()
    )
    assert edited.content["at_risk"] == "people X"
