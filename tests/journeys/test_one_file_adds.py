"""One file adds each of a feed, a CSV source with other column names, a rule, a substance and a channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ewarn.pipeline import read, receive, respond
from ewarn.terms import Recipient

ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Notices</title><id>urn:n</id>
<updated>2025-05-01T10:00:00Z</updated><entry><id>urn:n:1</id><title>Alert: cychlorphine in Camden</title>
<updated>2025-05-01T10:00:00Z</updated><link href="https://example.org/1"/>
<summary>Sold as heroin.</summary></entry></feed>"""
FEED = """title = "A new feed"
publisher = "Test"
licence = "Test"
cadence = "weekly"
personal_data = "none"
url = "{url}"
"""
DROP = """title = "A laboratory with names of its own"
publisher = "Test"
licence = "Test"
cadence = "weekly"
personal_data = "none"
kind = "sample"
key = ["Ref No"]
date_formats = ["%d.%m.%Y"]
[columns.reference_date]
column = "Taken"
[columns.place]
column = "Where"
[columns.major]
column = "Found"
split = ";"
[columns.organisation]
value = "Another laboratory"
[columns.stream]
value = "seizure"
"""
RULE = """title = "Any one fatal overdose"
family = "cluster"
method = "window"
kinds = ["incident"]
tiers = ["borough"]
why = "A rule for this test: one death in a day is enough to look."
known_false_alarms = ["none, it is a test"]
[numbers]
n = 1
hours = 24
outcome = "fatal"
alpha = 1.0
[[example]]
title = "one death fires"
as_of_day = 0
fires = true
rows = [{ day = 0, kind = "incident", outcome = "fatal" }]
[[example]]
title = "one survivor does not"
as_of_day = 0
fires = false
rows = [{ day = 0, kind = "incident" }]
"""
CLASS = """name = "test class"
plural = "test classes"
watch = true
[[substances]]
id = "examplotine"
name = "Examplotine"
synonyms = ["exampl-otine"]
"""
CHANNEL = """title = "Another webhook"
url = "http://{address}"
format = "slack"
live = false
"""


def add(corridor: Any, relative: str, text: str) -> None:
    path: Path = corridor.home / "content" / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_one_file_adds_a_feed(corridor: Any, httpserver: Any) -> None:
    now = corridor.at("2025-05-02")
    httpserver.expect_request("/new.atom").respond_with_data(ATOM, content_type="application/atom+xml")
    add(corridor, "sources/feeds/new-feed.toml", FEED.format(url=httpserver.url_for("/new.atom")))
    report = receive.intake(corridor.house(now), now, "new-feed").sources[0]
    assert (report.new, report.error) == (1, "")
    assert [s.subject.id for s in corridor.signals(now, "notice")] == ["cychlorphine"]


def test_one_file_adds_a_csv_source_with_other_column_names(corridor: Any) -> None:
    now = corridor.at("2025-05-02")
    add(corridor, "sources/drops/other-lab.toml", DROP)
    row = {"Ref No": "1", "Taken": "01.05.2025", "Where": "NW1", "Found": "Metonitazene;Caffeine", "Extra": "x"}
    report = corridor.drop("other-lab", [row], now)
    assert (report.new, report.detections, report.queued) == (1, 2, 0)
    first = corridor.signals(now, "first detection")[0]
    assert (first.subject.id, first.area.name) == ("metonitazene", "Camden")


def test_one_file_adds_a_rule(corridor: Any) -> None:
    now = corridor.at("2025-05-02")
    add(corridor, "alerts/rules/one-death.toml", RULE)
    row = {
        "incident_ref": "1",
        "organisation": "Test",
        "event_date": "2025-05-02",
        "place": "Camden",
        "outcome": "fatal",
    }
    corridor.drop("overdose_incidents", [row], now)
    assert [s.rule for s in corridor.detect(now, rule="one-death", dry_run=True).signals] == ["one-death"]


def test_one_file_adds_a_substance(corridor: Any) -> None:
    now = corridor.at("2025-05-02")
    add(corridor, "sources/substances/test-class.toml", CLASS)
    row = {
        "sample_ref": "1", "laboratory": "Test", "stream": "seizure", "date_sampled": "2025-05-01", "place": "Camden",
        "major": "Exampl-otine",
    }  # fmt: skip
    assert corridor.drop("test_results", [row], now).queued == 0
    assert "examplotine" in {s.subject.id for s in corridor.signals(now, "first detection")}


def test_one_file_adds_a_channel(corridor: Any, httpserver: Any) -> None:
    now = corridor.at("2025-05-02")
    corridor.staff(now)
    add(corridor, "alerts/channels/another.toml", CHANNEL)
    where = f"{httpserver.host}:{httpserver.port}/partners"
    made = Recipient(id="new", name="New", areas=("E09000007",), channel="another", address=where)
    read.add_recipient(corridor.house(now), made, now)
    row = {
        "sample_ref": "1", "laboratory": "Test", "stream": "seizure", "date_sampled": "2025-05-01", "place": "Camden",
        "major": "cychlorphine", "test_type": "confirmatory",
    }  # fmt: skip
    corridor.drop("test_results", [row], now)
    case = corridor.turn(now).cases[0]
    report = corridor.issue(case, now)
    assert "new" in {d.destination for d in report.deliveries}, report.withheld
    respond.send(corridor.house(now), now)
    assert len(corridor.partner_calls) == 2
