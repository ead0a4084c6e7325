"""People at the desk: registered, signed out, told to enrol anew, taken out; by an administrator alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ewarn.pipeline import read

NEW = {"id": "a.okoro", "name": "A. Okoro", "areas": "Camden, Islington", "role-duty": "yes"}


def test_an_administrator_registers_somebody_who_then_signs_in(desk: Any, clock: Any) -> None:
    shown = desk("administrator").form("/people", "/people/add", **NEW)
    assert shown.status_code == 200, shown.text
    secret = re.search(r"Secret, shown this once: <code>([^<]+)</code>", shown.text)[1]  # type: ignore[index]
    found = next(p for p in read.list_people(desk.house) if p.id == "a.okoro")
    assert found.areas == ("E09000007", "E09000019")
    begun = desk().form("/sign-in", person="a.okoro", secret=secret)
    assert begun.headers["location"] == "/sign-in/device"
    assert secret not in desk("administrator").get("/people").text


@pytest.mark.parametrize(
    ("change", "field"),
    [({"id": "A B"}, "id"), ({"id": "duty"}, "id"), ({"name": ""}, "name"), ({"areas": ""}, "areas"),
     ({"areas": "Atlantis"}, "areas"), ({"role-duty": ""}, "role-duty")],
)  # fmt: skip
def test_what_is_missing_is_said_at_its_field(desk: Any, change: dict[str, str], field: str) -> None:
    answer = desk("administrator").form("/people", "/people/add", **(NEW | change))
    assert answer.status_code == 400 and f'href="#{field}"' in answer.text


def test_a_person_taken_out_is_signed_out_at_once_and_cannot_sign_in(desk: Any) -> None:
    duty = desk("duty")
    assert desk("administrator").form("/people", "/people/duty/deactivate").status_code == 303
    assert duty.get("/account", follow_redirects=False).status_code == 303
    assert desk().form("/sign-in", person="duty", secret="a long secret of duty").status_code == 403


def test_the_head_of_the_audit_chain_is_shown_and_a_broken_link_is_said(desk: Any) -> None:
    keeper = desk("administrator")
    assert re.search(r"Newest: <code>[0-9a-f]{16}</code>", keeper.get("/people").text)
    with desk.house.db.write("test") as tx:
        tx.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    assert "broken at link 2" in keeper.get("/people").text
