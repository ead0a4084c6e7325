"""Recipients at the desk: listed with their last confirmation, changed, stopped, and taken in from a file."""

from __future__ import annotations

from typing import Any

import pytest

from ewarn.pipeline import read

XSS = "<img src=x onerror=alert(1)>"
NEW = {"id": "team1", "name": f"Team One {XSS}", "organisation": XSS, "group": "outreach", "audience": "professional",
       "areas": "Camden, Islington", "channel": "email", "address": "team1@example.org", "hours": ""}  # fmt: skip
LIST = (
    "id,name,areas,channel,address\nteam2,Team Two,E09000007,email,two@example.org\nteam3,Three,E09000007,nothing,x\n"
)


def held(desk: Any) -> dict[str, Any]:
    return {r.id: r for r in read.list_recipients(desk.house)}


def test_added_changed_confirmed_stopped_and_resumed(desk: Any) -> None:
    keeper = desk("coordinator")
    assert keeper.form("/recipients", "/recipients/add", **NEW).headers["location"] == "/recipients/team1"
    page = keeper.get("/recipients").text
    assert "team1" in page and "Camden, Islington" in page and "never" in page
    assert XSS not in page and "team1@example.org" not in page
    here = "/recipients/team1"
    one = keeper.get(here).text
    assert "team1@example.org" in one and XSS not in one and "added, coordinator" in one
    assert keeper.form(here, f"{here}/change", **(NEW | {"address": "other@example.org"})).status_code == 303
    assert "changed, coordinator: address" in keeper.get(here).text
    assert keeper.form("/recipients", f"{here}/confirm").status_code == 303
    assert "4 March 2025" in keeper.get("/recipients").text and held(desk)["team1"].address == "other@example.org"
    assert keeper.form("/recipients", f"{here}/stop").status_code == 303
    assert not held(desk)["team1"].active and f"{here}/resume" in keeper.get("/recipients").text
    assert keeper.form("/recipients", f"{here}/resume").status_code == 303 and held(desk)["team1"].active
    assert "None with these words" in keeper.get("/recipients?q=zzz").text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"id": "A B"}, "id"), ({"name": ""}, "name"), ({"areas": "Atlantis"}, "areas"), ({"areas": ""}, "areas"),
     ({"channel": ""}, "channel"), ({"address": ""}, "address"), ({"hours": "at times"}, "hours"),
     ({"rota_order": "x"}, "rota_order")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_with_what_was_typed(desk: Any, wrong: dict[str, str], field: str) -> None:
    answer = desk("coordinator").form("/recipients", "/recipients/add", **(NEW | wrong))
    assert answer.status_code == 400 and f'href="#{field}"' in answer.text
    assert "team1@example.org" in answer.text or field == "address"
    assert "team1" not in held(desk)


def test_a_file_is_tried_first_and_then_taken_in(desk: Any) -> None:
    keeper = desk("coordinator")
    tried = keeper.form("/recipients", "/recipients/import", act="try", files={"file": ("a.csv", LIST.encode())})
    assert "Nothing was changed yet" in tried.text and "1 added" in tried.text and "Line 3" in tried.text
    assert "two@example.org" in tried.text and "team2" not in held(desk), "what was tried stands in the box"
    done = keeper.form("/recipients", "/recipients/import", act="take", rows=LIST)
    assert "Taken in:" in done.text and "team2" in held(desk) and "1 row of imports" in done.text
    for rows in ("", "nothing,like,it\n1,2,3"):
        answer = keeper.form("/recipients", "/recipients/import", rows=rows)
        assert answer.status_code == 400 and 'href="#rows"' in answer.text


def test_only_those_who_keep_the_list_see_it(desk: Any) -> None:
    assert desk("duty").get("/recipients").status_code == 403
    assert "Recipients" not in desk("duty").get("/").text.split("</nav>")[0]
