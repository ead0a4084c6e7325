"""Camden, 3 March 2025: 12 non-fatal overdoses in one day in three places, 33 ill and 17 in hospital by day four.

Facts: public reports, as DOMAIN's episode table gives them; rows are reconstructed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ewarn.pipeline import assess


def collapse(number: int, day: str, clock: str, site: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"C{number}", "organisation": "Ambulance (reconstructed)", "stream": "ambulance",
        "report_type": "single", "event_date": day, "event_time": clock, "reported_date": day, "place": "Camden",
        "setting": "hostel", "location_ref": f"site-{site}", "outcome": "non-fatal", "persons": "1",
    } | more  # fmt: skip


DAY = [f"{hour:02d}:{minute:02d}" for hour, minute in [(9, 5), (10, 0), (11, 20), (12, 45), (14, 10), (15, 0), (15, 55),
       (17, 0), (18, 10), (19, 30), (20, 40), (21, 55)]]  # fmt: skip
NIGHT = [("2025-03-03", c) for c in ("20:00", "21:10", "22:30", "23:20")] + [
    ("2025-03-04", c) for c in ("00:40", "02:00", "04:10", "05:50")
]


def arrive(corridor: Any, number: int, day: str, clock: str, now: Any, **more: Any) -> Any:
    """One row becomes known a few minutes after it happened, and the schedules turn."""
    corridor.drop("overdose_incidents", [collapse(number, day, clock, "abc"[number % 3], **more)], now)
    return corridor.turn(now)


@pytest.mark.parametrize(
    ("times", "together"),
    [
        pytest.param([("2025-03-03", c) for c in DAY], (1, 2, 7, 8, 9, 10, 11), id="one day"),
        pytest.param([("2025-03-03", c) for c in DAY], (), id="one day, each by itself", marks=pytest.mark.slow),
        pytest.param(NIGHT, (), id="20:00 to 06:00, each by itself", marks=pytest.mark.slow),
        pytest.param(NIGHT, (1, 2, 6, 7), id="20:00 to 06:00"),
    ],
)
def test_the_fifth_event_in_24_hours_raises_the_borough_signal_and_pages(
    corridor: Any, times: list[tuple[str, str]], together: tuple[int, ...]
) -> None:
    """In: `together`, the rows that come in one file with those after them."""
    corridor.staff(corridor.at("2025-03-01"))
    raised, refs, rows = [], set(), []
    for number, (day, clock) in enumerate(times, 1):
        now = corridor.at(day, clock) + timedelta(minutes=3)
        rows.append(collapse(number, day, clock, "abc"[number % 3]))
        if number in together:
            continue
        corridor.drop("overdose_incidents", rows, now)
        report = corridor.turn(now)
        rows = []
        found = [s for s in report.signals if s.rule == "cluster-24h-area" and s.area.code == "E09000007"]
        raised += [(number, s) for s in found]
        refs |= set(report.cases)
    assert raised[0][0] == 5
    first, last = raised[0][1], raised[-1][1]
    assert (first.observed, last.observed) == (5, len(times))
    assert first.id == last.id
    cases = assess.list_cases(corridor.house(now), "open")
    holding = [c for c in cases if any(s.signal.id == first.id and not s.suggested for s in c.signals)]
    assert len(holding) == 1
    assert holding[0].ref in refs
    pages = [p for p in assess.show_case(corridor.house(now), holding[0].ref).pages]
    assert pages, "the duty rota is paged"
    fifth = corridor.at(*times[4]) + timedelta(minutes=3)
    assert min(p.at for p in pages if p.at >= fifth) - fifth <= timedelta(minutes=5)
    assert corridor.duty_calls, "the page reached the duty rota's channel"
    assert all("EXERCISE" in call["text"] for call in corridor.duty_calls)


def test_a_growing_cluster_report_updates_the_same_case(corridor: Any) -> None:
    corridor.staff(corridor.at("2025-03-01"))
    report = {"report_type": "cluster", "incident_ref": "CL1", "stream": "outreach", "event_time": ""}
    for day, persons in (("2025-03-03", 12), ("2025-03-06", 33)):
        now = corridor.at(day, "22:00")
        row = collapse(0, "2025-03-03", "", **report) | {"persons": str(persons), "end_date": day, "reported_date": day}
        assert corridor.drop("overdose_incidents", [row], now).records == 1
        corridor.turn(now)
    cases = assess.list_cases(corridor.house(now), "open")
    assert len(cases) == 1
    assert max(s.signal.persons_max or 0 for s in cases[0].signals) == 33
    assert "We do not have confirmation of the drug involved" in corridor.issue(cases[0].ref, now).text


def test_five_in_one_hostel_raise_the_borough_signal_in_the_same_case(corridor: Any) -> None:
    corridor.staff(corridor.at("2025-03-01"))
    rules, pages = [], []
    for number, (day, clock) in enumerate(NIGHT[:5], 1):
        now = corridor.at(day, clock) + timedelta(minutes=3)
        report = arrive(corridor, number, day, clock, now, location_ref="site-a")
        rules.append({s.rule for s in report.signals})
        pages.append(len(report.pages))
    assert "cluster-24h-area" in rules[4]
    assert rules[:2] == [set(), {"cluster-24h-setting"}]
    assert pages[4] == 1, "the fifth pages again"
    assert len(assess.list_cases(corridor.house(now), "open")) == 1
