"""Whether what the tables name is there: people, signals, cases, texts, deliveries, sealed parts of reports.

In: an open store. Out: words for each table in which a row names what does not exist, or was never entered on the audit
chain. It changes nothing, and says counts and names of tables, never whose they are.
"""

from __future__ import annotations

from pathlib import Path

from ewarn.report import Report
from ewarn.store import partner_reports, tables, vault
from ewarn.store.tables import Connection

PERSON = "{name} NOT IN (SELECT id FROM person)"
CASE = "{name} NOT IN (SELECT ref FROM case_file)"
TEXT = "({name}, version) NOT IN (SELECT (id, version) FROM alert)"
ENTERED = "NOT EXISTS (SELECT 1 FROM audit WHERE subject = {name} AND act LIKE '{act}')"


def _persons(*where: str) -> list[tuple[str, str, str]]:
    return [(table, "somebody who is not registered", PERSON.format(name="person")) for table in where]


def _entered(table: str, name: str, act: str) -> tuple[str, str, str]:
    return (table, "what was never entered on the audit chain", ENTERED.format(name=name, act=act))


def _lasts(table: str, ends: str, begins: str) -> tuple[str, str, str]:
    return (table, "an end before its beginning", f"{ends} < {begins}")


# Table, what is wrong, the rows of which it is true.
NAMED: list[tuple[str, str, str]] = [
    *_persons("judgement", "role_grant", "desk_session", "one_time_code", "recovery_code", "last_look", "api_token"),
    *_persons("release", "finding_override"),
    ("decision", "somebody who is not registered", PERSON.format(name="person") + " AND person <> 'ewarn'"),
    ("judgement", "a signal that is nowhere", "signal NOT IN (SELECT id FROM signal)"
     " AND NOT EXISTS (SELECT 1 FROM standing WHERE contains(body, signal))"),
    ("role_grant", "a role that cannot be taken", "role NOT IN ('duty', 'coordinator')"),
    ("role_grant", "more than eight hours", "ends_at - given_at > INTERVAL 8 HOURS"),
    ("role_grant", "no reason", "trim(reason) = ''"),
    _lasts("role_grant", "ends_at", "given_at"),
    _lasts("desk_session", "ends_at", "began_at"),
    _lasts("desk_session", "ended_at", "began_at"),
    _lasts("api_token", "ends_at", "made_at"),
    _entered("role_grant", "id", "took the % role"),
    _entered("desk_session", "mark[:12]", "signed in by %"),
    _entered("api_token", "id", "made a token for reading"),
    _entered("judgement", "judgement.signal", "signal %"),
    _entered("release", "CASE WHEN alert = '' THEN case_ref ELSE alert END", "released"),
    _entered("finding_override", "alert || ' v' || version", "overrode finding"),
    ("release", "a case that is not there", CASE.format(name="case_ref")),
    ("release", "a text that is not there", "alert <> '' AND alert NOT IN (SELECT id FROM alert)"),
    ("finding_override", "a text that is not there", TEXT.format(name="alert")),
    ("correction", "a text that is not there", TEXT.format(name="alert")),
    ("payload", "a text that is not there", TEXT.format(name="alert")),
    ("delivery", "a text that is not there", "alert <> '' AND " + TEXT.format(name="alert")),
    ("delivery_receipt", "a delivery that is not there", "delivery NOT IN (SELECT id FROM delivery)"),
    ("answer", "a delivery that is not there", "delivery NOT IN (SELECT id FROM delivery)"),
    ("decision", "a text that is not there", "alert <> '' AND version IS NOT NULL AND " + TEXT.format(name="alert")),
    ("test_request", "a case that is not there", CASE.format(name="case_ref")),
    ("partner_report", "a case that is not there", "case_ref <> '' AND " + CASE.format(name="case_ref")),
    ("case_file", "a case that is not there", "(body->>'merged_into') <> '' AND "
     + CASE.format(name="(body->>'merged_into')")),
]  # fmt: skip


def faults(con: Connection, home: Path) -> list[str]:
    """What names something that is not there, in words: table, how many rows, what they name."""
    told = [(table, what, int(tables.one(con, _counting(table, wrong)))) for table, what, wrong in NAMED]
    return [f"{table}: {rows} name {what}" for table, what, rows in told if rows] + _parts(con, home)


def rows(con: Connection) -> int:
    """How many rows were looked at."""
    return sum(int(tables.one(con, f"SELECT count(*) FROM {table}")) for table in sorted({t for t, _, _ in NAMED}))


def _counting(table: str, wrong: str) -> str:
    return f"SELECT count(*) FROM {table} WHERE {wrong}"


def _parts(con: Connection, home: Path) -> list[str]:
    """Reports whose sealed words, contact or photograph is gone, and sealed parts that no report names."""
    known = partner_reports.all(con)
    wanted = {f"{report.ref}.{part}{vault.ENDING}" for report in known for part in _sealed(report)}
    folder = home / partner_reports.FOLDER
    there = {path.name for path in folder.glob(f"*{vault.ENDING}")} if folder.is_dir() else set()
    stray = {name for name in there if name.split(".")[0] not in {report.ref for report in known}}
    missing = wanted - there
    told = [f"partner_report: {len(missing)} sealed parts are missing"] if missing else []
    return told + ([f"reports/: {len(stray)} sealed parts that no report names"] if stray else [])


def _sealed(report: Report) -> list[str]:
    return ["words", *(["contact"] if report.has_contact else []), *(["photo"] if report.has_photo else [])]
