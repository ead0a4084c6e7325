"""Who may ask for what: every pair of role and route, from the one table; and forms that did not come from us."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.desk.access import LINES, Line
from ewarn.terms import PersonRole

WORDS = {
    "signal": "0" * 20, "person": "partner", "ref": "EWARN-2025-0001", "number": "A1",
    "report": "R-2222-2222", "recipient": "team1",
}  # fmt: skip
ROLES = [role.value for role in PersonRole]


def address(line: Line) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: WORDS.get(m[1], "x"), line.path)


def token_of(browser: Any) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account").text + browser.get("/sign-in").text)
    assert found
    return found[1]


def ask(browser: Any, line: Line, **form: str) -> int:
    if line.method == "GET":
        answer = browser.get(address(line), follow_redirects=False)
    else:
        answer = browser.post(address(line), data=form, follow_redirects=False)
    status: int = answer.status_code
    return status


# Who decides, and who has not signed in; the others in the long run.
USUAL = ("panel", "")


@pytest.mark.parametrize(
    "role", [role if role in USUAL else pytest.param(role, marks=pytest.mark.slow) for role in (*ROLES, "")]
)
def test_every_forbidden_pair_of_role_and_route_is_refused(desk: Callable[..., Any], role: str) -> None:
    browser = desk(role)
    token, wrong = token_of(browser), []
    for line in LINES:
        allowed = line.roles is None or (bool(role) and PersonRole(role) in line.roles)
        if allowed:
            continue
        status = ask(browser, line, csrf=token)
        signed_out = not role and line.method == "GET"
        if status != (401 if signed_out and line.path.startswith("/api/") else 303 if signed_out else 403):
            wrong.append((line.method, line.path, status))
    assert wrong == []


@pytest.mark.parametrize("role", ["duty", "partner"])
def test_what_the_table_allows_is_let_through(desk: Callable[..., Any], role: str) -> None:
    browser = desk(role)
    pages = [line for line in LINES if line.method == "GET" and line.roles and PersonRole(role) in line.roles]
    assert [(line.path, status) for line in pages if (status := ask(browser, line)) in (403, 500, 503)] == []


def test_nothing_posted_is_looked_at_without_a_token_of_ours(desk: Callable[..., Any]) -> None:
    duty, other = desk("duty"), desk("panel")
    forged = {"none": {}, "made up": {"csrf": "0" * 64}, "another's": {"csrf": token_of(other)}}
    for line in (line for line in LINES if line.method == "POST"):
        for what, form in forged.items():
            answer = duty.post(address(line), data=form, follow_redirects=False)
            assert answer.status_code == 403 and "too old, or did not come" in answer.text, (what, line.path)
    assert duty.get("/account", follow_redirects=False).status_code == 200, "nobody was signed out by a forged form"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}],
)  # fmt: skip
def test_a_form_sent_by_another_site_is_refused(desk: Callable[..., Any], headers: dict[str, str]) -> None:
    duty = desk("duty")
    answer = duty.post("/sign-out", data={"csrf": token_of(duty)}, headers=headers, follow_redirects=False)
    assert answer.status_code == 403 and "another site" in answer.text
    assert duty.get("/account", follow_redirects=False).status_code == 200


def test_a_form_sent_again_after_signing_out_is_refused(desk: Callable[..., Any]) -> None:
    duty = desk("duty")
    token = token_of(duty)
    assert duty.post("/sign-out", data={"csrf": token}, follow_redirects=False).status_code == 303
    assert duty.post("/sign-out", data={"csrf": token}, follow_redirects=False).status_code == 403


def test_too_large_a_body_is_refused_before_it_is_read(desk: Callable[..., Any]) -> None:
    duty = desk("duty")
    assert duty.post("/sign-out", content=b"x" * (7 * 1024 * 1024)).status_code == 413

    def drip() -> Any:
        for _ in range(70):
            yield b"x" * 102_400

    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert duty.post("/sign-out", content=drip(), headers=kind).status_code == 413


def test_cookies_cannot_be_read_by_script_or_sent_by_other_sites(desk: Callable[..., Any]) -> None:
    browser = desk()
    said = browser.form("/sign-in", person="duty", secret="a long secret of duty").headers.get_list("set-cookie")
    assert said and all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in said)
