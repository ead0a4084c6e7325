"""A quiet London, drawn: two years of what services report when nothing is going on, the first of them as history.

Every row is drawn from a seed; no row and no series is anybody's. The orders of size are public ones: about 2.4
drug-checking samples a borough and month, of which 0.75 % hold a nitazene and 0.13 % an orphine, nearly all sold as
something else; about six listed overdoses a day in London, one in four told by two services; about 700 drug deaths a
year with toxicology weeks later, 1.5 % with a nitazene and 1.2 % with a fentanyl; counts of attendances by week and
borough with small cells suppressed, and of calls by day for the region; about one official notice a week that is no
business of ours; now and then a name that no list has.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import numpy as np

BOROUGHS = tuple(f"E09{number:06d}" for number in range(1, 34))
FOUND = {
    "diazepam": 14, "bromazolam": 11, "cocaine": 13, "MDMA": 12, "ketamine": 8, "heroin": 6, "alprazolam": 4,
    "THC": 4, "amphetamine": 4, "etizolam": 2, "pregabalin": 3, "zopiclone": 3, "oxycodone": 2, "codeine": 3,
    "paracetamol": 4, "caffeine": 3, "2-MMC": 1, "3-MMC": 2, "LSD": 2, "psilocin": 1,
}  # fmt: skip
SOLD = {"diazepam", "cocaine", "MDMA", "ketamine", "heroin", "alprazolam", "THC", "amphetamine", "oxycodone"}
NITAZENES = ("metonitazene", "protonitazene", "N-pyrrolidino protonitazene", "N-desethyl isotonitazene")
ORPHINES = ("cychlorphine", "brorphine")
FENTANYLS = ("fentanyl",)
BOUGHT_AS = ("heroin", "diazepam", "oxycodone")
FORMS = {"diazepam": "tablet", "alprazolam": "tablet", "oxycodone": "tablet", "MDMA": "crystal", "THC": "vape"}
COLOURS = ("blue", "white", "yellow", "pink", "brown", "off-white")
DEATHS = ("heroin", "morphine", "cocaine", "methadone", "diazepam", "pregabalin", "alcohol", "bromazolam")
SETTINGS = ("home", "street", "other", "hostel", "prison", "")
SHARES = (0.38, 0.33, 0.14, 0.07, 0.01, 0.07)
HOSTELS = 3  # of one borough
UNKNOWN_NAMES = ("zylofenamine", "bk-ivoterone", "corvadrolone", "methylpentorate", "dexalumine", "pratofenol")
NOTICES = (
    ("Class 2 Medicines Recall: {} tablets", "Patients are advised to check packs of {} tablets for the batch named."),
    ("Field Safety Notices: {} infusion pumps", "Manufacturers have issued notices on {} infusion pumps."),
    ("Guidance updated: {} vaccination", "The guidance on {} vaccination for the season has been updated."),
)
WORDS = ("losartan", "bisoprolol", "shingles", "influenza", "measles", "atorvastatin", "salbutamol", "pneumococcal")
Table = list[dict[str, Any]]


class Year:
    """`first` to `last` with history before; every table is known by its own dates."""

    def __init__(
        self, seed: int, first: date, days: int, incidents_a_day: float = 6.0, samples_a_month: float = 2.4
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.first, self.days, self.samples_a_month = first, days, samples_a_month
        weights = self.rng.gamma(2.0, 1.0, len(BOROUGHS))
        self.rates = incidents_a_day * weights / weights.sum()
        self.tested = self.rng.gamma(3.0, 1.0, len(BOROUGHS))

    def _day(self, number: int) -> date:
        return self.first + timedelta(days=int(number))

    def samples(self) -> Table:
        """Drug-checking results, known about three weeks after they were sampled."""
        rng, rows = self.rng, []
        total = rng.poisson(self.samples_a_month * len(BOROUGHS) * self.days / 30.4)
        names, weights = list(FOUND), np.array(list(FOUND.values()), dtype=float)
        for serial in range(total):
            day = int(rng.integers(self.days))
            found = str(rng.choice(names, p=weights / weights.sum()))
            sold = found if found in SOLD and rng.random() < 0.75 else str(rng.choice(sorted(SOLD)))
            draw = rng.random()
            watched = NITAZENES if draw < 0.0075 else ORPHINES if draw < 0.0088 else ()
            if watched:
                found, sold = str(rng.choice(watched)), str(rng.choice(BOUGHT_AS))
            elif rng.random() < 6 / 950:
                found = str(rng.choice(UNKNOWN_NAMES))
            known = day + int(np.clip(rng.lognormal(3.0, 0.3), 7, 60))
            rows.append({
                "sample_ref": f"S{serial}", "laboratory": "Drug checking (made)", "stream": "drug checking",
                "date_sampled": self._day(day), "date_reported": self._day(known), "place": self._place(self.tested),
                "sold_as": sold, "form": FORMS.get(sold, "powder"), "colour": str(rng.choice(COLOURS)),
                "major": found, "test_type": "confirmatory",
            })  # fmt: skip
        return self._known(rows, "date_reported")

    def _place(self, weights: Any) -> str:
        return str(self.rng.choice(BOROUGHS, p=weights / weights.sum()))

    def incidents(self) -> Table:
        """Ambulance rows by time, overdispersed and fuller at weekends; a quarter told by a hospital as well."""
        rng, rows, serial = self.rng, [], 0
        for number in range(self.days):
            day = self._day(number)
            busy = (1.25 if day.weekday() >= 4 else 0.9) * rng.gamma(12.0, 1 / 12.0)
            for borough, count in zip(BOROUGHS, rng.poisson(self.rates * busy), strict=True):
                for _ in range(count):
                    serial += 1
                    rows += self._incident(serial, number, borough)
        return self._known(rows, "reported_date")

    def _incident(self, serial: int, number: int, borough: str) -> Table:
        rng = self.rng
        hour, minute = int(rng.choice(24, p=HOURS)), int(rng.integers(60))
        setting = str(rng.choice(SETTINGS, p=SHARES))
        site = f"{borough}-{setting}-{rng.integers(HOSTELS)}" if setting in ("hostel", "prison") else ""
        row = {
            "incident_ref": f"A{serial}", "organisation": "Ambulance (made)", "stream": "ambulance",
            "report_type": "single", "event_date": self._day(number), "event_time": f"{hour:02d}:{minute:02d}",
            "reported_date": self._day(number + int(rng.random() < 0.3)), "place": borough, "setting": setting,
            "location_ref": site, "outcome": "fatal" if rng.random() < 0.015 else "non-fatal", "persons": 1,
            "suspected_substances": str(rng.choice(["heroin", "", "cocaine", "alcohol"], p=[0.5, 0.3, 0.1, 0.1])),
        }  # fmt: skip
        if rng.random() >= 0.25:
            return [row]
        later = min(23 * 60 + 59, hour * 60 + minute + int(rng.integers(20, 90)))
        again = {
            "incident_ref": f"H{serial}", "organisation": "Hospital (made)", "stream": "emergency department",
            "event_time": f"{later // 60:02d}:{later % 60:02d}", "setting": "", "location_ref": "",
            "reported_date": self._day(number + 1),
        }  # fmt: skip
        return [row, row | again]

    def deaths(self) -> Table:
        """Toxicology, one to four months after the death."""
        rng, rows = self.rng, []
        for serial in range(rng.poisson(700 * self.days / 365)):
            day = int(rng.integers(self.days))
            held = [str(x) for x in rng.choice(DEATHS, size=int(rng.integers(1, 4)), replace=False)]
            draw = rng.random()
            more = NITAZENES if draw < 0.015 else FENTANYLS if draw < 0.027 else ("xylazine",) if draw < 0.03 else ()
            if more:
                held.append(str(rng.choice(more)))
            known = day + int(np.clip(rng.lognormal(4.0, 0.4), 21, 180))
            rows.append({
                "case_ref": f"T{serial}", "laboratory": "Toxicology (made)", "date_of_death": self._day(day),
                "date_reported": self._day(known), "place": self._place(self.rates),
                "confirmed_substances": "|".join(held), "method": "LC-MS/MS", "status": "final",
            })  # fmt: skip
        return self._known(rows, "date_reported")

    def counts(self, *, daily_boroughs: bool = False) -> Table:
        """Attendances by week and borough, under five as '<5', known a week later; calls by day for the region."""
        rng, rows = self.rng, []
        means = rng.gamma(3.0, 2.5, len(BOROUGHS))
        for number in range(0, self.days - 6, 7):
            for borough, value in zip(BOROUGHS, rng.negative_binomial(means / 0.3, 1 / 1.3), strict=True):
                cell = str(value) if value >= 5 else "<5"
                rows.append(self._cell(borough, number, "week", "attendances", cell, number + 13))
        for number in range(self.days):
            value = rng.negative_binomial(25 / 0.5, 1 / 1.5)
            rows.append(self._cell("E12000007", number, "day", "calls", str(value), number + 1))
            if daily_boroughs:
                for borough, value in zip(BOROUGHS, rng.negative_binomial(means / 7 / 0.2, 1 / 1.2), strict=True):
                    rows.append(self._cell(borough, number, "day", "attendances by day", str(value), number + 1))
        return self._known(rows, "reported_date")

    def _cell(self, area: str, number: int, period: str, indicator: str, cell: str, known: int) -> dict[str, Any]:
        return {
            "area_code": area, "date": self._day(number), "period_days": period, "indicator": indicator,
            "organisation": "Hospitals (made)", "count": cell, "reported_date": self._day(known),
        }  # fmt: skip

    def notices(self) -> list[tuple[date, str, str]]:
        """Day, title and words of official notices about something else, about one a week."""
        found = []
        for number in sorted(self.rng.integers(self.days, size=self.rng.poisson(self.days / 7))):
            title, words = NOTICES[int(self.rng.integers(len(NOTICES)))]
            about = str(self.rng.choice(WORDS))
            found.append((self._day(number), f"{title.format(about)} ({len(found) + 1})", words.format(about)))
        return found

    def _known(self, rows: Table, column: str) -> Table:
        """Rows that are known within the time drawn, in the order they became so."""
        last = self._day(self.days - 1)
        return sorted((row for row in rows if row[column] <= last), key=lambda row: row[column])


HOURS = np.array([5, 4, 3, 2, 1.5, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5, 5, 5, 5, 5.5, 6, 6, 6.5, 7, 7, 6.5])
HOURS /= HOURS.sum()


def written(rows: Table) -> bytes:
    """Rows as a CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
