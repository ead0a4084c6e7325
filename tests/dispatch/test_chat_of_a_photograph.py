"""Chat carries no pictures: Slack and Teams say what a photograph shows, its scale, and where it is seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ewarn import catalogue
from ewarn.disclosure import inert
from ewarn.dispatch import blocks, cards, chat, render
from tests.dispatch.told import PHOTO, same_as_golden, told


@pytest.fixture(scope="module")
def shipped(root: Any) -> Any:
    return catalogue.load(root)


def written(shipped: Any, product: str, photo: dict[str, Any] | None) -> tuple[str, list[chat.Line]]:
    content = inert.content({**told().content, "photo": photo})
    subject, body = render.written(shipped.templates[f"{product}-chat"], content)
    return subject, chat.lines(body)


@pytest.mark.parametrize(("form", "write"), [("slack", blocks.message), ("teams", cards.message)])
def test_the_words_of_a_photograph_stand_in_chat(shipped: Any, form: str, write: Any) -> None:
    made = write(*written(shipped, "formal-alert", PHOTO))
    same_as_golden((json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode(), f"photo-{form}.json")
    assert "image" not in {block["type"] for block in made.get("blocks", [])}, "nothing is fetched from anywhere"


@pytest.mark.parametrize("product", ["formal-alert", "corroborate", "share"])
def test_every_chat_text_names_a_photograph_it_has_and_no_other(shipped: Any, product: str) -> None:
    said = [line for line in written(shipped, product, PHOTO)[1] if line.label == "Photograph"]
    assert len(said) == 1 and PHOTO["alt"] in said[0].words and PHOTO["scale"] in said[0].words
    assert "in the e-mail" in said[0].words
    assert not [line for line in written(shipped, product, None)[1] if line.label == "Photograph"]
