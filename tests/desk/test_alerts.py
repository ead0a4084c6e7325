"""A text at the desk: drafted, edited beside its preview, submitted, approved by others, updated and ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.pipeline import assess
from tests.journeys.test_photographs import photograph

CASE = "/cases/EWARN-2025-0001"
HERE = "/alerts/EWARN-2025-0001/A1"
ALERT = "EWARN-2025-0001/A1"
XSS = "<img src=x onerror=alert(1)>"


@pytest.fixture
def drafted(desk: Callable[..., Any]) -> Any:
    duty = desk("duty")
    assert duty.form(CASE, f"{CASE}/draft", product="share for information").headers["location"] == HERE
    return duty


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'<textarea id="edit-(\w+)" name="\w+" rows="\d">(.*?)</textarea>', page, re.S)
    return dict(found)


def test_a_draft_stands_beside_its_preview_in_every_format(drafted: Any) -> None:
    page = drafted.get(HERE).text
    formats = re.findall(r'href="/alerts/EWARN-2025-0001/A1\?format=([\w-]+)&amp;audience=(\w+)', page)
    assert ("text", "professional") in formats and ("email", "professional") in formats and len(formats) >= 5
    for form, audience in formats:
        shown = drafted.get(f"{HERE}?format={form}&audience={audience}")
        assert shown.status_code == 200 and "Open as a file" in shown.text, form
    assert f'href="{HERE}"' in drafted.get("/alerts").text


def test_what_is_edited_is_the_next_version_and_stays_text(drafted: Any, desk: Any) -> None:
    before = fields(drafted.get(HERE).text)
    answer = drafted.form(HERE, f"{HERE}/edit", **(before | {"at_risk": f"People who buy tablets {XSS}."}))
    assert answer.status_code == 303
    page = drafted.get(HERE).text
    assert "version 2" in page and XSS not in page
    same = drafted.form(HERE, f"{HERE}/edit", **{k: v.replace("&#39;", "'") for k, v in fields(page).items()})
    assert same.status_code in (303, 400)


def test_nobody_approves_their_own_text_and_another_hash_is_refused(drafted: Any, desk: Callable[..., Any]) -> None:
    assert drafted.form(HERE, f"{HERE}/submit").status_code == 303
    panel = desk("panel")
    seen = re.search(r'name="hash" value="([0-9a-f]{64})"', panel.get(HERE).text)
    assert seen
    assert drafted.form(HERE, f"{HERE}/approve", hash=seen[1]).status_code == 403
    assert panel.form(HERE, f"{HERE}/approve", hash="0" * 64, why="x").status_code == 403
    assert desk("leeds").form(HERE, f"{HERE}/approve", hash=seen[1], why="x").status_code == 403
    assert assess.show_alert(desk.house, ALERT).status == "review"
    done = panel.form(HERE, f"{HERE}/approve", hash=seen[1], why="read and right")
    assert done.status_code == 303
    assert assess.show_alert(desk.house, ALERT).status == "approved"
    assert "Send what waits now" in panel.get(HERE).text
    assert panel.form(HERE, f"{HERE}/send").status_code == 303


def test_a_file_of_a_format_says_what_it_is(drafted: Any) -> None:
    answer = drafted.get(f"{HERE}/file?format=text&audience=professional")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    assert b"DRAFT" in answer.content or "draft" in answer.headers["content-disposition"].lower()
    assert drafted.get(f"{HERE}/file?format=no-such").status_code in (400, 404)


def test_what_nobody_has_cannot_be_stood_down(drafted: Any) -> None:
    assert "Stand it down" not in drafted.get(HERE).text
    assert drafted.form(HERE, f"{HERE}/stand-down", why="x").status_code == 403


def test_the_panel_puts_a_photograph_into_a_draft_and_others_do_not(drafted: Any, desk: Callable[..., Any]) -> None:
    panel = desk("panel")
    told = {"alt": f"A round blue tablet {XSS}", "scale": "ruler in millimetres"}
    file = {"file": ("tablet.jpg", photograph(), "image/jpeg")}
    assert panel.form(HERE, f"{HERE}/photo", **told).status_code == 400
    token = re.search(r'name="csrf" value="([^"]+)"', panel.get(HERE).text)
    assert token and f'action="{HERE}/photo"' not in drafted.get(HERE).text
    posted = told | {"csrf": token[1]}
    assert panel.post(f"{HERE}/photo", data=posted, files=file, follow_redirects=False).status_code == 303
    page = panel.get(HERE).text
    assert "For professionals only" in page and "A round blue tablet &lt;img" in page and XSS not in page
    shown = panel.get(f"{HERE}/photograph")
    assert shown.headers["content-type"] == "image/jpeg" and shown.content[:3] == b"\xff\xd8\xff"
    assert panel.form(HERE, f"{HERE}/photo-release", why="").status_code == 400
    assert panel.form(HERE, f"{HERE}/photo-release", why="The imprint tells the batch.").status_code == 303
    assert "Released to the public: The imprint" in panel.get(HERE).text
    assert panel.form(HERE, f"{HERE}/photo-remove").status_code == 303
    assert "For professionals only" not in panel.get(HERE).text
    assert panel.get(f"{HERE}/photograph").status_code == 400
