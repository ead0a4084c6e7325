"""The public pages: only a pressed button answers, a link is its own proof, and nobody learns what is not theirs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ewarn.answers.limits import Limit, network
from ewarn.personal import shown, spool, tokens
from tests.answers.running import KEY, alert, pages

UNTIL = date(2998, 1, 1)
TWO = [{"version": 1, "dated": "2025-03-03", "kind": "alert"}, {"version": 2, "dated": "2025-03-04", "kind": "update"}]
ALERTS = [
    alert(),
    alert("LDN-2025-0002/A1", versions=TWO),
    alert("LDN-2025-0003/A1", state=shown.WITHDRAWN, versions=TWO, marking="TLP:RED"),
    alert("LDN-2025-0004/A1", state=shown.STOOD_DOWN, versions=TWO),
    alert("LDN-2025-0005/A1", expires_on="2025-04-01"),
    alert("LDN-2025-0006/A1", standing="exercise"),
    alert("LDN-2025-0007/A1", state=shown.GOING_OUT),
]
ABOUT = {"shared": 1, "own": 1, "late": 1, "older": 2, "withdrawn": 3, "down": 4, "over": 5, "drill": 6, "many": 1}


def delivery(name: str, case: int) -> shown.ShownDelivery:
    until = datetime.now(UTC).date() - timedelta(days=2) if name == "late" else UNTIL
    mark = tokens.code_mark(KEY, tokens.code(KEY, name))
    about = {"alert": f"LDN-2025-000{case}/A1", "version": 1, "until": until, "shared": name == "shared"}
    return shown.ShownDelivery.model_validate(about | {"codes": (mark,)})


def link(name: str, until: date = UNTIL, key: str = KEY) -> str:
    return f"/r/{tokens.token([key], name, until)}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("answers")
    rows = {name: delivery(name, case) for name, case in ABOUT.items()}
    assert shown.write(made, shown.body(ALERTS, rows, "Test service"))
    (made / "feeds").mkdir()
    (made / "feeds" / ".well-known").mkdir()
    for name in ("alerts.json", ".hidden.json", ".well-known/ewarn-keys.json"):
        (made / "feeds" / name).write_text("{}")
    return made


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[httpx.Client]:
    with pages(folder, public=folder / "feeds") as client:
        yield client


@pytest.fixture
def lying(folder: Path) -> Iterator[list[spool.Answer]]:
    """What lies in the spool, asked for at the end; it begins empty."""
    for path in (folder / "spool").glob("*.json"):
        path.unlink()
    yield lambda: [file.answer for file in spool.waiting(folder / "spool", [KEY])]  # type: ignore[misc]


def test_looking_at_a_page_answers_nothing(web: httpx.Client, lying) -> None:
    for method in ("GET", "HEAD"):
        assert web.request(method, link("own"), headers={"Purpose": "prefetch"}).status_code == 200
    assert web.request("OPTIONS", link("own")).status_code == 405
    assert lying() == []


def test_a_button_answers_once_however_often_it_is_pressed(web: httpx.Client, lying) -> None:
    for _ in range(3):
        assert "Your answer is kept" in web.post(link("own"), data={"act": "read"}).text
    (answer,) = lying()
    assert (answer.delivery, answer.act, answer.name, answer.forwarded) == ("own", "read", "", False)


def test_what_was_done_is_taken_as_written_and_shown_escaped(web: httpx.Client, lying) -> None:
    said = {
        "act": "acted",
        "text": "Told <script>alert(1)</script>\r\n\x07\u202eteams",
        "name": " A\nB ",
        "forwarded": "yes",
    }
    page = web.post(link("own"), data=said).text
    assert "<script" not in page and "&lt;script&gt;" in page
    (answer,) = lying()
    assert answer.text == "Told <script>alert(1)</script>\nteams" and answer.name == "A B" and answer.forwarded


def test_a_shared_mailbox_says_who_answers(web: httpx.Client, lying) -> None:
    page = web.post(link("shared"), data={"act": "read", "name": "Ann"})
    assert page.status_code == 422 and "your organisation: several people" in page.text and 'value="Ann"' in page.text
    assert lying() == []
    for name in ("Ann", "Bob"):
        assert web.post(link("shared"), data={"act": "read", "name": name, "organisation": "Clinic"}).is_success
    assert sorted(a.name for a in lying()) == ["Ann", "Bob"]


@pytest.mark.parametrize(
    "said", [{"name": "Ann"}, {"act": "delete"}, {"act": "acted"}, {"act": "read", "text": "x" * 2001}]
)
def test_what_is_not_an_answer_is_given_back(web: httpx.Client, lying, said: dict[str, str]) -> None:
    assert web.post(link("own"), data=said).status_code == 422
    assert lying() == []


def test_every_link_that_does_not_count_looks_the_same(web: httpx.Client, lying) -> None:
    good = link("own")
    late = delivery("late", 1).until
    bad = [
        good[:-3] + "AAA", link("own", key="x" * 64), link("nobody"), link("late", late), "/r/x", "/r/" + "a" * 900,
        f"/r/own.29980101.{'A' * 43}",
    ]  # fmt: skip
    shown_pages = {(web.get(path).status_code, web.get(path).text) for path in bad}
    assert len(shown_pages) == 1 and next(iter(shown_pages))[0] == 404
    assert {web.post(path, data={"act": "read"}).status_code for path in bad} == {404}
    assert lying() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("older", "Version 2 of 4 March 2025 took its place and is in force"),
        ("withdrawn", "This alert was withdrawn on 4 March 2025"),
        ("down", "This alert was stood down on 4 March 2025"),
        ("over", "This alert ended on 1 April 2025"),
        ("drill", "EXERCISE: not a real event"),
    ],
)
def test_a_page_says_how_the_alert_stands_now_and_still_takes_the_answer(
    web: httpx.Client, lying, name: str, words: str
) -> None:
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", web.get(link(name)).text))
    assert words in page.replace(" .", ".") and "Harm" in page
    assert words.split()[0] in web.post(link(name), data={"act": "read"}).text
    assert len(lying()) == 1


def test_a_code_typed_in_leads_to_its_page(web: httpx.Client) -> None:
    typed = tokens.code(KEY, "own").lower().replace("-", " ")
    answer = web.post("/a", data={"code": typed})
    assert answer.status_code == 303 and web.get(f"/{answer.headers['location']}").status_code == 200
    for wrong in ("", "zzzzz-zzzzz", tokens.code(KEY, "late"), "<b>"):
        page = web.post("/a", data={"code": wrong})
        assert page.status_code == 422 and "That code does not work" in page.text and "<b>" not in page.text


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (1, "Genuine, and in force."),
        (2, "Genuine, and in force: updated, use version 2 of 4 March 2025. Every earlier version is out of date."),
        (3, "Withdrawn: do not use it."),
        (4, "Genuine, and stood down"),
        (5, "Genuine, and ended"),
        (6, "EXERCISE: not a real event. Do not act on it."),
        (7, "Genuine. It is going out now."),
    ],
)
def test_anybody_sees_whether_an_alert_is_genuine_and_stands_and_nothing_else(
    web: httpx.Client, case: int, words: str
) -> None:
    page = web.get(f"/v/LDN-2025-000{case}")
    assert page.status_code == 200 and words in page.text
    assert "Test service" in page.text and "3 March 2025" in page.text
    assert "Harm" not in page.text and "TLP" not in page.text and "Camden" not in page.text


def test_an_unknown_reference_is_said_to_be_unknown(web: httpx.Client) -> None:
    page = web.get("/v/LDN-2025-0999")
    assert page.status_code == 404 and "we know of no alert" in page.text
    assert "we know of no alert" in web.get("/v", params={"reference": "<i>x</i>"}).text
    assert "<I>" not in web.get("/v", params={"reference": "<i>x</i>"}).text
    assert web.get("/v", params={"reference": "ldn-2025-0001"}).status_code == 200


@pytest.mark.parametrize("path", [link("own"), "/a", "/v", "/v/LDN-2025-0001", "/r/none", "/nothing/here"])
def test_a_page_runs_no_script_sets_no_cookie_and_fetches_nothing_elsewhere(web: httpx.Client, path: str) -> None:
    page = web.get(path)
    assert "set-cookie" not in page.headers and page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert page.headers["referrer-policy"] == "no-referrer" and page.headers["x-frame-options"] == "DENY"
    assert "server" not in page.headers
    assert not re.search(r"<script|<img|<iframe|https?://|style=|javascript:|\son\w+=", page.text)
    (style,) = re.findall(r'href="([^"]+\.css)"', page.text)
    assert web.get(str(httpx.URL(f"http://h{path}").join(style).path)).headers["content-type"].startswith("text/css")


def test_a_body_is_bounded_and_must_be_a_form(web: httpx.Client, lying) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert web.post(link("own"), content=b"text=" + b"a" * 20_000, headers=form).status_code == 413
    assert web.post(link("own"), content=iter([b"a" * 9_000] * 3), headers=form).status_code == 413
    assert web.post(link("own"), json={"act": "read"}).status_code == 415
    assert web.post(link("own"), content=b"&".join(b"a=1" for _ in range(50)), headers=form).status_code == 400
    assert web.post(link("own"), content=b"act=%ff", headers=form).status_code == 400
    assert lying() == []


def test_answers_to_one_link_are_slowed_down(web: httpx.Client, lying) -> None:
    seen = [web.post(link("many"), data={"act": "read"}) for _ in range(22)]
    assert [page.status_code for page in seen[:20]] == [200] * 20
    assert {page.status_code for page in seen[20:]} == {429} and seen[-1].headers["retry-after"] == "3600"


def test_published_files_are_served_as_they_lie_and_nothing_beside_them(web: httpx.Client) -> None:
    assert web.get("/alerts.json").text == web.get("/.well-known/ewarn-keys.json").text == "{}"
    assert web.post("/alerts.json").status_code == 405
    for path in (
        "/../shown.json",
        "/%2e%2e/shown.json",
        "/",
        "/shown.json",
        "/spool/",
        "/.hidden.json",
        "/.well-known",
    ):
        assert web.get(path).status_code == 404


def test_the_service_holds_no_database_and_loads_no_pipeline(web: httpx.Client, folder: Path) -> None:
    process = web.headers["X-Process"]
    held = [str(path.readlink()) for path in Path(f"/proc/{process}/fd").iterdir() if path.exists()]
    assert not [name for name in held if "duckdb" in name]
    never = {"duckdb", "polars", "apprise", "fastapi", "ewarn.pipeline", "ewarn.store", "ewarn.settings"}
    words = f"import sys, ewarn.answers.__main__; print(*({never!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_limit_counts_each_name_apart_and_forgets_in_time_and_holds_no_name() -> None:
    limit = Limit(2, 60)
    assert [limit.allows("203.0.113.9", at) for at in (0, 1, 2, 61)] == [True, True, False, True]
    assert limit.allows("203.0.113.10", 2)
    assert "203.0.113" not in repr(vars(limit))
    assert network("2001:db8::1") == network("2001:db8::2") != network("2001:db8:0:1::1")
    many = Limit(1, 60)
    for number in range(60_000):
        many.allows(str(number), 0)
    assert len(many._held) == 50_000
