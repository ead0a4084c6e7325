"""The pages in a real browser: no accessibility fault, at the width of a telephone, and without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from ewarn.personal import shown
from tests.answers.running import pages
from tests.answers.test_pages import ABOUT, ALERTS, delivery, link

QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
NAMES = ("shared", "older", "withdrawn", "drill")
PATHS = ["/report", *map(link, NAMES), "/a", "/v/LDN-2025-0003", "/v/NONE", "/r/none"]


@pytest.mark.parametrize("paths", [PATHS[:1], pytest.param(PATHS[1:], marks=pytest.mark.slow)], ids=["one", "all"])
def test_a_page_has_no_accessibility_fault_and_works_without_javascript(
    chromium: str, tmp_path: Path, paths: list[str]
) -> None:
    rows = {name: delivery(name, case) for name, case in ABOUT.items()}
    shown.write(tmp_path, shown.body(ALERTS, rows, "Test service"))
    telephone = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}
    with pages(tmp_path) as web, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=QUIET)
        asked: list[str] = []
        looking = browser.new_context(**telephone, bypass_csp=True)
        page = looking.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for path in paths:
            page.goto(f"{web.base_url}{path}")
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.screenshot(path=tmp_path / f"{paths.index(path)}.png", full_page=True)
        page.goto(f"{web.base_url}/report")
        page.get_by_label("Somebody overdosed").check()
        page.get_by_role("button", name="Send the report").click()
        assert page.title().startswith("Please correct: ")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.get_by_label("Somebody overdosed").is_checked()
        page.screenshot(path=tmp_path / "wrong.png", full_page=True)
        assert all(url.startswith(str(web.base_url)) for url in asked)
        plain = browser.new_context(**telephone, java_script_enabled=False)
        page = plain.new_page()
        page.goto(f"{web.base_url}/report")
        page.get_by_label("What happened?").fill("Somebody fell")
        page.get_by_label("I saw it").check()
        page.get_by_label("Photo of the drug").set_input_files(
            {"name": "bag.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n0"}
        )
        page.get_by_role("button", name="Send the report").click()
        assert "Your reference is R-" in page.locator(".stands").inner_text()
        page.screenshot(path=tmp_path / "reported.png", full_page=True)
        page.goto(f"{web.base_url}{link('own')}")
        page.get_by_label("What was done").fill("Told our teams")
        page.get_by_role("button", name="I have read this and done that").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Thank you. Your answer is kept."
        assert plain.cookies() == []
        page.screenshot(path=tmp_path / "thanks.png", full_page=True)
        browser.close()
