"""What was given up stays in sight until a person has sent it once more or let it go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import deadletters, read, respond
from ewarn.terms import Recipient
from tests.journeys.conftest import at

CASE = "LDN-2025-0001"
NOON = at("2025-05-19")
DAY = timedelta(days=1)
ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip


def register(corridor: Any, now: datetime, **more: Any) -> None:
    made = {"id": "depot", "name": "Depot", "channel": "exercise-email", "address": "depot", "areas": ("E09000007",)}
    read.add_recipient(corridor.house(now), Recipient.model_validate(made | {"group": "health"} | more), now)


@pytest.fixture
def dead(corridor: Any) -> str:
    """A delivery to an address that no mail server takes, given up."""
    corridor.staff(at("2025-05-17"))
    corridor.drop("test_results", [ROW], NOON)
    corridor.detect(NOON)
    register(corridor, NOON, channel="exercise-email", address="nobody at all")
    corridor.issue(CASE, NOON)
    respond.send(corridor.house(NOON), NOON)
    (found,) = [d for d in respond.receipts(corridor.house(NOON)).deliveries if d.destination == "depot"]
    assert found.state == "dead"
    return found.id


def notices(corridor: Any, now: datetime) -> list[str]:
    return [n["text"] for n in read.status(corridor.house(now), now).operator_notices]


def test_a_mended_address_gets_the_approved_bytes_once_and_it_is_on_record(corridor: Any, dead: str) -> None:
    house, duty = corridor.house(NOON), corridor.actor("duty")
    assert any(text.startswith("depot: given up") for text in notices(corridor, NOON))
    (row,) = respond.receipts(house).dead_letters
    assert row["id"] == dead and row["error"] and "nobody" not in row["error"]
    with pytest.raises(UsageFault, match="reason"):
        deadletters.requeue(house, dead, " ", duty, NOON)
    with pytest.raises(UsageFault, match="no deliveries begin"):
        deadletters.requeue(house, "zzz", "x", duty, NOON)
    register(corridor, NOON, address="depot@example.org")
    later = NOON + timedelta(minutes=3)
    assert deadletters.requeue(house, dead[:8], "Address corrected.", duty, later).state == "waiting"
    assert not any(text.startswith("depot: given up") for text in notices(corridor, later))
    respond.send(corridor.house(later), later)
    respond.send(corridor.house(later), later)
    (mail,) = [m for m in corridor.mailbox.messages if m["To"] == "depot@example.org"]
    clinic = next(m for m in corridor.mailbox.messages if m["To"] == "clinic@example.org")
    assert [p.get_payload(decode=True) for p in mail.walk()] == [p.get_payload(decode=True) for p in clinic.walk()]
    said = respond.receipts(corridor.house(later))
    assert [a["state"] for a in said.attempts if a["delivery"] == dead] == ["dead", "sent"]
    ((who, act, why),) = [(a["by"], a["act"], a["reason"]) for a in said.dead_letter_acts]
    assert (who, act, why) == ("duty", "requeued", "Address corrected.")
    with pytest.raises(Refused, match="sent, not given up"):
        deadletters.requeue(house, dead, "Again.", duty, later)


@pytest.mark.slow
def test_another_channel_is_asked_of_the_routes_again(corridor: Any, dead: str) -> None:
    house, duty = corridor.house(NOON), corridor.actor("duty")
    register(corridor, NOON, channel="email")
    with pytest.raises(Refused, match="as registered now"):
        deadletters.requeue(house, dead, "Moved.", duty, NOON)
    register(corridor, NOON, active=False)
    with pytest.raises(Refused, match="not an active destination"):
        deadletters.requeue(house, dead, "Moved.", duty, NOON)
    register(corridor, NOON, channel="exercise-webhook")
    assert deadletters.requeue(house, dead, "Moved.", duty, NOON).format == "slack"
    before = len(corridor.partner_calls)
    assert respond.send(corridor.house(NOON), NOON).sent == 1
    assert len(corridor.partner_calls) == before + 1


@pytest.mark.slow
def test_one_older_than_a_day_is_told_daily_until_somebody_sees_to_it(corridor: Any, dead: str) -> None:
    rota = {"group": "operator", "audience": "internal", "areas": ("E12000007",), "channel": "exercise-duty"}
    read.add_recipient(corridor.house(NOON), Recipient(id="keeper", name="Keeper", **rota), NOON)

    def told(now: datetime) -> int:
        before = len(corridor.duty_calls)
        respond.send(corridor.house(now), now)
        return sum("given up more than a day ago" in call["text"] for call in corridor.duty_calls[before:])

    hours = (1, 23, 25, 26, 40, 50, 51)
    assert [told(NOON + timedelta(hours=h)) for h in hours] == [0, 0, 1, 0, 0, 1, 0]
    later = NOON + timedelta(hours=52)
    deadletters.requeue(corridor.house(later), dead, "It has closed.", corridor.actor("duty"), later, let_go=True)
    assert told(NOON + timedelta(hours=80)) == 0
    assert not any("more than a day ago" in text for text in notices(corridor, later + DAY))
