"""The reporting form: it gives a reference at once, keeps what was typed, and leaves nothing in the clear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ewarn.personal import shown, told
from tests.answers.running import KEY, alert, pages

CANARY = "Zebedee Quince"
XSS = "<script>alert(1)</script>"
SAID = {"what": f"{CANARY} fell. {XSS}", "origin": "first-hand", "harm": "overdose", "area": "Camden", "persons": "2"}
PHOTO = b"\xff\xd8\xff" + b"GPS of Zebedee" * 100
FORM = shown.ShownForm(standing="exercise", hours="Monday to Friday", out_of_hours="ring 0", areas=("Brent", "Camden"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("answers")
    shown.write(made, shown.body([alert()], {}, "Test service", FORM))
    return made


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[httpx.Client]:
    with pages(folder) as client:
        yield client


@pytest.fixture
def lying(folder: Path) -> Callable[[], list[told.Sent]]:
    """What lies in the spool, asked for at the end; it begins empty."""
    for path in (folder / told.FOLDER).glob("*.report"):
        path.unlink()
    return lambda: [file.sent for file in told.waiting(folder / told.FOLDER, [KEY]) if file.sent]


def ticket(web: httpx.Client) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', web.get("/report").text)
    assert found
    return found[1]


def send(web: httpx.Client, said: dict[str, str], photo: bytes = b"", **headers: str) -> httpx.Response:
    name = "photo.jpg" if photo else ""
    return web.post("/report", data=said, files={"photo": (name, photo)}, headers=headers)


def test_it_says_first_what_to_do_in_danger_and_when_it_is_read(web: httpx.Client, lying: Any) -> None:
    page = web.get("/report").text
    assert page.index("ring 999 first") < page.index("Monday to Friday") < page.index("<form")
    assert "ring 0" in page and "EXERCISE: this form is for practice" in page and "<option>Camden</option>" in page
    assert not re.search(r"<script|https?://|style=|\son\w+=", page) and "set-cookie" not in web.get("/report").headers
    assert lying() == []


def test_the_reference_is_given_at_once_and_the_same_form_twice_is_one_report(
    web: httpx.Client, lying: Any, folder: Path
) -> None:
    said = SAID | {"ticket": ticket(web), "contact": f"{CANARY}, 020 7946 0000", "happened_on": "2025-03-03"}
    first = send(web, said, PHOTO)
    ref = told.REFERENCE.search(first.text)
    assert first.status_code == 200 and ref and "within 48 hours" in first.text
    assert ref[0] in send(web, said, PHOTO).text
    (sent,) = lying()
    assert (sent.ref, sent.told.what, sent.told.area, sent.photo) == (ref[0], SAID["what"], "Camden", PHOTO)
    (file,) = (folder / told.FOLDER).glob("R-*")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [p for p in folder.rglob("*") if p.is_file() and re.search(rb"Zebedee|7946", p.read_bytes())]
    changed = send(web, said | {"what": "Another"}, PHOTO)
    assert ref[0] not in changed.text and len(lying()) == 2, "other words are another report"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"what": ""}, "what"), ({"origin": "x"}, "origin"), ({"happened_on": "soon"}, "happened_on"),
     ({"happened_on": "2999-01-01"}, "happened_on"), ({"persons": "-1"}, "persons"),
     ({"sold_as": "x" * 121}, "sold_as"), ({"website": "https://spam.example"}, "website"),
     ({"ticket": "0" * 40}, "send"), ({"photo": "GIF89a"}, "photo")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(
    web: httpx.Client, lying: Any, wrong: dict[str, str], field: str
) -> None:
    said = SAID | {"ticket": ticket(web), "place": 'By "the" <b>park</b>'} | wrong
    photo = said.pop("photo", "").encode()
    page = send(web, said, photo)
    assert page.status_code == 422 and f'href="#{field}"' in page.text and f'id="{field}"' in page.text
    assert "By &#34;the&#34; &lt;b&gt;park" in page.text and XSS not in page.text
    assert ("Choose the photo again" in page.text) == bool(photo)
    assert re.search(r'value="first-hand" checked', page.text) or field == "origin"
    assert lying() == []


def test_what_another_site_sends_is_refused_and_bodies_are_bounded(web: httpx.Client, lying: Any) -> None:
    said = SAID | {"ticket": ticket(web)}
    assert send(web, said, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert web.post("/report", data=said).status_code == 415
    assert send(web, said, b"\xff\xd8\xff" + b"0" * 10_200_000).status_code == 413
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert web.post("/report", content=b"nothing of the kind", headers=broken).status_code in (400, 422)
    assert web.post("/report/", content=b"x" * 20_000).status_code == 413, "only the form may be large"
    assert lying() == []


def test_reports_of_one_network_are_slowed_down(folder: Path, lying: Any) -> None:
    with pages(folder) as fresh:
        codes = [send(fresh, {"ticket": ""}).status_code for _ in range(32)]
    assert codes == [422] * 30 + [429] * 2


def test_a_ticket_ends_after_a_day_and_is_ours_alone() -> None:
    now = datetime(2025, 3, 4, tzinfo=UTC)
    made = told.ticket([KEY], now)
    assert told.ticket_counts(["other" * 10, KEY], made, now + timedelta(hours=23))
    assert not told.ticket_counts([KEY], made, now + timedelta(hours=25))
    assert not told.ticket_counts(["other" * 10], made, now)
    assert not told.ticket_counts([KEY], made.replace(made[0], "f" if made[0] != "f" else "0"), now)
