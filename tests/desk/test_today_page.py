"""The Today page: what stands, what could not be answered, readable by everybody, with nothing in it that can run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ewarn.desk import create_app
from ewarn.errors import StoreBusy
from ewarn.pipeline.house import House
from tests.desk.conftest import NOW


@pytest.fixture
def client(desk: Any) -> Any:
    return desk("duty")


@pytest.fixture
def page(client: TestClient) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.text


class Structure(HTMLParser):
    """Headings, table headers without scope, pictures without words, ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "th" and "scope" not in held:
            self.faults.append("th without scope")
        if tag == "img" and "alt" not in held:
            self.faults.append("img without alt")
        if tag == "svg" and not (held.get("role") == "img" and held.get("aria-label")):
            self.faults.append("svg without words")
        if "style" in held or any(name.startswith("on") for name in held):
            self.faults.append(f"{tag} with style or handler")
        if tag == "script":
            self.faults.append("script")
        self.ids += [held["id"] or ""] if "id" in held else []
        self.targets += [str(held.get("href"))] if tag == "a" else []


def test_a_cluster_stands_with_its_why_and_its_case(page: str) -> None:
    assert "Camden" in page
    assert re.search(r"<dd>[1-9]\d*</dd>", page)
    assert "No signal stands" not in page
    assert "No case is open" not in page


def test_rules_without_an_answer_stand_apart_from_silence(page: str) -> None:
    assert "That is not the same as no signal." in page
    assert "Silence of a source never means that nothing happened." in page


def test_the_standing_is_on_every_page(page: str, client: TestClient) -> None:
    assert "TEST. Nothing on this page is real." in page
    assert "TEST: nothing below is real." in client.get("/situation.md").text


def test_the_map_has_a_table_twin_with_every_borough(page: str) -> None:
    assert page.count('<g class="hex ') == 33
    table = page[page.index("<caption>The same numbers") :]
    assert table[: table.index("</table>")].count('scope="row"') == 33


def test_the_page_can_be_read_without_seeing_it(page: str) -> None:
    read = Structure(page)
    assert read.faults == []
    assert read.levels[0] == 1 and read.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(read.levels, read.levels[1:], strict=False))
    assert len(read.ids) == len(set(read.ids))
    assert {t[1:] for t in read.targets if t.startswith("#")} <= set(read.ids)
    assert '<html lang="en-GB">' in page


def test_words_of_strangers_are_shown_and_never_run(page: str) -> None:
    assert "<script" not in page
    assert "A &lt;b&gt;bold&lt;/b&gt; office" in page


def test_nothing_comes_from_elsewhere(page: str) -> None:
    assert re.findall(r'(?:src|href)="(?!/|#)', page) == []


@pytest.mark.parametrize("path", ["/", "/health", "/situation.md", "/assets/desk.css", "/nowhere"])
def test_every_answer_carries_the_strict_conditions(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "rebound.example"}).status_code == 400


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_the_page_takes_nothing_in(client: TestClient, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405


def test_health_names_nothing(client: TestClient) -> None:
    assert set(client.get("/health").json()) == {"status", "version"}


def test_a_busy_store_is_said_plainly() -> None:
    def busy() -> House:
        raise StoreBusy("another writer holds the lock", next_step="Wait a moment.")

    answer = TestClient(create_app(busy, lambda: NOW)).get("/")
    assert answer.status_code == 503
    assert "another writer holds the lock" in answer.text and "Traceback" not in answer.text


def test_it_looks_like_nobody_else(page: str) -> None:
    css = (Path(__file__).parents[2] / "ewarn/desk/assets/desk.css").read_text().lower()
    assert not re.search(r"crown|crest|govuk|gov\.uk|nhs|gds transport", (page + css).lower().replace("the nhs", ""))
