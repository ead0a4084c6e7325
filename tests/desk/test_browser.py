"""The desk in a real browser: by keyboard, read by axe-core, at phone width, asking nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from ewarn.desk.access import LINES, may
from ewarn.pipeline import assess, distribution, reporting, standing
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from ewarn.terms import PersonRole, Recipient
from tests.desk.conftest import NOW, SECRET
from tests.serving import serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}


@pytest.fixture(scope="module")
def engine(chromium: str) -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def address(desk: Any, clock: Any) -> Iterator[str]:
    """The desk served for real on a loopback port."""
    with serving(desk().app) as found:
        yield found


@pytest.fixture
def visit(engine: Any, address: str, desk: Any) -> Iterator[Callable[..., Any]]:
    """A page of a new browser: who is signed in, how wide, with or without script. `page.asked` holds every address."""
    contexts: list[Any] = []

    def opened(person: str = "", width: int = 1200, script: bool = True) -> Any:
        context = engine.new_context(base_url=address, viewport={"width": width, "height": 900},
                                     java_script_enabled=script)  # fmt: skip
        contexts.append(context)
        if person:
            context.add_cookies([{"name": "ewarn", "value": desk(person).cookies["ewarn"], "url": address}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        return page

    yield opened
    for context in contexts:
        context.close()


def faults(page: Any) -> list[str]:
    """What axe-core finds, in words."""
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:3]]}" for v in found]


def pages_of(role: str) -> list[str]:
    """Every page of the table that a role may open, with a real signal in the place of {signal}."""
    roles = frozenset({PersonRole(role)}) if role else None
    plain = ("/health", "/situation.md", "/sign-in/code", "/sign-in/device")
    return [line.path for line in LINES if line.method == "GET" and may(line, roles) and line.path not in plain
            and not line.path.startswith("/api/") and not line.path.endswith(("/file", ".js", ".json"))]  # fmt: skip


REPORT, CASE = "R-2222-2222", "EWARN-2025-0001"
TOLD = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what="Somebody fell.", contact="020 7946 0000")


def filled(path: str, desk: Any) -> str:
    if "{report}" in path:
        reporting.receive(desk.house, TOLD, NOW, ref=REPORT)
    if "{number}" in path and not assess.show_case(desk.house, CASE).alerts:
        assess.draft(desk.house, CASE, "formal alert", Actor("duty", SECRET.format("duty")), NOW)
    if "{recipient}" in path:
        partner = Recipient(id="team0", name="Test team", group="health", areas=("E09000007",), channel="email",
                            address="team0@example.org")  # fmt: skip
        distribution.add(desk.house, [partner], NOW, Actor("coordinator", SECRET.format("coordinator")))
    signal = standing.current(desk.house, NOW).signals[0].id
    words = {"signal": signal, "ref": CASE, "case": CASE, "person": "duty", "report": REPORT, "recipient": "team0",
             "number": "A1"}  # fmt: skip
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: words.get(m[1], "x"), path)


def test_signing_in_with_a_code_and_from_today_to_dismissed_by_keyboard_alone(
    visit: Callable[..., Any], desk: Any, clock: Any
) -> None:
    page = visit()
    page.goto("/")
    assert page.url.endswith("/sign-in?after=%2F")
    keys = page.keyboard
    page.focus("#person")
    keys.type("duty")
    keys.press("Tab")
    keys.type(SECRET.format("duty"))
    keys.press("Enter")
    page.wait_for_url("**/sign-in/device")
    device = page.inner_text("figure code").replace(" ", "")
    page.focus("#code")
    keys.type(pyotp.TOTP(device).at(clock.now))
    keys.press("Enter")
    page.wait_for_selector("ul.codes")
    page.focus("a.button")
    keys.press("Enter")
    page.wait_for_selector("#signals")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "the first stop leads past the menu"
    _tab_to(page, ".card h3 a")
    keys.press("Enter")
    page.wait_for_selector("#why-title")
    _tab_to(page, "details:has(#dismiss-why) summary")
    keys.press("Enter")
    _tab_to(page, "#dismiss-why")
    keys.type("Rung the service: a drill.")
    keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector(".said")
    assert "Dismissed: " in page.inner_text(".said")
    assert {re.sub(r"^(https?://[^/]+).*", r"\1", url) for url in page.asked} == {page.url.rstrip("/")}


def _tab_to(page: Any, selector: str, most: int = 120) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement === document.querySelector(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by the Tab key")


SELDOM = [
    pytest.param(role, marks=pytest.mark.slow)
    for role in ("administrator", "panel", "partner", "coordinator", "reporter")
]


@pytest.mark.parametrize("role", ["duty", "", *SELDOM])
def test_axe_finds_nothing_on_any_page(visit: Callable[..., Any], desk: Any, role: str) -> None:
    page, told = visit(role), {}
    for path in pages_of(role):
        page.goto(filled(path, desk))
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        told[path] = faults(page)
    assert {path: found for path, found in told.items() if found} == {}
    outside = [url for url in page.asked if not url.startswith(page.url.split("/", 3)[0] + "//127.0.0.1")]
    assert outside == []


def test_axe_finds_nothing_where_something_is_wrong_and_finds_what_is_planted(
    visit: Callable[..., Any], desk: Any
) -> None:
    page = visit("duty")
    page.goto(filled("/signals/{signal}", desk))
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.click("button:has-text('Dismiss')")
    page.wait_for_selector(".error-summary")
    assert faults(page) == []
    assert page.title().startswith("Error: ")
    page.goto("/nowhere")
    assert faults(page) == []
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=/assets/mark.svg><input>')")
    assert {fault.split(":")[0] for fault in faults(page)} >= {"image-alt", "label"}


def test_reading_and_deciding_work_without_script_at_phone_width(visit: Callable[..., Any], desk: Any) -> None:
    page = visit("duty", width=360, script=False)
    page.goto(filled("/signals/{signal}", desk))
    page.click("details:has(#hold-days) summary")
    page.fill("#hold-why", "Waiting for the laboratory.")
    page.click("button:has-text('Hold')")
    page.wait_for_selector(".said")
    assert "Held: " in page.inner_text(".said")


@pytest.mark.parametrize("width", [360, pytest.param(1200, marks=pytest.mark.slow)])
def test_no_page_scrolls_sideways(visit: Callable[..., Any], desk: Any, width: int, tmp_path: Path) -> None:
    page = visit("duty", width=width)
    for path in pages_of("duty"):
        page.goto(filled(path, desk))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


HOSTILE_WORDS = (
    "<script>window.ran=1</script>", "<img src=x onerror=window.ran=1>", "\"><svg/onload=window.ran=1>",
    "</textarea><script>window.ran=1</script>", "javascript:window.ran=1", "{{ 7*7 }}<iframe srcdoc='<script>'>",
    "'><details open ontoggle=window.ran=1>", "</title><script>window.ran=1</script>",
)  # fmt: skip


LISTED = ("/reports", "/recipients", "/recipients/team1", "/people")


@pytest.mark.slow
@pytest.mark.parametrize(
    "paths", [("/recipients/team1",), pytest.param(LISTED, marks=pytest.mark.slow)], ids=["one", "all"]
)
def test_reports_recipients_and_people_at_phone_width_with_hostile_words(
    visit: Callable[..., Any], desk: Any, tmp_path: Path, paths: tuple[str, ...]
) -> None:
    words = " ".join(HOSTILE_WORDS)
    told = TOLD.model_copy(update={"what": words, "sold_as": words[:120], "contact": words[:300], "place": words[:200]})
    reporting.receive(desk.house, told, NOW, ref=REPORT)
    partner = Recipient(id="team1", name=words, organisation=words, areas=("E09000007",), channel="email",
                        address="team1@example.org", group=words)  # fmt: skip
    distribution.add(desk.house, [partner], NOW, Actor("coordinator", SECRET.format("coordinator")))
    desk.house.db.publish()
    page = visit("coordinator", width=360)
    met: list[str] = []

    def looked(name: str) -> None:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        met.extend(f"{name}: {fault}" for fault in faults(page))
        met.extend([f"{name}: ran"] if page.evaluate("window.ran") else [])
        met.extend([f"{name}: sideways"] if page.evaluate("document.documentElement.scrollWidth") > 360 else [])
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)

    page.goto(f"/reports/{REPORT}")
    page.click("text=Read what was typed")
    page.fill("#redact-text", f"Ring 020 7946 0000 {words}")
    page.click("text=Others may read this")
    looked("warned")
    page.check("#redact-checked")
    page.click("text=Others may read this")
    page.wait_for_selector(".said")
    page.click("text=See the contact")
    looked("contact")
    for path in paths:
        page.goto(path)
        looked(path.strip("/").replace("/", "-"))
    assert met == []
