"""The API: the same views as the pages, read with a personal token, and nothing more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.desk.access import LINES, TABLE
from ewarn.desk.slowing import Pace
from ewarn.pipeline import api_tokens, assess, read, signin, standing
from ewarn.pipeline.reports import Actor
from ewarn.store import audit, tables
from tests.desk.conftest import NOW, SECRET

VIEWS = ("signals", "cases", "alerts", "sources", "counts", "reports")
TWINS = {"signals": "/", "signals/{signal}": "/signals/{signal}", "cases": "/cases", "cases/{ref}": "/cases/{ref}",
         "reports": "/reports"}  # fmt: skip


def token_of(browser: Any, days: str = "30") -> str:
    answer = browser.form("/account", "/account/tokens", token_name="A council's dashboard", token_days=days)
    found = re.search(r'<code class="token">(ewarn_[\w-]{40,})</code>', answer.text)
    assert found, answer.text
    return found[1]


def ask(stranger: Any, view: str, token: str, **words: Any) -> Any:
    return stranger.get(f"/api/v1/{view}", headers={"authorization": f"Bearer {token}"}, params=words)


def test_a_token_is_shown_once_kept_as_a_hash_and_reads_every_view_with_its_marking(desk: Callable[..., Any]) -> None:
    duty, system = desk("duty"), desk()
    token = token_of(duty)
    assert token not in duty.get("/account").text
    with desk.house.db.read() as con:
        assert token not in str(tables.rows(con, "SELECT * FROM api_token"))
    signal = standing.current(desk.house, NOW).signals[0].id
    for view in (*VIEWS, f"signals/{signal}", "cases/EWARN-2025-0001"):
        answer = ask(system, view, token)
        assert answer.status_code == 200, (view, answer.text)
        told = answer.json()
        assert told["marking"].startswith("TLP:") and told["standing"] == "test", view
        assert isinstance(told["conditions"], list)
    assert ask(system, "signals", token).json()["cards"][0]["signal"]["area"]["name"] == "Camden"
    counted = ask(system, "counts", token, area="Camden", kind="incident", first="2025-03-01").json()["counts"]
    assert sum(row["observed"] for row in counted["rows"] if row["subject"] == "") >= 6
    with desk.house.db.read() as con:
        acts = [row["act"] for row in tables.rows(con, "SELECT act FROM audit ORDER BY seq")]
        assert "made a token for reading" in acts and acts.count("read with a token") == 1
        assert audit.verify(con) is None


def test_a_token_opens_no_page_and_proves_no_act(desk: Callable[..., Any]) -> None:
    token, system = token_of(desk("duty")), desk()
    answer = system.get("/cases", headers={"authorization": f"Bearer {token}"}, follow_redirects=False)
    assert answer.status_code == 303 and "/sign-in" in answer.headers["location"]
    held = api_tokens.holder(desk.house, token, NOW)
    assert held is not None
    with pytest.raises(Exception, match="not proved"):
        assess.grade_case(desk.house, "EWARN-2025-0001", "B", {}, held.actor(NOW), NOW)


def test_what_no_longer_holds_opens_nothing(desk: Callable[..., Any], clock: Any) -> None:
    duty, system = desk("duty"), desk()
    first, second, third = token_of(duty), token_of(duty), token_of(duty, "1")
    assert ask(system, "cases", first).status_code == 200
    token_id = re.search(r'name="token" value="(\w+)"', duty.get("/account").text)
    assert token_id and duty.form("/account", "/account/tokens/end", token=token_id[1]).status_code == 303
    assert sorted(ask(system, "cases", t).status_code for t in (first, second, third)) == [200, 200, 401]
    assert ask(system, "cases", "ewarn_" + "x" * 43).status_code == 401
    refused = ask(system, "cases", "")
    assert (
        refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer" and refused.json()["next_step"]
    )
    clock.on(days=2)
    assert ask(system, "cases", third).status_code == 401, "a token ends by itself"
    signin.revoke(desk.house, "duty", clock.now, Actor("administrator", SECRET.format("administrator")))
    assert {ask(system, "cases", t).status_code for t in (first, second)} == {401}


def test_roles_are_those_of_the_moment_and_the_same_as_at_the_pages(desk: Callable[..., Any]) -> None:
    for view, page in TWINS.items():
        if page != "/":
            assert TABLE["GET", f"/api/v1/{view}"].roles == TABLE["GET", page].roles
    partner, system = desk("partner"), desk()
    token = token_of(partner)
    codes = {view: ask(system, view, token).status_code for view in VIEWS}
    assert codes == {"signals": 403, "cases": 403, "alerts": 200, "sources": 200, "counts": 403, "reports": 403}
    keeper = Actor("administrator", SECRET.format("administrator"))
    read.deactivate_person(desk.house, "partner", NOW, keeper)
    assert ask(system, "alerts", token).status_code == 401
    reporter = desk("reporter")
    assert "Make a token" not in reporter.get("/account").text


def test_a_wrong_name_or_number_of_days_is_told_beside_the_field(desk: Callable[..., Any]) -> None:
    duty = desk("duty")
    for fields, field in (({"token_name": "", "token_days": "30"}, "token_name"),
                          ({"token_name": "A map", "token_days": "9999"}, "token_days")):  # fmt: skip
        answer = duty.form("/account", "/account/tokens", **fields)
        assert answer.status_code == 400 and f'href="#{field}"' in answer.text


def test_a_partner_reads_no_text_that_has_not_left(desk: Callable[..., Any]) -> None:
    duty, panel, system = desk("duty"), desk("panel"), desk()
    here = duty.form("/cases/EWARN-2025-0001", "/cases/EWARN-2025-0001/draft", product="share for information")
    where = here.headers["location"]
    view, partner = where.removeprefix("/"), token_of(desk("partner"))
    assert ask(system, view, partner).status_code == 404, "a draft"
    assert duty.form(where, f"{where}/submit").status_code == 303
    seen = re.search(r'name="hash" value="([0-9a-f]{64})"', panel.get(where).text)
    assert seen and panel.form(where, f"{where}/approve", hash=seen[1], why="read").status_code == 303
    assert ask(system, view, partner).status_code == 404, "approved, and with nobody yet"
    assert ask(system, view, token_of(duty)).json()["desk"]["author"] == "duty"
    assert ask(system, "alerts/EWARN-2025-0001/A9", partner).status_code == 404


def test_who_asks_too_often_is_told_when_to_come_back(desk: Callable[..., Any], clock: Any) -> None:
    token, system = token_of(desk("duty")), desk()
    system.app.state.shop.pace = Pace(at_once=3, per_second=1)
    codes = [ask(system, "sources", token).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert int(ask(system, "sources", token).headers["retry-after"]) >= 1
    clock.on(seconds=5)
    assert ask(system, "sources", token).status_code == 200


def test_the_description_holds_every_view_and_no_page(desk: Callable[..., Any]) -> None:
    told = desk().get("/api/v1/openapi.json").json()
    described = {(method.upper(), path) for path, item in told["paths"].items() for method in item}
    assert described == {(line.method, line.path) for line in LINES if line.path.startswith("/api/")
                         and not line.path.endswith("openapi.json")}  # fmt: skip
    assert told["security"] and "conditions" in told["components"]["schemas"]["SignalsAnswer"]["properties"]


@pytest.mark.parametrize("examples", [3, pytest.param(150, marks=pytest.mark.slow)])
def test_no_question_made_from_the_description_brings_the_api_down(desk: Callable[..., Any], examples: int) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis import checks
    from schemathesis.specs.openapi import checks as openapi_checks

    token, system = token_of(desk("duty")), desk()
    system.app.state.shop.pace = Pace(at_once=1e9)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", system.app)
    asked, headers = set(), {"authorization": f"Bearer {token}"}
    shown = [checks.not_a_server_error, openapi_checks.status_code_conformance, openapi_checks.content_type_conformance,
             openapi_checks.response_schema_conformance]  # fmt: skip
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
        def ask_it(case: Any) -> None:
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=shown, headers=headers)
            asked.add((case.operation.path, answer.status_code))

        ask_it()
    assert len({path for path, _ in asked}) == len(schema.raw_schema["paths"])
    assert not [pair for pair in asked if pair[1] >= 500]
    assert {code for _, code in asked} >= {200, 404}
