"""The JSON document holds what the alert says, fits its published schema, and says no more than that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ewarn.dispatch import document
from tests.dispatch.told import EARLIER, HOSTILE, hostile_everywhere, read_by, same_as_golden, told

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "alert-1.schema.json"


def made(audience: str = "professional", **content: Any) -> bytes:
    alert = told(**content)
    return document.payload(alert, read_by(alert, audience), audience, "[TLP:CLEAR] Metonitazene")


@pytest.mark.parametrize("audience", ["professional", "public"])
def test_a_document_is_the_one_people_have_read(audience: str) -> None:
    pretty = json.dumps(json.loads(made(audience)), indent=2, ensure_ascii=False) + "\n"
    same_as_golden(pretty.encode(), f"alert-{audience}.json")


def test_the_published_schema_is_that_of_the_program() -> None:
    now = json.dumps(document.schema(), indent=2) + "\n"
    assert SCHEMA.read_text() == now, "write it anew: python -m ewarn.dispatch.document > docs/schemas/…"


def test_every_document_fits_the_schema() -> None:
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for body in [
        made(), made("public"), made(kind="withdrawal", earlier=EARLIER, why="x", version=3), made(standing="test"),
        *(made(**hostile_everywhere(words.replace("\ud800", ""))) for words in HOSTILE),
    ]:  # fmt: skip
        schema.validate(json.loads(body))


def test_what_is_kept_inside_never_comes_out() -> None:
    for audience in ("professional", "public"):
        said = json.loads(made(audience, reporter="Ann Other", note="inside"))
        assert "Ann Other" not in json.dumps(said) and "inside" not in json.dumps(said)
    public = json.loads(made("public"))["alert"]
    assert public["figures"] == [{"label": "People affected", "value": "*", "signal": "", "records": []}]
    assert public["what_happened"] == ["In July 2025, fewer than 8 people collapsed."] and public["answer"] == ""
