"""Signing in: two halves, a code once, sessions that end, and guessing that gets slower without locking anybody out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ewarn.desk.visit import inside
from ewarn.errors import Refused
from ewarn.pipeline import assess, signin
from ewarn.pipeline.sessions import CodeNeeded
from ewarn.store import audit, tables
from tests.desk.conftest import SECRET


def test_a_stranger_is_sent_to_sign_in_and_back_to_where_they_wanted(desk: Any) -> None:
    answer = desk().get("/situation.md?x=1", follow_redirects=False)
    assert answer.status_code == 303
    assert "after=%2Fsituation.md%3Fx%3D1" in answer.headers["location"]


@pytest.mark.parametrize("target", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "javascript:x"])
def test_nobody_is_sent_elsewhere_after_signing_in(target: str) -> None:
    assert inside(target) == "/"


def test_wrong_id_and_wrong_secret_read_the_same(desk: Any) -> None:
    texts = []
    for person, secret in (("nobody", "x" * 20), ("duty", "x" * 20)):
        answer = desk().form("/sign-in", person=person, secret=secret)
        assert answer.status_code == 403
        texts.append(re.sub(r'value="[^"]*"', "", answer.text))
    assert texts[0] == texts[1] and "There is a problem" in texts[0]


def test_a_code_is_taken_once_and_a_recovery_code_once(desk: Any, clock: Any) -> None:
    first = desk().sign_in("duty", clock)
    other = desk()
    other.form("/sign-in", person="duty", secret=SECRET.format("duty"))
    replay = other.form("/sign-in/code", code=first.code(clock.now))
    assert replay.status_code == 403, "the code that enrolled the device is not taken again"
    clock.on(seconds=60)
    assert other.form("/sign-in/code", code=first.code(clock.now)).headers["location"] == "/"


def test_recovery_codes_are_shown_once_and_work_once(desk: Any, clock: Any) -> None:
    one = desk()
    one.form("/sign-in", person="panel", secret=SECRET.format("panel"))
    shown = one.get("/sign-in/device").text
    one.device = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)[1].replace(" ", "")  # type: ignore[index]
    codes = re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", one.form(
        "/sign-in/device", code=one.code(clock.now)).text)  # fmt: skip
    assert len(codes) == 8
    for expected in (303, 403):
        again = desk()
        again.form("/sign-in", person="panel", secret=SECRET.format("panel"))
        assert again.form("/sign-in/code", code=codes[0].lower()).status_code == expected
    with desk.house.db.read() as con:
        held = tables.rows(con, "SELECT * FROM recovery_code")
        assert not any(code.replace("-", "") in str(row) for code in codes for row in held)


def test_a_session_idles_out_and_ends_for_good(desk: Any, clock: Any) -> None:
    duty = desk("duty")
    for _ in range(3):
        clock.on(minutes=50)
        assert duty.get("/account", follow_redirects=False).status_code == 200, "use keeps it open"
    clock.on(minutes=61)
    assert duty.get("/account", follow_redirects=False).status_code == 303
    clock.on(hours=12)
    assert duty.get("/account", follow_redirects=False).status_code == 303


def test_sign_in_rotates_the_session_and_sign_out_ends_it(desk: Any, clock: Any) -> None:
    duty = desk().sign_in("duty", clock)
    token = duty.cookies["ewarn"]
    assert duty.form("/account", "/sign-out").status_code == 303
    duty.cookies.set("ewarn", token)
    assert duty.get("/account", follow_redirects=False).status_code == 303, "the old token proves nothing"
    with desk.house.db.read() as con:
        assert not tables.rows(con, f"SELECT * FROM desk_session WHERE mark = '{token}'"), "no token is kept"
        acts = audit.entries(con)["act"].to_list()
    assert {"signed in by code", "ended sessions", "enrolled one-time codes"} <= set(acts)


def test_an_administrator_ends_everybody_elses_session(desk: Any, clock: Any) -> None:
    duty, keeper = desk("duty"), desk("administrator")
    proof = signin.visitor(desk.house, keeper.cookies["ewarn"], clock.now).actor(clock.now)  # type: ignore[union-attr]
    assert signin.revoke(desk.house, "duty", clock.now, proof) == 1
    assert duty.get("/account", follow_redirects=False).status_code == 303
    other = signin.visitor(desk.house, desk("panel").cookies["ewarn"], clock.now)
    assert other is not None
    with pytest.raises(Refused, match="no administrator role"):
        signin.revoke(desk.house, "administrator", clock.now, other.actor(clock.now))


def test_a_session_proves_an_act_only_while_its_code_is_recent(desk: Any, clock: Any) -> None:
    found = signin.visitor(desk.house, desk("duty").cookies["ewarn"], clock.now)
    assert found is not None
    ref = assess.list_cases(desk.house)[0].ref
    kept = assess.assign_case(desk.house, ref, actor=found.actor(clock.now), now=clock.now, next_action="Ring them")
    assert kept.next_action == "Ring them"
    clock.on(minutes=59)
    signin.seen(desk.house, found.mark, clock.now)
    clock.on(minutes=2)
    with pytest.raises(CodeNeeded):
        assess.assign_case(desk.house, ref, actor=found.actor(clock.now), now=clock.now, next_action="Late")
    with pytest.raises(Refused):
        forged = found.actor(clock.now)._replace(person="panel")
        assess.assign_case(desk.house, ref, actor=forged, now=clock.now, next_action="Another's")


def test_what_was_filled_in_survives_the_question_for_a_code(desk: Any, clock: Any) -> None:
    duty = desk().sign_in("duty", clock)
    clock.on(minutes=40)
    duty.get("/account")
    clock.on(minutes=30)
    said = {"role": "coordinator", "hours": "2", "reason": "Nobody answers the co-ordinator's telephone."}
    asked = duty.form("/account", "/account/break-glass", **said)
    assert asked.status_code == 200 and "Confirm that it is you" in asked.text
    token = re.search(r'name="csrf" value="([^"]+)"', asked.text)[1]  # type: ignore[index]
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    assert again["reason"].startswith("Nobody answers")
    wrong = duty.post("/account/break-glass", data=again | {"csrf": token, "one_time_code": "000000"})
    assert wrong.status_code == 400 and "is not right" in wrong.text
    done = duty.post(
        "/account/break-glass",
        data=again | {"csrf": token, "one_time_code": duty.code(clock.now)},
        follow_redirects=False,
    )
    assert done.status_code == 303
    held = signin.visitor(desk.house, duty.cookies["ewarn"], clock.now)
    assert held is not None and "coordinator" in {role.value for role in held.roles}
    clock.on(minutes=59)
    duty.get("/account")
    clock.on(minutes=59)
    duty.get("/account")
    clock.on(minutes=5)
    after = signin.visitor(desk.house, duty.cookies["ewarn"], clock.now)
    assert after is not None and "coordinator" not in {role.value for role in after.roles}, "it ended by itself"


@pytest.mark.parametrize("role", ["panel", "administrator"])
def test_break_glass_never_gives_panel_or_administrator(desk: Any, clock: Any, role: str) -> None:
    duty = desk("duty")
    answer = duty.form("/account", "/account/break-glass", role=role, hours="2", reason="A long enough reason for it.")
    assert answer.status_code == 400


def test_guessing_gets_slower_but_the_owner_gets_in(desk: Any, clock: Any) -> None:
    owner = desk().sign_in("duty", clock)
    owner.form("/account", "/sign-out")
    guesser = desk()
    texts = [guesser.form("/sign-in", person="duty", secret="wrong wrong wrong").text for _ in range(8)]
    assert "too many tries" in texts[-1].lower() and "too many tries" not in texts[0].lower()
    clock.on(seconds=1)
    assert owner.form("/sign-in", person="duty", secret=SECRET.format("duty")).headers["location"] == "/sign-in/code"
    clock.on(seconds=31)
    late = guesser.form("/sign-in", person="duty", secret="wrong wrong wrong")
    assert "too many tries" not in late.text.lower(), "a wait ends: nobody is locked out"
