"""The situation report as a page, and the offline pack: complete, marked, safe to open, and free of reporters."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import Refused
from ewarn.pipeline import packing, read, reporting
from ewarn.report import Told
from ewarn.terms import Recipient
from tests.desk.conftest import HOSTILE, NOW

CASE = "EWARN-2025-0001"
FORMULA = "=HYPERLINK(1)"


def staffed(desk: Any) -> None:
    """A rota, a partner with an out-of-hours contact and a hostile name; a report with a contact."""
    wanted = [
        Recipient(id="first", name="First on call", group="duty", audience="internal", areas=("E12000007",),
                  channel="duty-email", address="first@example.org", rota_order=1),
        Recipient(id="clinic", name=f"{FORMULA} clinic {HOSTILE}", group="health", areas=("E09000007",),
                  channel="email", address="clinic@example.org", hours="working", night_channel="email",
                  night_address="night@example.org"),
    ]  # fmt: skip
    with desk.house.db.write("recipients") as tx:
        from ewarn.store import recipients

        for one in wanted:
            recipients.save(tx, one, NOW, "ewarn")
    told = Told(area="Camden", origin="first-hand", what="Secret words typed", contact="reporter@example.net")
    reporting.receive(desk.house, told, NOW)
    desk.house.db.publish()


def unpacked(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name.removeprefix("ewarn-pack/"): archive.read(name).decode() for name in archive.namelist()}


def test_the_situation_is_a_page_with_a_heading_for_every_part(desk: Callable[..., Any]) -> None:
    shown = desk("duty").get("/situation").text
    for part in ("Open cases", "Signals", "Not evaluable", "Sources", "Deliveries"):
        assert f"<h2>{part}" in shown
    assert CASE in shown and "TEST: nothing below is real." in shown and "**" not in shown and HOSTILE not in shown


def test_the_coordinator_takes_a_pack_that_holds_everything_and_no_reporter(desk: Callable[..., Any]) -> None:
    staffed(desk)
    coordinator = desk("coordinator")
    answer = coordinator.form("/pack", "/pack/file")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    files = unpacked(answer.content)
    pages = {name: text for name, text in files.items() if name.endswith(".html")}
    assert set(pages) == {"index.html", "cases.html", "alerts.html", "contacts.html", "texts.html", "advice.html",
                          "situation.html", "by-hand.html"}  # fmt: skip
    for name, text in pages.items():
        assert "TLP:AMBER+STRICT" in text and "4 March 2025, 02:10 GMT+00:00" in text and "TEST" in text, name
        assert "<script" not in text and "http" not in text.split("</header>")[0], name
    assert CASE in files["cases.html"] and "night@example.org" in files["contacts.html"]
    assert "[HEADLINE" in files["texts.html"] and "NOT APPROVED" in files["texts.html"]
    for product in ("formal alert", "share for information", "request for corroboration", "stand-down", "withdrawal"):
        assert f"{product}, professional, text" in files["texts.html"], product
    assert "2099" not in files["texts.html"] and "999" in files["advice.html"]
    everything = " ".join(files.values())
    assert "reporter@example.net" not in everything and "Secret words" not in everything
    assert not [name for name, text in pages.items() if HOSTILE in text]


def test_no_cell_of_a_sheet_is_a_formula(desk: Callable[..., Any]) -> None:
    staffed(desk)
    _, body = packing.pack(desk.house, NOW, desk("administrator") and _proof(desk, "administrator"))
    for name, text in unpacked(body).items():
        if name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
            assert len(rows) > 1 and not [c for row in rows for c in row if c[:1] in tuple("=+-@")], name


def _proof(desk: Any, person: str) -> Any:
    from ewarn.pipeline.reports import Actor
    from tests.desk.conftest import SECRET

    return Actor(person, SECRET.format(person))


def test_who_keeps_no_contacts_takes_none(desk: Callable[..., Any]) -> None:
    assert desk("duty").get("/pack").status_code == 403
    for proof in (None, _proof(desk, "duty")):
        with pytest.raises(Refused):
            packing.pack(desk.house, NOW, proof)
    assert read.list_recipients(desk.house) == []


def test_the_pack_opens_from_a_folder_without_a_network(
    desk: Callable[..., Any], tmp_path: Path, chromium: str
) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    staffed(desk)
    _, body = packing.pack(desk.house, NOW, _proof(desk, "coordinator"))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "ewarn-pack"
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=arguments)
        context = browser.new_context(offline=True, viewport={"width": 360, "height": 800})
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "index.html").as_uri())
        wrong: dict[str, Any] = {}
        for name in [str(link.get_attribute("href")) for link in page.query_selector_all("main a")]:
            if not name.endswith(".html"):
                assert (folder / name).is_file()
                continue
            page.goto((folder / name).as_uri())
            found = axe.Axe().run(page).response["violations"]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if found or wide > 360:
                wrong[name] = ([v["id"] for v in found], wide)
        browser.close()
    assert wrong == {} and len(asked) >= 8 and {url.split(":")[0] for url in asked} == {"file"}
