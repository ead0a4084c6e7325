"""The places in an approved text where each recipient's own link and code stand, and the way there and back.

In: stored bytes. Out: the bytes that leave, and the stored ones again. A document with a subject (an e-mail, a
webhook's JSON) keeps its subject as it is: nothing personal stands there. It must never change another byte.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ewarn.terms import Frozen, Payload, canonical

LINK = "https://answer.invalid/PERSONAL"
CODE = "ANSWER-CODE"
# Such an address reads the same in plain text, HTML, Slack's mrkdwn and JSON: it is put in place without escaping.
PUBLIC_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")


class Personal(Frozen):
    """One recipient's own link and code."""

    link: str
    code: str

    def into(self, payload: Payload) -> Payload:
        """The payload as this recipient gets it."""
        return payload.model_copy(update={"body": _replaced(payload.body, {LINK: self.link, CODE: self.code})})

    def out_of(self, payload: Payload) -> Payload:
        """The payload as it was approved."""
        return payload.model_copy(update={"body": _replaced(payload.body, {self.link: LINK, self.code: CODE})})


def parts(public_url: str, reference: str) -> dict[str, str]:
    """What a text says of its answer service: the personal link and code as placeholders, where codes are typed in,
    and where anybody sees whether the alert is genuine and in force. All '' where there is no service."""
    if not public_url:
        return {"answer": "", "answer_code": "", "answer_at": "", "verify": ""}
    base = public_url.rstrip("/")
    return {"answer": LINK, "answer_code": CODE, "answer_at": f"{base}/a", "verify": f"{base}/v/{reference}"}


def holds(payload: Payload) -> bool:
    """Whether something personal belongs into this payload."""
    return LINK.encode() in payload.body or CODE.encode() in payload.body


def _replaced(body: bytes, words: dict[str, str]) -> bytes:
    document = _document(body)
    if document is None:
        return _swapped(body.decode(errors="surrogateescape"), words).encode(errors="surrogateescape")
    return canonical({key: value if key == "subject" else _within(value, words) for key, value in document.items()})


def _document(body: bytes) -> dict[str, Any] | None:
    """A JSON object with a subject in the one spelling that hashes are taken over; None for anything else."""
    if not body.startswith(b"{") or b'"subject":' not in body:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "subject" in found and canonical(found) == body else None


def _within(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _swapped(value, words)
    if isinstance(value, dict):
        return {key: _within(inner, words) for key, inner in value.items()}
    return [_within(inner, words) for inner in value] if isinstance(value, list) else value


def _swapped(text: str, words: dict[str, str]) -> str:
    for before, after in words.items():
        text = text.replace(before, after)
    return text
