"""Names, numbers and full postcodes of people, planted through every door: they are found nowhere again.

Each plant carries the place it was planted in, so that a finding says which door it came through. What a definition
maps on purpose (a reference, an organisation, words for a drug) is not planted. The sealed raw store is the one place
that may hold them, and it holds them encrypted.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ewarn.cli import main
from ewarn.pipeline import notices, purge, read, receive, replay, respond
from ewarn.store.database import CONFIG

NUMBER = "943 476 5919"  # of the kind of an NHS number, from the range set aside for tests
POSTCODE = "NW1 4QZ"
PLANT = re.compile(r"zebedee|canaryson|943 ?476 ?5919|nw1 ?4qz|canary-door-\d+", re.IGNORECASE)
DOORS: list[str] = []


def plant(door: str) -> str:
    """A person's name and number that say where they were planted."""
    DOORS.append(door)
    return f"Zebedee Canaryson {NUMBER} canary-door-{len(DOORS)}"


INCIDENT = {
    "incident_ref": "I1", "organisation": "Ambulance (synthetic)", "stream": "ambulance", "report_type": "event",
    "event_date": "2025-04-30", "event_time": "21:00", "end_date": "", "reported_date": "2025-04-30",
    "place": "NW1", "area_code": "", "setting": "hostel", "location_ref": "", "outcome": "non-fatal", "persons": "1",
    "suspected_substances": "", "confirmed_substances": "", "method": "", "status": "",
}  # fmt: skip
DEATH = {
    "case_ref": "D1", "laboratory": "Laboratory (synthetic)", "date_of_death": "2025-04-20",
    "date_reported": "2025-04-30", "place": "NW1", "area_code": "", "setting": "home",
    "confirmed_substances": "metonitazene", "method": "", "status": "", "cause_text": "",
}  # fmt: skip
SAMPLE = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking", "date_sampled": "2025-04-28",
    "date_reported": "2025-04-29", "place": "NW1", "area_code": "", "sold_as": "diazepam", "form": "tablet",
    "colour": "blue", "imprint": "", "major": "metonitazene", "minor": "", "trace": "", "method": "",
    "test_type": "confirmatory", "concentration": "", "unit": "", "status": "",
}  # fmt: skip
COUNT = {
    "area_code": "E09000007", "date": "2025-04-30", "indicator": "ambulance overdose", "count": "3",
    "organisation": "Ambulance (synthetic)", "reported_date": "2025-04-30", "period_days": "1", "denominator": "",
}  # fmt: skip
# Words kept on purpose, so that people can group, trace and name: a source must not write people there.
KEPT_ON_PURPOSE = {
    "incident_ref", "organisation", "case_ref", "laboratory", "sample_ref", "sold_as", "imprint", "major", "minor",
    "trace", "suspected_substances", "confirmed_substances", "method", "unit", "indicator", "form", "colour",
}  # fmt: skip


def planted_rows(source: str, plain: dict[str, str]) -> list[dict[str, str]]:
    """A good row, one row for every cell with a plant in it, and a good row with plants in columns nobody asked for."""
    reference = next(iter(plain)) if source != "overdose_counts" else "organisation"
    rows = [plain | {"patient_name": "", "notes": ""}]
    for column in plain:
        if column not in KEPT_ON_PURPOSE and (source, column) != ("overdose_counts", "area_code"):  # part of the key
            rows.append(plain | {reference: f"X{len(rows)}", column: plant(f"{source}.{column}")})
    rows.append(plain | {reference: "Y1", "patient_name": plant(f"{source}.extra"), "notes": plant(f"{source}.notes")})
    if "place" in plain:
        rows.append(plain | {reference: "Y2", "place": POSTCODE})
    if "location_ref" in plain:
        rows.append(plain | {reference: "Y3", "location_ref": plant(f"{source}.location_ref")})
    if "cause_text" in plain:
        rows.append(plain | {reference: "Y4", "cause_text": plant(f"{source}.cause_text")})
    return rows


def spoilt_files(csv: bytes, source: str) -> Iterator[tuple[str, bytes]]:
    """Files that cannot be read as they are: without a header, ragged, unclosed, empty, not text, with an archive."""
    head, _, rest = csv.partition(b"\n")
    name = plant(f"{source}.spoilt").encode()
    yield "no header", name + b"," + rest
    yield "ragged", head + b"\nI7," + name + b"\n" + b",".join([name] * 60) + b"\n"
    yield "unclosed", csv + b'\nI8,"' + name + b"\n"
    yield "no rows", head + b"," + name + b"\n"
    yield "not text", b"\x00\x01" + name + bytes(range(256)) * 4
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name.decode()}.csv", csv)
        archive.writestr(f"other {name.decode()}.csv", head + b"\n" + name)
    yield "archive", packed.getvalue()


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>{0}</title><link>https://example.org/</link>
<item><title>{1}: prevention of future deaths report</title><link>https://example.org/{2}</link>
<guid>https://example.org/1</guid><pubDate>Wed, 30 Apr 2025 10:00:00 GMT</pubDate>
<description>{3} died of metonitazene in Camden</description></item>
<item><title>{4}</title><description>{4}</description></item></channel></rss>"""
MAIL = """From: {0} <zebedee@canaryson.example>
To: inbox@example.org
Subject: {1}
Date: Wed, 30 Apr 2025 10:00:00 +0000
Message-ID: <zebedee@canaryson.example>
Content-Type: text/plain; charset=utf-8

{2} of {3} collapsed in Camden after metonitazene. Ring 020 7946 0123.
"""


def words_of(home: Path) -> Iterator[tuple[str, str]]:
    """Everything that lies in a home, outside the sealed store: files, the members of archives, every cell of every
    table."""
    for path in sorted(home.rglob("*")):
        taken_in = not path.name.startswith("stray ")  # it lies where somebody put it; ewarn has not touched it
        if path.is_file() and taken_in and not path.name.endswith(".zst.age"):
            yield str(path.relative_to(home)), path.relative_to(home).as_posix()
            yield str(path.relative_to(home)), path.read_bytes().decode("latin-1")
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        if not name.endswith(".zst.age"):
                            yield f"{path.name}/{name}", name + archive.read(name).decode("latin-1")
    for path in (home / "ewarn.duckdb", *sorted((home / "published").glob("*.duckdb"))):
        with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
            for (table,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                for row in con.execute(f'SELECT * FROM "{table}"').fetchall():
                    yield f"{path.name}:{table}", repr(row)
    for path in sorted(home.rglob("*.parquet")):
        with duckdb.connect() as con:
            for row in con.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall():
                yield path.name, repr(row)


def findings(places: Iterator[tuple[str, str]]) -> list[str]:
    """Where a plant was found, and through which door it had come."""
    found = set()
    for place, words in places:
        for hit in PLANT.finditer(words):
            door = re.search(r"canary-door-(\d+)", words[hit.start() :][:120])
            came = DOORS[int(door[1]) - 1] if door else "?"
            found.add(f"{place}: '{words[max(0, hit.start() - 60) : hit.end() + 30]!r}' through {came}")
    return sorted(found)[:40]


@pytest.fixture(params=["one source spoilt", pytest.param("all spoilt", marks=pytest.mark.slow)])
def everything_planted(
    corridor: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> tuple[Any, list[tuple[str, str]]]:
    """A home into which people were planted through every door, then used; and all that was said meanwhile.

    Files that cannot be read as they are come from the source with the most words about people, or from all.
    """
    now = corridor.at("2025-05-01")
    corridor.staff(now)
    house = corridor.house(now)
    said: list[tuple[str, str]] = []
    given = tmp_path / "elsewhere"
    given.mkdir()

    def take(source: str, body: bytes, name: str) -> None:
        path = given / name
        path.write_bytes(body)
        try:
            report = receive.intake(house, now, source, path)
        except Exception as error:
            said.append((f"error of {source} {name[:20]}", repr(error).replace(str(path), "")))
        else:
            said.append((f"report of {source} {name[:20]}", report.model_dump_json()))

    from tests.journeys.conftest import table

    for source, plain in (
        ("overdose_incidents", INCIDENT), ("post_mortem", DEATH), ("test_results", SAMPLE), ("overdose_counts", COUNT),
    ):  # fmt: skip
        csv = table(planted_rows(source, plain))
        take(source, csv, f"results {plant(f'{source} file name')}.csv")
        spoilt = request.param == "all spoilt" or source == "overdose_incidents"
        for kind, body in spoilt_files(csv, source) if spoilt else ():
            take(source, body, f"{kind} {plant(f'{source} file name, {kind}')}.{'zip' if kind == 'archive' else 'csv'}")
        folder = corridor.home / "drops" / source
        folder.mkdir(parents=True, exist_ok=True)
        again = table([row | {next(iter(row)): f"Z{n}"} for n, row in enumerate(planted_rows(source, plain))])
        (folder / f"drop {plant(f'{source} dropped file name')}.csv").write_bytes(again)
        (folder / f"stray {plant(f'{source} stray file name')}.doc").write_bytes(b"stray")
    take("coroners-pfd", FEED.format(*(plant(f"feed part {n}") for n in range(5))).encode(), "feed.xml")
    take("coroners-pfd", f"<html>{plant('page instead of a feed')}</html>".encode(), "page.xml")
    mail = MAIL.format(*(plant(f"mail part {n}") for n in range(3)), POSTCODE).encode()
    said.append(("notice", notices.add(house, now, mail).model_dump_json()))
    (corridor.home / "drops" / "email").mkdir(parents=True, exist_ok=True)
    (corridor.home / "drops" / "email" / f"{plant('mail file name')}.eml").write_bytes(
        mail.replace(b"30 Apr", b"29 Apr")
    )
    said.append(("drop folders", receive.intake(house, now, kinds=("drop",)).model_dump_json()))
    return corridor, said


@pytest.mark.slow
def test_people_are_found_nowhere_outside_the_sealed_store(
    everything_planted: tuple[Any, list[tuple[str, str]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corridor, said = everything_planted
    now = corridor.at("2025-05-01", "13:00")
    house = corridor.house(now)
    corridor.turn(now)
    signals = corridor.detect(now, dry_run=True).signals
    assert signals, "the rows became signals, so that there is something to leak"
    with house.db.read() as con:
        case = con.execute("SELECT ref FROM case_file LIMIT 1").fetchone()[0]
    corridor.issue(case, now)
    respond.send(house, now)
    assert corridor.mailbox.messages and corridor.duty_calls
    said += [("mail", message.as_string()) for message in corridor.mailbox.messages]
    said += [("call", repr(call)) for call in (*corridor.duty_calls, *corridor.partner_calls)]
    said.append(("replay", replay.replay_rejects(house, now).model_dump_json()))
    read.backup(house, corridor.home / "backup.zip", now)
    home = ["--home", str(corridor.home)]
    capsys.readouterr()
    for words in (
        ["rejects", "list"], ["names", "list"], ["status"], ["doctor"], ["explain", signals[0].id], ["cases", "list"],
        ["cases", "show", case], ["alerts", "show", f"{case}/A1"], ["receipts"], ["purge", "--dry-run"],
        ["detect", "--dry-run"], ["intake", "--source", "test_results"],
    ):  # fmt: skip
        for form in ([], ["--json"]):
            main([*words, *home, *form])
            out, err = capsys.readouterr()
            said.append((" ".join([*words[:2], *form]), out + err))
    purge.purge(house, now, source="overdose_incidents", before=now.date(), reason="test")
    assert findings(iter(said)) == []
    assert findings(words_of(corridor.home)) == []
    assert main(["rejects", "list", "--raw", "--json", *home]) == 0
    assert "canary-door" in capsys.readouterr().out, "whoever has the right to see a row as it came does see it"
