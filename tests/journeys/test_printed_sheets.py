"""From a case to paper: a draft says DRAFT, what was approved is what is exported and what the e-mail carries."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.cli import main
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, printing, respond, versions
from ewarn.store import alerts
from tests import sheets
from tests.journeys.test_alert_lives_on import ALERT, CASE, agree
from tests.journeys.test_alert_lives_on import now as now
from tests.journeys.test_alert_lives_on import prepared as prepared

ROUTES = """
[[route]]
audience = "professional"
groups = ["health"]
attachments = ["flyer"]

[[route]]
audience = "public"
"""


def pdfs(message: Any) -> dict[str, bytes]:
    found = [part for part in message.walk() if part.get_content_type() == "application/pdf"]
    return {part.get_filename(): part.get_payload(decode=True) for part in found}


def test_a_flyer_from_draft_to_the_inbox_and_its_end(corridor: Any, now: Any, tmp_path: Path, capsys: Any) -> None:
    routes = corridor.home / "content" / "alerts" / "routes.toml"
    routes.parent.mkdir(parents=True)
    routes.write_text(ROUTES)
    house, author = corridor.house(now), corridor.actor("author")
    assess.draft(house, CASE, "formal alert", author, now)

    told, body = printing.export(house, ALERT, "flyer")
    assert not told.approved and told.name == f"DRAFT-EXERCISE-{CASE}-A1-v1-flyer.pdf"
    assert {"DRAFT", "EXERCISE"} <= set(sheets.text(body).split("\n")) and "nobody has approved" in sheets.words(body)
    _, words = printing.export(house, ALERT, "text")
    assert words.decode().startswith("*** DRAFT: nobody has approved this text.")
    with pytest.raises(Refused, match="a program would not see that"):
        printing.export(house, ALERT, "json")
    with pytest.raises(UsageFault, match="no leaflet for the professional audience"):
        printing.export(house, ALERT, "leaflet")

    the_command_writes_the_file_and_says_what_it_is(corridor, tmp_path, capsys)

    fixed = assess.submit(house, ALERT, author, now)
    with house.db.read() as con:
        stored = {(p.audience, p.format): p.body for p in alerts.payloads(con, ALERT, 1)}
    assert printing.export(house, ALERT, "flyer")[1] not in stored.values()
    exact, body = printing.export(house, ALERT, "flyer", as_submitted=True)
    assert body == stored["professional", "flyer"] and not exact.approved and "DRAFT" not in sheets.words(body)

    for person in ("ann", "ben"):
        assess.approve(house, ALERT, fixed.hash, corridor.actor(person), now, note="exercise")
    for (audience, form), kept in stored.items():
        if audience == "professional":
            told, body = printing.export(house, ALERT, form)
            assert body == kept and told.approved and not told.note
    with pytest.raises(Refused, match="marked TLP:AMBER: not for the public"):
        printing.export(house, ALERT, "flyer", "public")

    respond.send(house, now)
    (message,) = corridor.mailbox.messages
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in message.get_payload()] == ["multipart/alternative", "application/pdf"]
    assert pdfs(message) == {f"EXERCISE-{CASE}-A1-v1-flyer.pdf": stored["professional", "flyer"]}

    later = now + timedelta(days=1)
    versions.stand_down(corridor.house(later), ALERT, "No event since.", author, later)
    agree(corridor, ALERT, later)
    respond.send(corridor.house(later), later)
    (ended,) = pdfs(corridor.mailbox.messages[-1]).values()
    assert "EXERCISE: not a real event, do not act on it WARNING ENDED" in sheets.words(ended)[:100]
    told, _ = printing.export(corridor.house(later), ALERT, "flyer", version=1)
    assert told.approved and told.note


def the_command_writes_the_file_and_says_what_it_is(corridor: Any, tmp_path: Path, capsys: Any) -> None:
    call = ["alerts", "export", ALERT, "--format", "flyer", "-o", str(tmp_path), "--home", str(corridor.home)]
    assert main([*call, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["file"]).read_bytes().startswith(b"%PDF") and Path(told["file"]).name.startswith("DRAFT-EXERCISE-")
    assert main(call) == 0 and "NOT APPROVED" in capsys.readouterr().out
    assert main([*call[:6], str(tmp_path / "no" / "folder.pdf"), *call[7:]]) == 2
