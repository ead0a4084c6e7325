"""Feeds over weeks, from a real server to the operator's channel: asked to wait, moving, failing, falling silent,
changing shape, and recovering. What is told is told once, and leaves by an internal channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.pipeline import polling, read, receive, respond
from ewarn.pipeline.reports import SourceFreshness, SourceReport
from ewarn.store import operator_notices, tables
from ewarn.terms import Recipient

FEED = """title = "City notices"
publisher = "Test"
licence = "None"
cadence = "Weekly"
expected_every_hours = 168.0
expected_lag_days = 2
personal_data = "none"
url = "{0}"
"""
ENTRY = "<entry><id>urn:{0}</id><title>{1}</title><updated>{2}</updated><link href='https://example.org/{0}'/></entry>"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><id>f</id>{0}</feed>"
RSS = "<rss version='2.0'><channel>{0}</channel></rss>"


def atom(*entries: tuple[str, str], on: str = "2025-05-01T10:00:00Z") -> str:
    return ATOM.format("".join(ENTRY.format(id, title, on) for id, title in entries))


TEN = atom(*[(f"{n}", f"Notice {n}") for n in range(10)])


@dataclass
class Publisher:
    """A feed's server: answers as it is told to, and remembers what it was asked."""

    server: HTTPServer
    corridor: Any
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[Request], Response]] = field(default_factory=dict)

    def says(self, body: str = TEN, status: int = 200, path: str = "/feed", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = lambda _: Response(body, status=status, headers=named)

    def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        return self.answers[request.path](request)

    def ask(self, now: datetime, *, anyway: bool = False) -> SourceReport:
        """As the schedule does: a house of its own each time, as after a restart."""
        house = self.corridor.house(now)
        return polling.take_answer(house, polling.ask(house, "city", now, anyway=anyway), now)

    def stands(self, now: datetime) -> SourceFreshness:
        (found,) = [s for s in read.status(self.corridor.house(now), now).sources if s.source == "city"]
        return found

    def notices(self, now: datetime) -> dict[str, str]:
        with self.corridor.house(now).db.read() as con:
            found = operator_notices.open(con)
        return {row["topic"]: row["text"] for row in found.iter_rows(named=True) if row["source"] == "city"}


@pytest.fixture
def start() -> datetime:
    from tests.journeys.conftest import at

    return at("2025-05-12")


@pytest.fixture
def city(corridor: Any, httpserver: HTTPServer) -> Publisher:
    made = Publisher(httpserver, corridor)
    httpserver.expect_request("/feed").respond_with_handler(made.answer)
    httpserver.expect_request("/new").respond_with_handler(made.answer)
    folder = corridor.home / "content" / "sources" / "feeds"
    folder.mkdir(parents=True)
    (folder / "city.toml").write_text(FEED.format(httpserver.url_for("/feed")))
    made.says()
    return made


def operator(corridor: Any, now: datetime, channel: str = "exercise-duty", **more: Any) -> None:
    who = {"group": "operator", "audience": "internal", "areas": ("E12000007",), "channel": channel}
    read.add_recipient(corridor.house(now), Recipient(id="keeper", name="Who looks after it", **who, **more), now)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize("status", [429, pytest.param(503, marks=pytest.mark.slow)])
def test_a_feed_is_not_asked_before_its_publishers_time(city: Publisher, start: datetime, status: int) -> None:
    city.says("", status, Retry_After="5400")
    assert city.ask(start).error and len(city.asked) == 1
    early = city.ask(start + hours(1))
    assert early.outcome.startswith("not asked") and not early.error and len(city.asked) == 1
    assert city.stands(start + hours(1)).asked_again_at == start + hours(1.5)
    city.says()
    assert city.ask(start + hours(1.5)).new == 10
    assert city.stands(start + hours(2)).asked_again_at is None


@pytest.mark.slow
def test_a_date_to_retry_after_is_kept_to(city: Publisher, start: datetime) -> None:
    city.says("", 503, Retry_After=f"{start + hours(3):%a, %d %b %Y %H:%M:%S} GMT")
    city.ask(start)
    assert city.stands(start).asked_again_at == start + hours(3)


@pytest.mark.slow
def test_without_a_time_the_wait_doubles_up_to_a_cap_and_ends_with_an_answer(city: Publisher, start: datetime) -> None:
    city.says("", 429)
    waits, now = [], start
    for _ in range(8):
        assert not city.ask(now).retryable
        until = city.stands(now).asked_again_at
        assert until is not None
        waits.append((until - now) / hours(1))
        now = until
    assert waits == [0.25, 0.5, 1, 2, 4, 6, 6, 6]
    city.says()
    city.ask(now)
    city.says("", 429)
    city.ask(now + hours(1))
    assert city.stands(now + hours(1)).asked_again_at == now + hours(1.25)


def test_a_person_may_ask_anyway(city: Publisher, start: datetime) -> None:
    city.says("", 503, Retry_After="86400")
    city.ask(start)
    city.says()
    report = receive.intake(city.corridor.house(start + hours(1)), start + hours(1), "city")
    assert report.sources[0].new == 10


def test_another_passing_fault_does_not_wait(city: Publisher, start: datetime) -> None:
    city.says("", 500)
    assert city.ask(start).retryable
    assert city.ask(start + hours(0.25)).error and len(city.asked) == 2


# ---------------------------------------------------------------- moving


def moves(city: Publisher, status: int = 301) -> None:
    city.says("", status, Location=city.server.url_for("/new"))
    city.says(path="/new")


@pytest.mark.parametrize("status", [301, pytest.param(308, marks=pytest.mark.slow)])
def test_a_move_for_good_is_told_once_and_followed_until_the_definition_says_so(
    city: Publisher, start: datetime, status: int
) -> None:
    moves(city, status)
    assert city.ask(start).new == 10
    new = city.server.url_for("/new")
    assert f'url = "{new}"' in city.notices(start)["moved"] and "city.toml" in city.notices(start)["moved"]
    city.ask(start + hours(1))
    assert city.asked == ["/feed", "/new", "/new"]
    assert city.stands(start + hours(1)).moved_to == new
    definition = city.corridor.home / "content" / "sources" / "feeds" / "city.toml"
    definition.write_text(FEED.format(new))
    assert city.ask(start + hours(2)).new == 0
    assert "moved" not in city.notices(start + hours(2)) and city.stands(start + hours(2)).moved_to == ""


@pytest.mark.slow
def test_a_passing_redirect_is_not_remembered(city: Publisher, start: datetime) -> None:
    moves(city, 302)
    city.ask(start)
    assert "moved" not in city.notices(start) and city.stands(start).moved_to == ""


@pytest.mark.slow
def test_where_the_new_address_will_not_do_the_definitions_is_asked(city: Publisher, start: datetime) -> None:
    moves(city)
    city.ask(start)
    city.says("gone", 404, path="/new")
    city.says()
    assert not city.ask(start + hours(1)).error
    assert city.asked == ["/feed", "/new", "/new", "/feed"]
    assert "moved" not in city.notices(start + hours(1))


@pytest.mark.slow
def test_a_login_page_behind_a_permanent_redirect_is_no_new_address(city: Publisher, start: datetime) -> None:
    moves(city)
    city.says("<?xml version='1.0'?><!DOCTYPE html><html/>", path="/new")
    assert "web page" in city.ask(start).error
    assert city.stands(start).moved_to == "" and "moved" not in city.notices(start)


# ---------------------------------------------------------------- failing, and telling


def told(city: Publisher, now: datetime) -> list[str]:
    """What leaves for the operator when dispatch runs."""
    before = len(city.corridor.duty_calls)
    respond.send(city.corridor.house(now), now)
    return [call["text"] for call in city.corridor.duty_calls[before:]]


def test_a_lasting_fault_is_told_once_and_closes_by_itself(city: Publisher, start: datetime) -> None:
    operator(city.corridor, start)
    city.ask(start)
    city.says("<html>Sign in</html>")
    for n in range(4):
        city.ask(start + hours(1 + n))
    (message,) = told(city, start + hours(5))
    assert "EXERCISE" in message and "city: a web page came instead of a feed" in message
    assert told(city, start + hours(6)) == []
    stands = city.stands(start + hours(6))
    assert stands.states == ("failing",) and stands.failures == 4 and "failed 4 times since" in stands.words[0]
    city.says()
    city.ask(start + hours(7))
    assert city.notices(start + hours(7)) == {} and city.stands(start + hours(7)).states == ("ok",)
    city.says("<html>Sign in</html>")
    city.ask(start + hours(8))
    assert "failing" in city.notices(start + hours(8)) and told(city, start + hours(9)) == [], "told within the day"
    assert len(told(city, start + hours(30))) == 1


@pytest.mark.slow
def test_a_passing_fault_is_told_when_it_stays(city: Publisher, start: datetime) -> None:
    operator(city.corridor, start)
    city.says("", 500)
    for n in range(2):
        city.ask(start + hours(n))
        assert city.stands(start + hours(n)).states == ("failing",) and told(city, start + hours(n)) == []
    city.ask(start + hours(2))
    assert len(told(city, start + hours(2))) == 1


@pytest.mark.slow
def test_several_matters_leave_in_one_message_and_without_an_operator_the_rota_is_told(
    city: Publisher, start: datetime
) -> None:
    city.corridor.staff(start)
    with city.corridor.house(start).db.write("test") as tx:
        for source in ("one", "two"):
            operator_notices.put(tx, start, source, "has not answered", "silent")
        operator_notices.put(tx, start, "three", "the column 'x' is missing")
    (message,) = told(city, start)
    assert "one: has not answered" in message and "two:" in message and "three:" not in message
    assert read.status(city.corridor.house(start), start).open_pages == ()


@pytest.mark.slow
def test_where_nobody_can_be_told_the_notice_waits(city: Publisher, start: datetime) -> None:
    city.says("no", 404)
    city.ask(start)
    assert told(city, start) == []
    operator(city.corridor, start)
    assert len(told(city, start + hours(1))) == 1


@pytest.mark.slow
def test_a_channel_that_fails_does_not_tell_of_itself_for_ever(city: Publisher, start: datetime) -> None:
    operator(city.corridor, start)
    (city.corridor.home / "duty").write_text("127.0.0.1:1/nobody")
    city.says("no", 404)
    city.ask(start)
    for day in range(5):
        respond.send(city.corridor.house(start), start + timedelta(days=day))
    deliveries = respond.receipts(city.corridor.house(start)).deliveries
    assert [d.state.value for d in deliveries] == ["dead"]


@pytest.mark.slow
def test_by_e_mail_too(city: Publisher, start: datetime) -> None:
    (city.corridor.home / "content" / "alerts" / "channels").mkdir(parents=True)
    channel = (city.corridor.house(start).settings.content / "alerts" / "channels" / "exercise-email.toml").read_text()
    path = city.corridor.home / "content" / "alerts" / "channels" / "exercise-operator.toml"
    path.write_text(channel.replace("live = false", "live = false\ninternal = true"))
    operator(city.corridor, start, "exercise-operator", address="keeper@example.org")
    city.says("no", 404)
    city.ask(start)
    respond.send(city.corridor.house(start), start)
    (mail,) = city.corridor.mailbox.messages
    assert "operator notice" in str(mail["Subject"]) and "EXERCISE" in str(mail["Subject"])


# ---------------------------------------------------------------- late, silent, drifting


def test_unchanged_for_too_long_is_late_and_then_silent_and_a_word_ends_it(city: Publisher, start: datetime) -> None:
    operator(city.corridor, start)
    city.ask(start)
    city.says(TEN.replace("</feed>", "<!-- served anew --></feed>"))
    assert city.ask(start + hours(167)).new == 0
    assert city.stands(start + hours(167)).states == ("ok",)
    assert city.ask(start + hours(170)).outcome == "same bytes"
    late = city.stands(start + hours(170))
    assert late.states == ("late",) and late.late and "nothing new since" in late.words[0]
    assert set(city.notices(start + hours(170))) == {"late"}
    city.ask(start + hours(340))
    assert city.stands(start + hours(340)).states == ("silent",)
    assert set(city.notices(start + hours(340))) == {"silent"}, "the notice of being late gave way"
    messages = told(city, start + hours(340))
    assert len(messages) == 1 and "not an all-clear" in messages[0]
    city.says(atom(("new", "A new notice")))
    assert city.ask(start + hours(341)).new == 1
    assert "silent" not in city.notices(start + hours(341))


@pytest.mark.slow
def test_no_answer_at_all_is_silence_whoever_looks(city: Publisher, start: datetime) -> None:
    city.ask(start)
    much_later = start + timedelta(days=8)
    house = city.corridor.house(much_later)
    respond.watch_silence(house, much_later)
    respond.watch_silence(house, much_later + hours(1))
    assert "has not answered since" in city.notices(much_later)["silent"]
    with house.db.read() as con:
        stood = tables.one(con, "SELECT count(*) FROM operator_notice WHERE source = 'city'")
    assert stood == 1, "the rule and the look at the sources say one thing, once"


@pytest.mark.slow
def test_a_drop_is_late_and_silent_too(corridor: Any, start: datetime) -> None:
    folder = corridor.home / "content" / "sources" / "drops"
    folder.mkdir(parents=True)
    own = (corridor.house(start).settings.content / "sources" / "drops" / "overdose_incidents.toml").read_text()
    (folder / "overdose_incidents.toml").write_text(f"expected_every_hours = 24.0\n{own}")
    row = {"organisation": "Test service", "incident_ref": "1", "event_date": "2025-05-11", "place": "Camden"}
    corridor.drop("overdose_incidents", [row], start)

    def stands(now: datetime) -> SourceFreshness:
        found = read.status(corridor.house(now), now).sources
        return next(s for s in found if s.source == "overdose_incidents")

    assert stands(start + hours(23)).states[0] != "silent" and not stands(start + hours(23)).late
    assert "silent" in stands(start + hours(25)).states, "a drop that brings nothing does not answer"


def test_absence_lowers_no_signal(city: Publisher, corridor: Any, start: datetime) -> None:
    row = {"organisation": "Test service", "event_date": "2025-05-11", "place": "Camden", "outcome": "non-fatal"}
    rows = [row | {"incident_ref": str(n), "event_time": f"{10 + n}:00"} for n in range(6)]
    corridor.drop("overdose_incidents", rows, start)
    city.ask(start)
    before = corridor.signals(start + hours(1), "cluster")
    city.says("no", 404)
    for n in range(5):
        city.ask(start + hours(1) + timedelta(minutes=n))
    assert before and corridor.signals(start + hours(1), "cluster") == before


SHAPES = [
    (ATOM.format(""), "empty", "no entries; it usually has 10"),
    (atom(("0", "Notice 0"), ("1", "Notice 1")), "drift: entries", "2 entries; it usually has 10"),
    (TEN.replace("<updated>2025-05-01T10:00:00Z</updated>", ""), "drift: dates", "only 0 of 10"),
    (RSS.format("".join(f"<item><guid>urn:{n}</guid><title>N</title><link>https://e.org/{n}</link>"
                        "<pubDate>Thu, 01 May 2025 10:00:00 GMT</pubDate></item>" for n in range(10))),
     "drift: format", "from atom10 to rss20"),
    (RSS.format("".join(f"<item><title>N</title><link>https://e.org/{n}</link></item>" for n in range(10))),
     "drift: ids", "only 0 of 10"),
]  # fmt: skip


def test_a_changed_shape_is_told_and_its_entries_kept(city: Publisher, start: datetime) -> None:
    now = start

    def as_usual(word: object) -> None:
        nonlocal now
        now += hours(1)
        city.says(TEN.replace("</title><id>f", f" {word}</title><id>f"))
        city.ask(now)
        assert city.notices(now) == {} and city.stands(now).states == ("ok",)

    for n in range(3):
        as_usual(n)
    for body, topic, words in SHAPES:
        now += hours(1)
        city.says(body)
        report = city.ask(now)
        assert not report.error and words in " ".join(report.notes) and words in city.notices(now)[topic]
        assert report.outcome == ("no entries" if topic == "empty" else report.outcome)
        assert city.stands(now).states == ("drifting",)
        as_usual(f"after {topic}")


@pytest.mark.slow
def test_a_shape_that_stays_becomes_the_usual(city: Publisher, start: datetime) -> None:
    city.ask(start)
    two = atom(("0", "Notice 0"), ("1", "Notice 1"))
    open_for = []
    for n in range(4):
        city.says(two.replace("</title><id>f", f" {n}</title><id>f"))
        city.ask(start + hours(1 + n))
        open_for.append("drift: entries" in city.notices(start + hours(1 + n)))
    assert open_for == [True, False, False, False]


def test_an_empty_first_answer_is_an_outcome_of_its_own(city: Publisher, start: datetime) -> None:
    city.says(ATOM.format(""))
    report = city.ask(start)
    assert report.outcome == "no entries" and "no all-clear" in city.notices(start)["empty"]


# ---------------------------------------------------------------- what is kept and what is measured


def test_edited_entries_are_versions_and_a_feed_forgets_nothing(city: Publisher, start: datetime) -> None:
    city.says(atom(("1", "Recal of a batch"), ("2", "Another")))
    assert city.ask(start).new == 2
    city.says(atom(("1", "Recall of a batch"), on="2025-05-03T10:00:00Z"))
    edited = city.ask(start + hours(1))
    assert (edited.new, edited.changed) == (0, 1)
    with city.corridor.house(start).db.read() as con:
        versions = tables.rows(con, "SELECT title, version FROM notice ORDER BY title, version")
    assert [(v["title"], v["version"]) for v in versions] == [
        ("Another", 1), ("Recal of a batch", 1), ("Recall of a batch", 2)
    ]  # fmt: skip


@pytest.mark.slow
def test_cadence_and_lag_are_measured(city: Publisher, start: datetime) -> None:
    city.ask(start)
    for week in range(1, 5):
        on = start + timedelta(days=7 * week)
        published = f"{on - timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}"
        city.says(atom((f"w{week}", f"Week {week}"), on=published))
        city.ask(on)
    stands = city.stands(start + timedelta(days=28))
    assert stands.cadence_hours == 168 and stands.lag_days == 3
    assert (stands.expected_every_hours, stands.expected_lag_days) == (168, 2)


@pytest.mark.slow
def test_validators_learnt_at_one_address_are_not_sent_to_another(city: Publisher, start: datetime) -> None:
    seen = []

    def tagged(request: Request) -> Response:
        seen.append((request.path, request.headers.get("If-None-Match")))
        return Response(TEN, headers={"ETag": '"1"'})

    city.answers["/feed"] = city.answers["/new"] = tagged
    city.ask(start)
    definition = city.corridor.home / "content" / "sources" / "feeds" / "city.toml"
    definition.write_text(FEED.format(city.server.url_for("/new")))
    city.ask(start + hours(1))
    city.ask(start + hours(2))
    assert seen == [("/feed", None), ("/new", None), ("/new", '"1"')]
