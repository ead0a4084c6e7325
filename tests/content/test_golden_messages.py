"""Every format of every kind of message, as it was last looked at; and what each of them takes to make."""

from __future__ import annotations

import json
import time

import pytest

from ewarn.dispatch import blocks, sms
from tests.content.messages import GOLDEN, KINDS, files, payloads


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_reads_as_it_was_last_looked_at(kind: str) -> None:
    made = files(kind)
    held = {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.glob(f"{kind}-*")}
    changed = [name for name in made.keys() | held.keys() if made.get(name) != held.get(name)]
    assert not changed, f"{sorted(changed)}: look at them, then `.venv/bin/python -m tests.content.messages`"


@pytest.mark.parametrize("kind", KINDS)
def test_limits_hold_and_the_text_message_has_room_to_spare(kind: str) -> None:
    for payload in payloads(kind):
        if payload.format == "slack":
            message = json.loads(payload.body)
            texts = [b["text"]["text"] for b in message["blocks"] if b["type"] == "section"]
            assert len(message["blocks"]) <= blocks.MOST_BLOCKS and max(map(len, texts)) <= blocks.SECTION
        if payload.format == "sms":
            words = payload.body.decode()
            assert sms.parts(words) <= 2 and "999" in words and "LDN-2025-0007" in words and "EXERCISE" in words


def test_a_long_text_goes_on_in_the_next_block_and_loses_no_word() -> None:
    long = " ".join(f"word{number} & more" for number in range(1500))
    message = json.loads(next(p.body for p in payloads("alert", at_risk=long) if p.format == "slack"))
    texts = [b["text"]["text"] for b in message["blocks"] if b["type"] == "section"]
    assert max(map(len, texts)) <= blocks.SECTION
    assert " ".join(" ".join(texts).split()).count("&amp;") == 1500 and long.split()[-3] in " ".join(texts)


def test_all_formats_but_paper_are_made_within_half_a_second() -> None:
    payloads("alert")
    began = time.process_time()
    payloads("alert")
    assert time.process_time() - began < 0.5
