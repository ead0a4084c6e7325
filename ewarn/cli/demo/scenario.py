"""The scenario: what was publicly reported of Camden in March and October to November 2025, over a quiet background.

Reconstructed from public reports; an exercise. The dates, the counts, the borough and the substance are those reported;
every hour, place name, organisation, reference and every background row is made up, by arithmetic and not by chance.
Rows carry the documented columns of sources/drops/.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from xml.sax.saxutils import escape

from ewarn.terms import LONDON

LABEL = "Reconstructed from public reports; exercise"
CAMDEN = "E09000007"
HISTORY_START, HISTORY_END = date(2024, 1, 8), date(2025, 2, 28)
QUIET = ("heroin", "cocaine", "ketamine", "MDMA", "diazepam", "amphetamine", "heroin", "cocaine")
FORMS = {"MDMA": "tablet", "diazepam": "tablet"}

Row = dict[str, str]
AMBULANCE: Row = {
    "organisation": "Demo ambulance service (exercise)", "stream": "ambulance", "report_type": "single",
    "outcome": "non-fatal", "persons": "1", "status": "final",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One moment of the scripted clock: what arrives, and what people then do."""

    at: datetime
    title: str
    drops: tuple[tuple[str, tuple[Row, ...]], ...] = ()
    notice: str = ""
    backfill: bool = False
    alert: bool = False


def london(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant in UTC from a Europe/London clock."""
    return datetime.combine(day, time(hour, minute), LONDON).astimezone(UTC)


# The night of 3 March 2025: twelve people in three places. The hours and the places' names are made up.
COLLAPSES = (
    ("12:40", "1"), ("14:05", "2"), ("15:20", "1"), ("16:10", "3"), ("17:35", "2"), ("18:15", "1"), ("19:00", "3"),
    ("19:45", "2"), ("20:30", "1"), ("21:10", "3"), ("21:50", "2"), ("22:30", "3"),
)  # fmt: skip
# Day of death (reported) and day the result was released (made up: weeks late and out of order).
DEATHS = (
    (date(2025, 11, 14), date(2025, 11, 28)), (date(2025, 11, 23), date(2025, 12, 9)),
    (date(2025, 10, 30), date(2025, 12, 15)),
)  # fmt: skip


def collapse(index: int) -> Row:
    """One non-fatal overdose of 3 March, as an ambulance line list would carry it."""
    clock, place = COLLAPSES[index]
    return AMBULANCE | {
        "incident_ref": f"DEMO-AMB-20250303-{index + 1:02d}", "event_date": "2025-03-03", "event_time": clock,
        "reported_date": "2025-03-03", "place": "Camden", "area_code": CAMDEN, "setting": "street",
        "location_ref": f"demo-place-{place}",
    }  # fmt: skip


def cluster_report() -> Row:
    """Day 4: the running total, which contains the twelve already listed."""
    return {
        "incident_ref": "DEMO-CLUSTER-2025-03", "organisation": "Demo public health team (exercise)", "stream": "other",
        "report_type": "cluster", "event_date": "2025-03-03", "end_date": "2025-03-06", "reported_date": "2025-03-07",
        "place": "Camden", "area_code": CAMDEN, "outcome": "non-fatal", "persons": "33", "status": "final",
    }  # fmt: skip


def death(number: int) -> Row:
    """One death whose toxicology names cychlorphine; the result comes weeks after the death."""
    died, reported = DEATHS[number]
    return {
        "case_ref": f"DEMO-PM-2025-{number + 1}", "laboratory": "Demo toxicology laboratory (exercise)",
        "date_of_death": died.isoformat(), "date_reported": reported.isoformat(), "place": "Camden",
        "area_code": CAMDEN, "confirmed_substances": "cychlorphine", "method": "LC-MS/MS", "status": "final",
    }  # fmt: skip


def quiet_tests(boroughs: list[tuple[str, str]], start: date, end: date) -> tuple[Row, ...]:
    """Two test results a borough and month of what is always found, bought as what it is."""
    rows, serial = [], count(1)
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        for index, (code, name) in enumerate(boroughs):
            if (day.toordinal() + index * 7) % 15:
                continue
            found = QUIET[(index + day.toordinal() // 15) % len(QUIET)]
            rows.append({
                "sample_ref": f"DEMO-LAB-{start.year}{start.month:02d}-{next(serial):05d}",
                "laboratory": "Demo drug-checking laboratory (exercise)", "stream": "drug-checking",
                "date_sampled": day.isoformat(), "date_reported": min(day + timedelta(days=6), end).isoformat(),
                "place": name, "area_code": code, "sold_as": found, "form": FORMS.get(found, "powder"), "major": found,
                "method": "GC-MS", "test_type": "confirmatory", "status": "final",
            })  # fmt: skip
    return tuple(rows)


def quiet_incidents(boroughs: list[tuple[str, str]], start: date, end: date) -> tuple[Row, ...]:
    """One non-fatal overdose a borough every nine weeks or so, never two together, one in London every other day."""
    rows, serial = [], count(1)
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        for index, (code, name) in enumerate(boroughs):
            if (day.toordinal() - index * 2) % 66:
                continue
            rows.append(AMBULANCE | {
                "incident_ref": f"DEMO-AMB-{start.year}{start.month:02d}-{next(serial):05d}",
                "event_date": day.isoformat(), "event_time": f"{8 + index % 14:02d}:{(index * 17) % 60:02d}",
                "reported_date": min(day + timedelta(days=1), end).isoformat(), "place": name, "area_code": code,
                "setting": "home",
            })  # fmt: skip
    return tuple(rows)


ANSWERS = {
    "local-relevance": "Camden; could spread to its neighbours. Exercise.",
    "anecdotal": "Recorded by two organisations independently. Exercise.",
    "plausible": "Yes: the effects fit a potent opioid. Exercise.",
    "efficacy": "Yes: people at risk can avoid using alone and carry naloxone. Exercise.",
}
MARCH_NOTICE = (
    "Camden: 33 people ill and 17 taken to hospital after suspected overdoses",
    "Substance not confirmed. Twelve non-fatal overdoses on 3 March in three places in Camden.",
)
DECEMBER_NOTICE = (
    "Cychlorphine found in three deaths in Camden",
    "Three deaths between 30 October and 23 November 2025 in which cychlorphine was found.",
)


def feed(entries: list[tuple[datetime, tuple[str, str]]]) -> bytes:
    """The loopback Atom feed as it stands after these notices."""
    updated = max((at for at, _ in entries), default=london(HISTORY_END, 9)).isoformat()
    items = "".join(
        f"<entry><id>urn:ewarn:demo:{number}</id><title>{escape(title)}</title><updated>{at.isoformat()}</updated>"
        f'<link href="http://127.0.0.1/demo/{number}"/><summary>{escape(f"{summary} ({LABEL}.)")}</summary></entry>'
        for number, (at, (title, summary)) in enumerate(entries, 1)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>urn:ewarn:demo</id>'
        f"<title>Demo notices. {LABEL}</title><updated>{updated}</updated>{items}</feed>"
    ).encode()


def steps(boroughs: list[tuple[str, str]]) -> tuple[Step, ...]:
    """The whole scenario. In: (GSS code, name) of the London boroughs."""
    march, incidents = date(2025, 3, 3), "overdose_incidents"
    between = HISTORY_END + timedelta(days=1)
    quiet = (
        ("test_results", quiet_tests(boroughs, HISTORY_START, HISTORY_END)),
        (incidents, quiet_incidents(boroughs, HISTORY_START, HISTORY_END)),
    )
    later = (
        ("test_results", quiet_tests(boroughs, between, date(2025, 10, 31))),
        (incidents, quiet_incidents(boroughs, march + timedelta(days=1), date(2025, 10, 31))),
    )
    first_four, twelve = tuple(collapse(i) for i in range(4)), tuple(collapse(i) for i in range(12))
    return (
        Step(london(date(2025, 3, 1), 9), "Fourteen months of quiet background, all boroughs", quiet, backfill=True),
        Step(london(march, 17, 5), "Four overdoses in Camden since noon", ((incidents, first_four),)),
        Step(london(march, 18, 0), "A fifth", ((incidents, (*first_four, collapse(4))),)),
        Step(london(march, 23, 15), "Twelve by night, in three places", ((incidents, twelve),)),
        Step(
            london(date(2025, 3, 7), 11), "Day 4: 33 ill, 17 in hospital, substance unconfirmed",
            ((incidents, (cluster_report(),)),), notice="march", alert=True,
        ),
        Step(london(date(2025, 11, 1), 9), "Eight quiet months", later, backfill=True),
        _result(0, "Result: cychlorphine, death of 14 November"),
        _result(1, "Result: cychlorphine, death of 23 November"),
        _result(2, "Result: cychlorphine, death of 30 October", notice="december", alert=True),
    )  # fmt: skip


def _result(number: int, title: str, notice: str = "", alert: bool = False) -> Step:
    return Step(london(DEATHS[number][1], 10), title, (("post_mortem", (death(number),)),), notice, alert=alert)
