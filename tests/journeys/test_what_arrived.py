"""What another service says of a message comes back into the delivery, and a case's chat stays in one thread."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Request, Response

from ewarn.dispatch import send as sender
from ewarn.pipeline import arrived, assess, read, respond, versions
from ewarn.store import arrivals
from ewarn.terms import Recipient
from tests.journeys.conftest import at

CASE = "LDN-2025-0001"
ALERT = f"{CASE}/A1"
ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip
KEY = "ewarn-12345678-1234-4234-9234-123456789012-87654321-4321-4321-8321-210987654321"
CHANNELS = {
    "bot": ("slack", "slackbot://{host}/{{address}}?token=xoxb-1"),
    "texts": ("sms", f"govnotify://{{host}}/9d751e0e/{{{{address}}}}?key={KEY}"),
}


@pytest.fixture
def told(corridor: Any, httpserver: Any) -> Any:
    """A case, a Slack channel and a telephone; both services stand on loopback."""
    now = at("2025-05-19")
    folder = corridor.home / "content" / "alerts" / "channels"
    folder.mkdir(parents=True)
    for name, (form, url) in CHANNELS.items():
        where = url.format(host=f"{httpserver.host}:{httpserver.port}")
        (folder / f"{name}.toml").write_text(f'title = "{name}"\nurl = "{where}"\nformat = "{form}"\nlive = false\n')
    corridor.staff(at("2025-05-17"))
    camden = {"areas": ("E09000007",), "group": "health"}
    for name, address in (("bot", "C0123ABCD"), ("texts", "+447700900001")):
        made = Recipient(id=name, name=f"Test {name}", channel=name, address=address, **camden)
        read.add_recipient(corridor.house(now), made, now)
    corridor.drop("test_results", [ROW], now)
    corridor.detect(now)
    return now


def slack(httpserver: Any, ts: str) -> None:
    answer = {"ok": True, "channel": "C0123ABCD", "ts": ts}
    httpserver.expect_oneshot_request("/api/chat.postMessage").respond_with_json(answer)


def notify(httpserver: Any, status: str) -> None:
    """Takes any text as it is, calls it n-1, and says this of it."""

    def preview(request: Request) -> Response:
        words = json.loads(request.get_data())["personalisation"]["message"]
        return Response(json.dumps({"body": words}), mimetype="application/json")

    httpserver.expect_request("/v2/template/9d751e0e/preview").respond_with_handler(preview)
    httpserver.expect_request("/v2/notifications/sms").respond_with_json({"id": "n-1"}, 201)
    httpserver.expect_request("/v2/notifications/n-1").respond_with_json({"id": "n-1", "status": status})


def posted(httpserver: Any) -> list[dict[str, Any]]:
    return [r.get_json() for r, _ in httpserver.log if r.path == "/api/chat.postMessage"]


def delivery(house: Any, name: str) -> Any:
    return next(d for d in respond.receipts(house, ALERT).deliveries if d.destination == name)


def test_an_update_is_a_reply_and_a_text_that_never_arrived_is_given_up_and_told(
    corridor: Any, told: Any, httpserver: Any
) -> None:
    slack(httpserver, "17.42")
    notify(httpserver, "permanent-failure")
    corridor.issue(CASE, told)
    house = corridor.house(told)
    respond.send(house, told)
    assert delivery(house, "bot").state == delivery(house, "texts").state == "sent"
    later = told + timedelta(minutes=5)
    house = corridor.house(later)
    (ended,) = arrived.check(house, later)
    assert (ended.destination, ended.state) == ("texts", "dead") and "permanent-failure" in ended.last_error
    assert [a["status"] for a in respond.receipts(house, ALERT).arrivals if a["final"]] == ["permanent-failure"]
    assert any("texts" in n["text"] for n in read.status(house, later).operator_notices)
    assert arrived.check(house, later + timedelta(hours=1)) == []
    slack(httpserver, "18.1")
    versions.update(house, ALERT, {"at_risk": "People who buy tablets."}, corridor.actor("author"), later)
    fixed = assess.submit(house, ALERT, corridor.actor("author"), later)
    for person in ("ann", "ben"):
        assess.approve(house, ALERT, fixed.hash, corridor.actor(person), later, note="exercise")
    respond.send(house, later)
    first, second = posted(httpserver)
    assert "thread_ts" not in first
    assert (second["thread_ts"], second["reply_broadcast"]) == ("17.42", True)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "state"), [("delivered", "sent"), ("temporary-failure", "failed")])
def test_a_text_is_delivered_where_that_is_known_and_tried_again_where_it_may_help(
    corridor: Any, told: Any, httpserver: Any, status: str, state: str
) -> None:
    slack(httpserver, "17.42")
    notify(httpserver, status)
    corridor.issue(CASE, told)
    respond.send(corridor.house(told), told)
    later = told + timedelta(minutes=5)
    house = corridor.house(later)
    assert [d.state for d in arrived.check(house, later)] == [state]
    assert [a["status"] for a in respond.receipts(house, ALERT).arrivals if a["final"]] == [status]


@pytest.mark.slow
def test_two_who_ask_send_it_again_once_and_chat_messages_take_nobodys_turn(
    corridor: Any, told: Any, httpserver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack(httpserver, "17.42")
    corridor.issue(CASE, told)
    soon, later = told + timedelta(minutes=5), told + timedelta(minutes=7)
    asked, ask = [], sender.arrival

    def slowly(*about: Any) -> Any:
        """While we wait for the answer, the schedule asks too, and sends it again."""
        asked.append(about)
        found = ask(*about)
        if len(asked) == 1:
            arrived.check(corridor.house(soon), soon)
            respond.send(corridor.house(later), later)
        return found

    monkeypatch.setattr(sender, "arrival", slowly)
    notify(httpserver, "temporary-failure")
    respond.send(corridor.house(told), told)
    bot = delivery(corridor.house(told), "bot").id
    with corridor.house(told).db.write("test") as tx:
        for number in range(120):
            arrivals.taken(tx, bot, f"C0123ABCD/{number}", told)
    arrived.check(corridor.house(soon), soon)
    text = delivery(corridor.house(later), "texts")
    assert len(asked) == 2 and (text.state.value, text.attempts) == ("sent", 2)
