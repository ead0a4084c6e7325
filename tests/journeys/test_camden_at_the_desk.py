"""The whole way in a real browser: a file dropped, a signal on Today, a case graded, a text drafted, edited, submitted,
approved by two others, sent over a real mail server, acknowledged at the partner's own link, updated and stood down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from ewarn.desk import create_app
from ewarn.pipeline import api_tokens, collecting, read, sessions, standing
from ewarn.pipeline.house import House
from ewarn.pipeline.receive import intake
from ewarn.terms import LONDON, Person, PersonRole
from tests.answers.running import pages
from tests.journeys.conftest import table, words_of
from tests.journeys.test_answers_come_back import own_key
from tests.journeys.test_personal_links import SERVICE, own
from tests.serving import serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")

CASE = f"LDN-{datetime.now(LONDON).year}-0001"
ALERT = f"/alerts/{CASE}/A1"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Hand:
    """Somebody at a browser: with a mouse, or by the keyboard alone; with axe-core looking on where there is script."""

    def __init__(self, page: Any, keyboard: bool, read: bool) -> None:
        self.page, self.keyboard, self.read = page, keyboard, read
        self.wrong: list[str] = []

    def reach(self, selector: str) -> None:
        """Press Tab until it has the focus."""
        for _ in range(250):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(s) => document.activeElement === document.querySelector(s)", selector):
                return
        raise AssertionError(f"{selector} is not reached by the Tab key on {self.page.url}")

    def press(self, selector: str) -> None:
        if self.keyboard:
            self.reach(selector)
            self.page.keyboard.press("Enter")
        else:
            self.page.click(selector)

    def fill(self, selector: str, words: str) -> None:
        if self.keyboard:
            self.reach(selector)
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(words)
        else:
            self.page.fill(selector, words)

    def form(self, act: str) -> str:
        """Open an act's form where it is closed. Returns its selector."""
        if not self.page.locator(f"details#{act}[open]").count():
            self.press(f"details#{act} > summary")
        return f"details#{act}[open]"

    def send(self, act: str) -> None:
        """Send an act's form; the page says that it is done."""
        self.press(f"details#{act} button[type=submit]")
        self.page.wait_for_selector(".said, .error-summary, h1")
        assert not self.page.locator(".error-summary").count(), self.page.inner_text(".error-summary")

    def look(self) -> None:
        """What axe-core finds on the page as it is, every part open; and whether it scrolls sideways."""
        if self.read:
            self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            rules = {"runOnly": {"type": "tag", "values": TAGS}}
            for found in axe.Axe().run(self.page, options=rules).response["violations"]:
                self.wrong.append(f"{self.page.url}: {found['id']}: {[n['target'] for n in found['nodes'][:2]]}")
            if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                self.wrong.append(f"{self.page.url}: scrolls sideways")
            self.page.goto(self.page.url)


@pytest.fixture
def house(corridor: Any, monkeypatch: pytest.MonkeyPatch) -> House:
    """A home with an answer service, five who act and their partners, and one laboratory hit dropped as a file."""
    monkeypatch.setattr(standing, "AT_ONCE_SECONDS", 600.0)
    now, config = datetime.now(UTC), corridor.home / "ewarn.toml"
    config.write_text(f'public_url = "{SERVICE}"\n{config.read_text()}')
    corridor.staff(now - timedelta(days=1))
    opened: House = corridor.house(now)
    partner = Person(id="partner", name="Test partner", roles=(PersonRole.PARTNER,), areas=("E09000007",))
    read.add_person(opened, partner, "a secret for partner", now)
    day = (now - timedelta(days=1)).astimezone(LONDON).date().isoformat()
    row = {"sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking", "date_sampled": day,
           "date_reported": day, "area_code": "E09000007", "sold_as": "diazepam", "major": "metonitazene",
           "test_type": "confirmatory", "status": ""}  # fmt: skip
    folder = opened.settings.drops / "test_results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.csv").write_bytes(table([row]))
    assert intake(opened, now, "test_results").sources[0].records == 1
    corridor.turn(now)
    opened.db.publish()
    return opened


@pytest.fixture
def served(house: House) -> Iterator[str]:
    with serving(create_app(lambda: house, lambda: datetime.now(UTC))) as address:
        yield address


def hands(engine: Any, house: House, address: str, width: int, script: bool, keyboard: bool) -> dict[str, Hand]:
    """A browser for everybody who acts, each signed in with a code given just now."""
    made = {}
    for person in ("duty", "ann", "ben"):
        context = engine.new_context(
            base_url=address, viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        with house.db.write("sign in") as tx:
            now = datetime.now(UTC)
            token = sessions.begin(tx, person, "code", now, now)
        context.add_cookies([{"name": "ewarn", "value": token, "url": address}])
        page = context.new_page()
        page.set_default_timeout(90_000)
        made[person] = Hand(page, keyboard, script)
    return made


def approved_and_sent(who: dict[str, Hand], status: str) -> None:
    """Submitted by its author, approved by two others, sent."""
    duty = who["duty"]
    duty.form("submit")
    duty.send("submit")
    for person in ("ann", "ben"):
        other = who[person]
        other.page.goto(ALERT)
        if person == "ann":
            other.look()
        other.form("approve")
        other.fill("#approve-why", "Read and right (exercise).")
        other.send("approve")
    duty.page.goto(ALERT)
    duty.form("send")
    duty.send("send")
    assert re.search(rf"\b{status}\b", duty.page.inner_text("h1 + p")), duty.page.inner_text("main")[:600]


def to_the_draft(duty: Hand) -> None:
    """From Today over the case to a text that was edited."""
    duty.page.goto("/")
    assert "Camden" in duty.page.inner_text("#signals, main")
    duty.look()
    duty.press(f'a[href="/cases/{CASE}"]')
    duty.page.wait_for_url(f"**/cases/{CASE}")
    duty.look()
    duty.form("grade")
    for area in [str(a.get_attribute("id")) for a in duty.page.query_selector_all("details#grade textarea")]:
        duty.fill(f"#{area}", "Not known at this hour.")
    radio = "details#grade input[type=radio]"
    if duty.keyboard:
        duty.reach(radio)
        duty.page.keyboard.press("Space")
    else:
        duty.page.check(radio + " >> nth=0")
    duty.send("grade")
    duty.form("draft")
    assert duty.page.input_value("#draft-product") == "formal alert"
    duty.send("draft")
    duty.page.wait_for_url(f"**{ALERT}")
    duty.look()
    duty.form("edit")
    duty.fill("#edit-at_risk", "People in Camden who buy tablets sold as diazepam.")
    duty.send("edit")
    assert "version 2" in duty.page.inner_text("h1 + p")


def acknowledged(corridor: Any, house: House, engine: Any, duty: Hand) -> None:
    """The partner opens the link of the mail, and says so; the desk sees it."""
    mail = next(m for m in corridor.mailbox.messages if m["To"] == "clinic@example.org")
    link = own(words_of(mail)).link.removeprefix(SERVICE)
    now = datetime.now(UTC)
    with pages(collecting.folder(house), own_key(corridor, now)) as web:
        page = engine.new_page(base_url=str(web.base_url))
        page.goto(link)
        assert "etonitazene" in page.inner_text("main")
        page.fill("#name", "A. Partner")
        page.fill("#organisation", "Test clinic")
        page.click("#act")
        page.wait_for_selector("h1")
        page.close()
    assert collecting.collect(house, now).taken == 1
    house.db.publish()
    duty.page.goto(ALERT)
    row = duty.page.locator("table", has_text="Who received, read and acted").locator("tr", has_text="Test clinic")
    assert re.search(r"\bread\b", row.inner_text()), row.inner_text()
    duty.look()


def partner_reads(house: House, engine: Any, address: str, hash_: str) -> None:
    """A partner's system reads the same alert, and nothing behind it."""
    from ewarn.pipeline.reports import Actor

    now = datetime.now(UTC)
    made = api_tokens.make(house, "A partner's system", 1, Actor("partner", "a secret for partner"), now)
    context = engine.new_context(base_url=address, extra_http_headers={"Authorization": f"Bearer {made.token}"})
    told = context.request.get(f"/api/v1{ALERT}").json()
    assert told["hash"] == hash_ and told["desk"] is None and "duty" not in str({**told, "text": ""})
    listed = context.request.get("/api/v1/alerts").json()
    assert [one["version"] for one in listed["alerts"]] == [told["version"]] and listed["marking"].startswith("TLP:")
    assert context.request.get("/api/v1/cases").status == 403
    context.close()


def way(
    corridor: Any,
    house: House,
    served: str,
    chromium: str,
    width: int,
    script: bool,
    keyboard: bool,
    short: bool = False,
) -> None:
    with playwright.sync_playwright() as running:
        engine = running.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        who = hands(engine, house, served, width, script, keyboard)
        for hand in who.values():
            hand.read = script and not short
        duty = who["duty"]
        to_the_draft(duty)
        approved_and_sent(who, "issued")
        assert [m["To"] for m in corridor.mailbox.messages] == ["clinic@example.org"]
        hashed = re.search(r"\b[0-9a-f]{64}\b", duty.page.inner_text("dl.summary"))
        assert hashed
        partner_reads(house, engine, served, hashed[0])
        acknowledged(corridor, house, engine, duty)
        if not short:
            duty.form("edit")
            duty.fill("#edit-headline", "Metonitazene in tablets sold as diazepam, Camden: still found")
            duty.send("edit")
            approved_and_sent(who, "issued")
        duty.form("stand-down")
        duty.fill("#stand-down-why", "No more of them were found for a week.")
        duty.send("stand-down")
        approved_and_sent(who, "stood-down|stood down")
        subjects = [str(m["Subject"]).replace("\n", "") for m in corridor.mailbox.messages]
        assert len(subjects) == (2 if short else 3) and all("EXERCISE" in s for s in subjects), subjects
        assert short or "UPDATE" in subjects[1]
        asked = {urlsplit(hand.page.url).netloc for hand in who.values()}
        assert [hand.wrong for hand in who.values()] == [[], [], []] and len(asked) == 1
        engine.close()


def test_the_whole_way_from_a_dropped_file_to_the_stand_down(
    corridor: Any, house: House, served: str, chromium: str
) -> None:
    way(corridor, house, served, chromium, 1200, True, False, short=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "script", "keyboard"), [(1200, True, True), (1200, False, False), (360, True, False)]
)
def test_the_whole_way_by_keyboard_without_script_and_at_phone_width(
    corridor: Any, house: House, served: str, chromium: str, width: int, script: bool, keyboard: bool
) -> None:
    way(corridor, house, served, chromium, width, script, keyboard)
