"""A desk over a real home: a night in Camden, people of every role, and browsers (of a kind) that sign in as them."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from starlette.testclient import TestClient

from ewarn.desk import create_app
from ewarn.pipeline import read, sessions, standing
from ewarn.pipeline.house import House, open_house
from ewarn.pipeline.receive import intake
from ewarn.pipeline.validate import detect
from ewarn.store.database import Database
from ewarn.terms import Person, PersonRole

NOW = datetime(2025, 3, 4, 2, 10, tzinfo=UTC)
HEADER = "incident_ref,organisation,event_date,event_time,area_code,outcome,setting,suspected_substances\n"
HOSTILE = "<script>alert(1)</script>"
SECRET = "a long secret of {}"


class Clock:
    """The time at the desk; tests move it on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


class Browser(TestClient):
    """A browser without script: it keeps cookies, and sends forms with the token that stands in them."""

    device = ""

    def form(self, page: str, action: str = "", **fields: Any) -> Any:
        """Open a page, fill in its form, send it."""
        shown = self.get(page)
        found = re.search(r'name="csrf" value="([^"]+)"', shown.text)
        assert found, f"no form on {page}: {shown.status_code}"
        files = fields.pop("files", None)
        return self.post(action or page, data={"csrf": found[1], **fields}, files=files, follow_redirects=False)

    def code(self, now: datetime, later: int = 0) -> str:
        return pyotp.TOTP(self.device).at(now + timedelta(seconds=30 * later))

    def sign_in(self, person: str, clock: Clock) -> Browser:
        """Sign in as a new person would: secret, device, first code."""
        first = self.form("/sign-in", person=person, secret=SECRET.format(person))
        assert first.headers["location"] == "/sign-in/device", first.text
        shown = self.get("/sign-in/device").text
        self.device = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)[1].replace(" ", "")  # type: ignore[index]
        done = self.form("/sign-in/device", code=self.code(clock.now))
        assert done.status_code == 200, done.text
        return self


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home in which a night's overdoses in Camden were received and evaluated, and one person of every role."""
    folder = tmp_path_factory.mktemp("desk")
    environ = {"EWARN_STANDING": "test", "EWARN_ISSUER_NAME": "A <b>bold</b> office"}
    opened = open_house(folder / "home", environ=environ, clock=lambda _: NOW)
    file = folder / "night.csv"
    rows = [f"n{n},Outreach,2025-03-03,{17 + n}:30,E09000007,non-fatal,hostel,{HOSTILE}\n" for n in range(6)]
    file.write_text(HEADER + "".join(rows))
    intake(opened, NOW, source="overdose_incidents", file=file)
    detect(opened, NOW)
    people(opened)
    opened.db.publish()
    return opened


def people(house: House) -> None:
    """One person of every role, a second panel member, and one whose area is elsewhere; no administrator at first."""
    areas = ("E12000007",)
    made = {
        role.value: Person(id=role.value, name=f"Test {role.value}", roles=(role,), areas=areas) for role in PersonRole
    }
    leeds = Person(id="leeds", name="Test Leeds", roles=(PersonRole.PANEL, PersonRole.DUTY), areas=("E08000035",))
    keeper = made.pop("administrator")
    for person in (*made.values(), leeds, keeper):
        read.add_person(house, person, SECRET.format(person.id), NOW)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(autouse=True)
def answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not turn these small homes into large ones, whose signals are asked for in the background."""
    monkeypatch.setattr(standing, "AT_ONCE_SECONDS", 600.0)


@pytest.fixture
def desk(night: House, clock: Clock, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """`desk()` is a stranger's browser; `desk("duty")` one that is signed in, with a code given just now.

    Each test has a copy of the home, as `desk.house`.
    """
    home = tmp_path / "home"
    shutil.copytree(night.settings.home, home)
    settings = night.settings.model_copy(update={"home": home, "overlay": home / "content"})
    house = House(settings, night.catalogue, Database(settings))
    house.db.keep_open()
    standing.current(night, NOW)  # asked once for all tests; a copy of the home has the same answer
    standing._HOMES[str(home)] = copy.copy(standing._HOMES[str(night.settings.home)])
    app = create_app(lambda: house, clock)
    opened: list[Browser] = []

    def browser(person: str = "") -> Browser:
        made = Browser(app)
        opened.append(made)
        if person:
            with house.db.write("sign in") as tx:
                made.cookies.set("ewarn", sessions.begin(tx, person, "code", clock.now, clock.now))
        return made

    browser.house = house  # type: ignore[attr-defined]
    yield browser
    for made in opened:
        made.close()
    for _, con in house.db._ready:
        con.close()
