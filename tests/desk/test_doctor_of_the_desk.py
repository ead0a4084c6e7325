"""The doctor looks at what the desk writes: what it names is there, and it stands on the audit chain."""

from __future__ import annotations

from typing import Any

import pytest

from ewarn.pipeline import api_tokens, judging, reporting, signin, standing
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from ewarn.store import belonging, doctor
from tests.desk.conftest import NOW, SECRET

TOLD = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what="Somebody fell.", contact="020 7946 0000")


def by(person: str) -> Actor:
    return Actor(person, SECRET.format(person))


def said(house: Any) -> Any:
    house.db.publish()
    return next(c for c in doctor.examine(house.db, NOW) if c.name == "what rows name")


@pytest.fixture
def used(desk: Any) -> Any:
    """A home in which somebody is signed in, judged a signal, took a role, let a system read, and read a report."""
    house = desk.house
    desk("duty").get("/")
    signal = standing.current(house, NOW).signals[0].id
    judging.dismiss(house, signal, "A drill, rung the service.", by("duty"), NOW)
    signin.break_glass(house, "duty", 4, "Nobody else can be reached tonight", by("panel"), NOW)
    api_tokens.make(house, "a system", 30, by("partner"), NOW)
    ref = reporting.receive(house, TOLD, NOW).ref
    reporting.join(house, ref, "EWARN-2025-0001", "the same night", by("duty"), NOW)
    return house


def test_what_the_desk_wrote_is_found_sound(used: Any) -> None:
    check = said(used)
    assert check.ok, check.words
    assert int(check.words.split()[0]) >= 5


GONE = """INSERT INTO role_grant VALUES
    ('x', 'nobody', 'duty', 'a reason', '2025-03-04 01:00:00+00', '2025-03-04 02:00:00+00')"""
PLANTED = {
    "judgement: 1 name somebody": "UPDATE judgement SET person = 'nobody'",
    "judgement: 1 name a signal": "UPDATE judgement SET signal = 'nowhere'",
    "role_grant: 1 name what was never entered": GONE.replace("nobody", "duty"),
    "role_grant: 1 name somebody": GONE,
    "role_grant: 1 name a role": "UPDATE role_grant SET role = 'panel'",
    "role_grant: 1 name more than eight": "UPDATE role_grant SET ends_at = ends_at + INTERVAL 1 DAY",
    "role_grant: 1 name no reason": "UPDATE role_grant SET reason = ' '",
    "desk_session: 1 name what was never": "UPDATE desk_session SET mark = 'made up'",
    "desk_session: 1 name an end": "UPDATE desk_session SET ended_at = began_at - INTERVAL 1 HOUR",
    "api_token: 1 name somebody": "UPDATE api_token SET person = 'nobody'",
    "api_token: 1 name what was never": "UPDATE api_token SET id = 'other'",
    "partner_report: 1 name a case": "UPDATE partner_report SET case_ref = 'EWARN-2025-9999' WHERE case_ref <> ''",
    "finding_override: 1 name a text": """INSERT INTO finding_override VALUES
        ('2025-03-04 01:00:00+00', 'EWARN-2025-0001/A9', 1, 'h', 'f', 'c', 'p', 'w', 'r', 'duty')""",
    "release: 1 name a case": """INSERT INTO release VALUES
        (1, '2025-03-04 01:00:00+00', 'EWARN-2025-9999', '', 's', 'TLP:GREEN', '', NULL, 'r', 'o', 'duty')""",
}


class Undone(Exception):
    """Nothing of what was planted stays."""


def test_each_planted_fault_is_named(used: Any) -> None:
    for fault, sql in PLANTED.items():
        with pytest.raises(Undone), used.db.write("planted") as tx:
            tx.execute(sql)
            found = belonging.faults(tx, used.settings.home)
            assert any(words.startswith(fault) for words in found), (fault, found)
            raise Undone
    assert said(used).ok


def test_a_sealed_part_that_is_gone_or_that_nobody_knows_is_told(used: Any) -> None:
    (words,) = (used.settings.home / "reports").glob("*.words.*")
    words.rename(words.with_name(words.name.replace("R-", "R-ZZZZ")))
    check = said(used)
    assert "1 sealed parts are missing" in check.words and "1 sealed parts that no report names" in check.words
