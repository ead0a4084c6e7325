"""Every form of every page sent empty, wrong or refused, in a real browser: the page that comes back is as sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.store import tables
from tests.desk.test_browser import address, engine, faults, filled, pages_of, visit  # noqa: F401
from tests.desk.test_hostile_fields import ALIVE, CORPUS

FORMS = "[...document.querySelectorAll('form[method=post]')].map(form => new URL(form.action).pathname)"
SEND = (
    "(n) => { const form = document.querySelectorAll('form[method=post]')[n]; form.noValidate = true; form.submit() }"
)
FILL = """([n, words]) => { const form = document.querySelectorAll('form[method=post]')[n];
  form.querySelectorAll('textarea, input:not([type]), input[type=text], input[type=search], input[type=email]').forEach(
    field => { field.value = words }); form.noValidate = true; form.submit() }"""
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
ROLES = ["duty", "panel", "coordinator", "administrator", "partner", "reporter"]


def looked(page: Any) -> list[str]:
    page.evaluate(OPEN)
    return faults(page)


def sent(page: Any, where: str, look: Callable[[Any], list[str]], words: str = "") -> dict[str, list[str]]:
    """Each form of a page, sent as it stands or with these words in every field; what is found on what comes back."""
    page.goto(where)
    told = {}
    for number, action in enumerate(page.evaluate(FORMS)):
        if action == "/sign-out" or action.endswith(("sign-out-everywhere", "/pack/file")):
            continue
        page.goto(where)
        if len(page.evaluate(FORMS)) <= number:
            continue  # an earlier form took this one away, such as a hoax that asks for nothing more
        with page.expect_navigation():
            page.evaluate(*((FILL, [number, words]) if words else (SEND, number)))
        told[f"{where} -> {action} ({page.title()})"] = look(page)
    return told


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_nothing_on_what_comes_back_from_any_form(
    visit: Callable[..., Any], desk: Any, role: str  # noqa: F811
) -> None:  # fmt: skip
    page, told = visit(role), {}
    for path in pages_of(role):
        if not path.startswith("/sign-in"):
            told |= sent(page, filled(path, desk), looked)
    assert {where: found for where, found in told.items() if found} == {}
    assert len(told) >= {"reporter": 0, "partner": 1}.get(role, 8), told


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_nothing_typed_into_any_form_comes_to_life_on_what_comes_back(
    visit: Callable[..., Any], desk: Any, role: str  # noqa: F811
) -> None:  # fmt: skip
    page, told, shown = visit(role), {}, []

    def alive(page: Any) -> list[str]:
        shown.append(CORPUS[0] in page.content().replace("&lt;", "<").replace("&gt;", ">"))
        return [*(["ran"] if page.evaluate("() => window.hit") else []), *page.evaluate(ALIVE)[:2]]

    for path in pages_of(role):
        if not path.startswith("/sign-in"):
            told |= sent(page, filled(path, desk), alive, " ".join(CORPUS))
    assert {where: found for where, found in told.items() if found} == {}
    assert any(shown) or role == "reporter", "what was typed is shown again somewhere, as text"


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_nothing_where_a_role_may_not_go_and_where_nothing_is(
    visit: Callable[..., Any], desk: Any, role: str  # noqa: F811
) -> None:  # fmt: skip
    page = visit(role)
    wrong = {"/nowhere", "/cases/EWARN-2025-9999", "/signals/none", "/reports/R-2222-3333", "/alerts/x/A9", "/pack",
             "/people", "/handover", "/recipients/none", "/ask?area=nowhere", "/?area=nowhere&days=x"}  # fmt: skip
    for path in sorted(wrong):
        page.goto(path)
        assert looked(page) == [], path


@pytest.mark.slow
def test_axe_finds_nothing_while_somebody_signs_in_wrongly(visit: Callable[..., Any]) -> None:  # noqa: F811
    page = visit("")
    for person, secret in (("", ""), ("duty", "wrong wrong wrong")):
        page.goto("/sign-in")
        page.fill("#person", person)
        page.fill("[name=secret]", secret)
        page.evaluate("document.querySelectorAll('form').forEach(f => f.noValidate = true)")
        page.click("main button[type=submit]")
        assert looked(page) == [] and page.title().startswith("Error: "), page.title()
    page.fill("#person", "duty")
    page.fill("[name=secret]", "a long secret of duty")
    page.click("main button[type=submit]")
    page.wait_for_url("**/sign-in/device")
    assert looked(page) == []
    page.fill("#code", "000000")
    page.click("main button[type=submit]")
    assert looked(page) == []


def seen_on_record(house: Any, now: Any) -> None:
    """Wait until it is on record that the session is in use: that happens after the answer."""
    for _ in range(200):
        with house.db.read() as con:
            if tables.one(con, "SELECT count(*) FROM desk_session WHERE epoch(seen_at) >= ?", [now.timestamp()]):
                return
        time.sleep(0.05)
    raise AssertionError("nobody wrote down that the session is in use")


def test_a_code_that_is_too_old_asks_for_a_new_one_on_a_sound_page(
    visit: Callable[..., Any], desk: Any, clock: Any  # noqa: F811
) -> None:  # fmt: skip
    page = visit("coordinator")
    for _ in range(2):
        clock.on(minutes=35)
        page.goto("/pack")
        seen_on_record(desk.house, clock.now)
    page.click("text=Download the pack")
    page.wait_for_selector("[name=one_time_code]")
    assert looked(page) == []
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert [fault.split(":")[0] for fault in faults(page)] == ["button-name"]
