"""What programs get: files that follow an alert's life, signed, for each audience what it may see and nothing else."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree

from ewarn.cli.app import run
from ewarn.dispatch import xmlsig
from ewarn.dispatch.send import Outcome
from ewarn.errors import Refused, UnusableInput, UsageFault
from ewarn.pipeline import assess, keywatch, printing, publishing, read, regional, respond, signing, verifying, versions
from ewarn.pipeline.leaving import Leaving, Proven
from ewarn.store import alerts, cases, operator_notices, outbox
from ewarn.terms import Recipient
from tests.journeys.conftest import TOML, Corridor, _Mailbox, at
from tests.journeys.test_alert_lives_on import ALERT, CASE, ROW, agree

NOW = at("2025-05-19")
ATOM = "{http://www.w3.org/2005/Atom}"
BARE = TOML.replace(
    'smtp_from = "ewarn@example.org"', 'smtp_from = "ewarn@example.org"\npublic_url = "https://a.example.org"'
)


@dataclass
class Public:
    """A house whose one source is for everybody, with a case, staff, a webhook for each audience, and a key."""

    corridor: Corridor
    folder: Path

    def house(self, now: Any = NOW) -> Any:
        return self.corridor.house(now)

    def atom(self, audience: str = "public") -> Any:
        return feedparser.parse(io.BytesIO((self.folder / audience / "alerts.atom").read_bytes()))

    def items(self, audience: str = "public") -> Any:
        return json.loads((self.folder / audience / "alerts.json").read_text())["items"]

    def cap(self, version: int = 1, audience: str = "public") -> bytes:
        return (self.folder / audience / "alerts" / f"LDN-2025-0001.A1.v{version}.{audience}.cap.xml").read_bytes()


def prepare() -> Path:
    """A home whose one source is for everybody, with staff and one case; each test begins with a copy."""
    home = Path(tempfile.mkdtemp())
    made = Corridor(home, None, _Mailbox())
    overlay = home / "content" / "sources" / "drops"
    overlay.mkdir(parents=True)
    drop = Path(__file__).resolve().parents[2] / "sources" / "drops" / "test_results.toml"
    (overlay / "test_results.toml").write_text(drop.read_text().replace('"TLP:AMBER"', '"TLP:CLEAR"'))
    (home / "ewarn.toml").write_text(BARE)
    made.staff(NOW)
    made.drop("test_results", [ROW], NOW)
    made.detect(NOW)
    with made.house(NOW).db.write("test") as tx:
        tx.execute("DELETE FROM delivery")
    return home


def prepare_issued(drafted: Path) -> Path:
    """The same with a signing key, and an alert that everybody has."""
    home = Path(tempfile.mkdtemp())
    shutil.copytree(drafted, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock"))
    made = Corridor(home, None, _Mailbox())
    signing.make(made.house(NOW), NOW)
    made.issue(CASE, NOW)
    arrive(made.house(NOW), NOW)
    return home


def arrive(house: Any, now: Any) -> None:
    """Everything queued has reached everybody, as the sender enters it."""
    with house.db.write("test") as tx:
        leaving = Leaving(tx, house, now, Proven())
        leaving.settled([(one.delivery, Outcome(ok=True)) for one in leaving.claimed(outbox.due(tx, now))])
    publishing.write(house, now)


@pytest.fixture(scope="module")
def homes() -> Iterator[dict[str, Path]]:
    drafted = prepare()
    made = {"drafted": drafted, "issued": prepare_issued(drafted)}
    yield made
    for home in made.values():
        shutil.rmtree(home)


def opened(corridor: Any, home: Path) -> Public:
    kept = {name: (corridor.home / name).read_bytes() for name in ("smtp", "webhook", "duty")}
    shutil.copytree(home, corridor.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock"))
    for name, body in kept.items():
        (corridor.home / name).write_bytes(body)
    return Public(corridor, corridor.home / "published-alerts" / "exercise")


@pytest.fixture
def drafted(corridor: Any, homes: dict[str, Path]) -> Public:
    return opened(corridor, homes["drafted"])


@pytest.fixture
def public(corridor: Any, homes: dict[str, Path]) -> Public:
    return opened(corridor, homes["issued"])


def test_an_issued_alert_is_published_signed_and_verified_by_the_published_key(public: Public, tmp_path: Path) -> None:
    assert len(public.atom().entries) == len(public.items()) == 1
    house, keys = public.house(), public.folder / "public" / ".well-known" / "ewarn-keys.json"
    assert b"PRIVATE" not in keys.read_bytes() and b"signing-" not in keys.read_bytes()
    with house.db.read() as con:
        stored = {p.audience: p.body for p in alerts.payloads(con, ALERT, 1) if p.format == "cap"}
    for audience in ("public", "professional"):
        body = public.cap(audience=audience)
        assert xmlsig.unsigned(body) == stored[audience], "the approved bytes, with the signature taken out"
        assert signing.check_with(keys.read_bytes(), body).state == signing.check(house, body).state == "genuine"
    file = tmp_path / "a.xml"
    file.write_bytes(public.cap())
    assert run(["verify", str(file), "--keys", str(keys)]) == 0
    file.write_bytes(public.cap().replace(b"Camden", b"Croydon", 1))
    assert run(["verify", str(file), "--keys", str(keys)]) == 6
    before = public.cap()
    publishing.write(public.house(), NOW + timedelta(hours=1))
    assert public.cap() == before, "signed once: the same bytes for ever"


@pytest.mark.parametrize(
    "kind",
    [pytest.param("update", marks=pytest.mark.slow), pytest.param("stood down", marks=pytest.mark.slow), "withdrawn"],
)
def test_feeds_follow_the_life_of_an_alert_under_one_id(public: Public, kind: str) -> None:
    first, old = public.atom().entries[0], (public.folder / "public" / "alerts.json").read_bytes()
    later, author = NOW + timedelta(days=2), public.corridor.actor("author")
    house = public.house(later)
    if kind == "update":
        versions.update(house, ALERT, {"at_risk": "People who buy tablets."}, author, later)
    else:
        end = versions.stand_down if kind == "stood down" else versions.withdraw
        end(house, ALERT, "The laboratory corrected its result.", author, later)
    agree(public.corridor, ALERT, later)
    arrive(house, later)
    for audience in ("public", "professional"):
        entry = public.atom(audience).entries[0]
        assert entry.id == first.id and entry.published == first.published and entry.updated > first.updated
        assert "version 2" in entry.title or "This replaces version 1" in entry.title
    assert kind == "update" or kind in [t.term for t in public.atom().entries[0].tags]
    assert (
        signing.check(house, public.cap(1)).state == "superseded"
        and signing.check(house, public.cap(2)).state == "genuine"
    )
    said = etree.fromstring(public.cap(2)).findtext("{*}references")
    assert said and "LDN-2025-0001.A1.v1.public," in said
    says_how_it_stands_now(public, kind, later, old)


def says_how_it_stands_now(public: Public, kind: str, later: Any, old: bytes) -> None:
    """By the store, by either list, by an older list, and by keys alone, which cannot know."""
    folder, one, two = public.folder / "public", public.cap(1), public.cap(2)
    keys = (folder / ".well-known" / "ewarn-keys.json").read_bytes()
    how = "superseded" if kind == "update" else kind
    last = "in force" if kind == "update" else kind
    house = public.house(later)
    for body, state, now in ((one, "superseded", how), (two, "genuine", last)):
        found = [verifying.by_store(house, body, later)]
        found += [
            verifying.by_keys(keys, body, (folder / name).read_bytes()) for name in ("alerts.atom", "alerts.json")
        ]
        assert [(f.state, f.now) for f in found] == [(state, now)] * 3
        alone = verifying.by_keys(keys, body)
        assert (alone.state, alone.now) == ("genuine", "not known") and "cannot be known" in alone.words
    assert verifying.by_keys(keys, one, old).now == "in force", "by a list from before"
    assert verifying.by_keys(keys, two, old).now == "not known" and verifying.by_keys(keys, two, old).state == "genuine"
    empty = json.dumps(json.loads(old) | {"items": []}).encode()
    assert verifying.by_keys(keys, one, empty).now == "not known"
    changed = one.replace(b"Camden", b"Croydon", 1)
    assert verifying.by_keys(keys, changed, old) == verifying.by_keys(keys, changed) and changed != one
    with pytest.raises(UnusableInput):
        verifying.by_keys(keys, one, b"<html/>")
    sheet = (folder / "alerts" / "LDN-2025-0001.A1.v1.public.flyer.pdf").read_bytes()
    assert verifying.by_store(house, sheet, later).now == how
    assert verifying.by_store(house, sheet + b" ", later).state == "changed"


def test_the_operator_hears_of_a_keys_end_in_time_and_a_newer_key_closes_it(public: Public) -> None:
    def told(day: int) -> list[str]:
        at = NOW + timedelta(days=day)
        keywatch.settle(public.house(at), at)
        with public.house(at).db.read() as con:
            rows = operator_notices.open(con).to_dicts()
        said = [str(row["topic"]) for row in rows if row["source"] == keywatch.SOURCE]
        assert bool(read.status(public.house(at), at).signing_key) is bool(said)
        return said

    ends = signing.DAYS
    weeks, days = keywatch.SOON[30], keywatch.SOON[7]
    assert [told(day) for day in (0, ends - 31, ends - 29, ends - 8, ends - 6)] == [[], [], [weeks], [weeks], [days]]
    at = NOW + timedelta(days=ends - 6)
    assert "days left" in read.status(public.house(at), at).signing_key
    assert told(ends + 1) == [keywatch.NONE_LEFT]
    at = NOW + timedelta(days=ends + 1)
    signing.rotate(public.house(at), at)
    assert told(ends + 1) == [] and told(2 * ends - 40) == []


def test_a_second_alert_about_the_same_tells_the_public_no_number_again(public: Public) -> None:
    house, author = public.house(), public.corridor.actor("author")
    second = assess.draft(house, CASE, "formal alert", author, NOW)
    assert "tells one of the same area and days" in str(second.findings)
    agree(public.corridor, second.id, NOW)
    arrive(house, NOW)
    assert "ewarn:count" in public.cap().decode() and len(public.items()) == 2
    name = f"{second.id.replace('/', '.')}.v1.public.cap.xml"
    body = (public.folder / "public" / "alerts" / name).read_text()
    assert "ewarn:count" not in body and "fewer than" not in body and ALERT not in body
    texts = {item["id"].rpartition("/")[2]: item["content_text"] for item in public.items()}
    assert "fewer than 8" in texts["A1"] and "fewer than" not in texts[second.id.rpartition("/")[2]]
    professional = public.folder / "professional" / "alerts" / name.replace("public", "professional")
    assert "ewarn:count" in professional.read_text()


def test_an_expired_alert_says_so(public: Public) -> None:
    ends = NOW + timedelta(days=60)
    publishing.keep_up(public.house(ends), ends)
    entry = public.atom().entries[0]
    assert entry.title.startswith("EXPIRED: ") and "expired" in [t.term for t in entry.tags]
    publishing.write(public.house(ends), NOW + timedelta(days=400))
    assert public.atom().entries == []


def test_nothing_marked_reaches_the_public(drafted: Public) -> None:
    public, drop = drafted, drafted.corridor.home / "content" / "sources" / "drops" / "test_results.toml"
    drop.write_text(drop.read_text().replace('"TLP:CLEAR"', '"TLP:AMBER"'))
    public.corridor.issue(CASE, NOW)
    arrive(public.house(), NOW)
    assert len(public.items("professional")) == 1 and public.items() == [] and public.atom().entries == []
    assert not (public.folder / "public" / "alerts").exists()
    text = b"".join(p.read_bytes() for p in (public.folder / "public").rglob("*") if p.is_file())
    assert b"LDN-2025" not in text and b"metonitazene" not in text


def test_a_version_that_is_no_longer_public_leaves_only_word_that_it_was_replaced(public: Public) -> None:
    later, author = NOW + timedelta(days=1), public.corridor.actor("author")
    house = public.house(later)
    versions.update(house, ALERT, {"marking": "TLP:AMBER", "headline": "Only for the network"}, author, later)
    agree(public.corridor, ALERT, later)
    arrive(house, later)
    (entry,) = public.items()
    assert entry["title"].startswith("REPLACED: ") and entry["content_text"] == publishing.OVERTAKEN
    assert "Only for the network" not in json.dumps(entry) and public.items("professional")[0]["title"].count(
        "Only for"
    )


def test_an_exercise_is_published_apart_and_says_so_and_an_actual_house_never_shows_it(public: Public) -> None:
    assert public.atom().feed.title.startswith("EXERCISE: ") and "EXERCISE" in public.atom().entries[0].title
    toml = public.corridor.home / "ewarn.toml"
    toml.write_text(toml.read_text().replace('standing = "exercise"', 'standing = "actual"'))
    publishing.write(public.house(), NOW)
    live = public.corridor.home / "published-alerts" / "public" / "alerts.atom"
    assert feedparser.parse(io.BytesIO(live.read_bytes())).entries == []
    assert not [p for p in live.parent.rglob("*") if p.is_file() and b"LDN-2025" in p.read_bytes()]


def test_keys_overlap_when_they_are_exchanged_and_a_leak_ends_what_they_signed(public: Public) -> None:
    (old,) = signing.list_keys(public.house(), NOW)
    body, later = public.cap(), NOW + timedelta(days=3)
    found = {k.id: k for k in signing.rotate(public.house(), later, overlap_days=7)}
    assert len(found) == 2 and found[old.id].not_after == later + timedelta(days=7)
    assert {k.state for k in found.values()} == {"in use"} and signing.check(public.house(), body).state == "genuine"
    signing.retire(public.house(), old.id, later)
    assert signing.check(public.house(), body).state == "genuine", "it was sent before"
    signing.retire(public.house(), old.id, later, leaked=True, why="The disk was lost.")
    assert signing.check(public.house(), body).state == "revoked key"
    publishing.write(public.house(), later)
    assert signing.check(public.house(), public.cap()).state == "genuine", "signed anew with the key in use"
    with pytest.raises(UsageFault, match="no signing key"):
        signing.retire(public.house(), "other", later)
    assert {k.state for k in signing.list_keys(public.house(), later)} == {"in use", "revoked"}


def test_a_private_key_lies_where_it_was_said_and_is_readable_by_its_owner_alone(public: Public) -> None:
    house = public.house()
    made = signing.make(house, NOW)
    path = house.settings.home / made.secret.removeprefix("file:")
    assert path.stat().st_mode & 0o077 == 0 and b"PRIVATE KEY" in path.read_bytes()
    elsewhere = signing.make(house, NOW, secret="file:vault/own.pem")
    assert (house.settings.home / "vault" / "own.pem").stat().st_mode & 0o077 == 0 and elsewhere.id != made.id
    for typed in ("-----BEGIN PRIVATE KEY-----", "hunter2"):
        with pytest.raises(UsageFault, match="by reference"):
            signing.make(house, NOW, secret=typed)
    with pytest.raises(Refused):
        signing.make(house, NOW, secret="env:NOT_SET_ANYWHERE")
    with house.db.read() as con:
        assert "PRIVATE" not in str(con.execute("SELECT body FROM signing_key").fetchall())


def test_a_message_is_not_published_unsigned_once_there_are_keys_but_none_in_use(public: Public) -> None:
    (key,) = signing.list_keys(public.house(), NOW)
    shutil.rmtree(public.folder)
    with public.house().db.write("test") as tx:
        tx.execute("DELETE FROM signed_payload")
    signing.retire(public.house(), key.id, NOW)
    found = publishing.write(public.house(), NOW)
    assert all("no signing key is in use" in words for one in found for words in one.unsigned)
    assert [len(one.unsigned) for one in found] == [1, 1] and not list(public.folder.rglob("*.cap.xml"))
    assert len(public.items()) == 1, "the feed goes on without it"


def test_a_partner_s_system_gets_the_signed_message_by_a_channel_and_a_draft_says_it_is_one(drafted: Public) -> None:
    public, author = drafted, drafted.corridor.actor("author")
    signing.make(public.house(), NOW)
    channel = public.corridor.home / "content" / "alerts" / "channels" / "exercise-cap.toml"
    channel.parent.mkdir(parents=True)
    channel.write_text(
        'title = "CAP (exercise)"\nurl = "json://{secret:exercise_webhook}?:message=cap&:title=&:version=&:type=&:attachments="\n'
        'format = "cap"\nlive = false\ntimeout_seconds = 5\nmax_attempts = 3\n'
    )
    system = Recipient(id="machine", name="System", channel="exercise-cap", areas=("E09000007",), group="health")
    read.add_recipient(public.house(), system, NOW)
    assess.draft(public.house(), CASE, "formal alert", author, NOW)
    assert b"<status>Draft</status>" in printing.export(public.house(), ALERT, "cap", "public")[1]
    agree(public.corridor, ALERT, NOW)
    assert b"<status>Exercise</status>" in printing.export(public.house(), ALERT, "cap", "public")[1]
    assert publishing.write(public.house(), NOW)[1].entries == 0, "approved, and nobody has it yet"
    respond.send(public.house(), NOW)
    assert len(public.items()) == 1, "the files follow the sending"
    (sent,) = [call["cap"] for call in public.corridor.partner_calls if "cap" in call]
    assert sent.encode() == public.cap(audience="professional") or sent.encode() + b"\n" == public.cap(
        audience="professional"
    )
    assert signing.check(public.house(), sent.encode()).state == "genuine"


def test_the_regional_report_shows_what_it_may_counts_the_rest_and_holds_no_formula(
    public: Public, tmp_path: Path
) -> None:
    words = [
        "export",
        "regional",
        "--since",
        "2025-05-01",
        "--until",
        "2025-06-01",
        "--home",
        str(public.corridor.home),
    ]
    assert run([*words, "--marking", "TLP:CLEAR", "--out", str(tmp_path / "clear")]) == 0
    found = {p.suffix + p.stem.rpartition("-")[2]: p.read_text() for p in (tmp_path / "clear").iterdir()}
    assert ALERT in found[".csvalerts"] and "metonitazene" in found[".csvalerts"].lower()
    text = next(body for name, body in found.items() if name.startswith(".md"))
    assert "EXERCISE" in text and "## Alerts issued: 1" in text and "Not for enforcement." in text
    assert len(found) == 3 and "Cases opened" not in text and "hours" not in text
    with public.house().db.write("test") as tx:
        tx.execute("UPDATE alert SET body = replace(body, 'TLP:CLEAR', 'TLP:AMBER')")
        tx.execute('UPDATE alert SET body = replace(body, \'"headline":"\', \'"headline":"=1+1 \')')
    assert run([*words, "--marking", "TLP:GREEN", "--out", str(tmp_path / "green")]) == 0
    text = next((tmp_path / "green").glob("*.md")).read_text()
    assert "not shown, because marked beyond TLP:GREEN: 1 alert." in text and ALERT not in text
    assert run([*words, "--out", str(tmp_path / "amber")]) == 0
    assert "median 0.0 hours" in next((tmp_path / "amber").glob("*.md")).read_text()
    sheet = next((tmp_path / "amber").glob("*alerts.csv")).read_text()
    assert "'=1+1 " in sheet and not re.search(r"(^|,)=1", sheet)
    assert run([*words, "--marking", "secret", "--out", str(tmp_path)]) == 2


@pytest.mark.slow
def test_a_report_for_everybody_says_nothing_that_the_public_alerts_do_not(public: Public, tmp_path: Path) -> None:
    """Whatever the house comes to know beside them, of any number of people or samples, not a byte of it changes."""

    def report(name: str) -> dict[str, str]:
        house = public.house(NOW + timedelta(days=2))
        regional.write(house, date(2025, 5, 1), date(2025, 6, 1), "TLP:CLEAR", tmp_path / name, NOW + timedelta(days=2))
        return {p.name: p.read_text() for p in (tmp_path / name).iterdir()}

    first = report("before")
    assert ALERT in "".join(first.values())
    later, drawn = NOW + timedelta(days=1), random.Random(5)
    for turn in range(2):
        count = drawn.randint(1, 12)
        areas = [drawn.choice(("E09000007", "E09000019", "E09000012")) for _ in range(count)]
        rows = [ROW | {"sample_ref": f"H{turn}{n}", "area_code": area} for n, area in enumerate(areas)]
        public.corridor.drop("test_results", rows, later)
        public.corridor.detect(later)
        assert report(f"after{turn}") == first
    with public.house(later).db.read() as con:
        assert len(cases.all(con)) > 1, "there was something to tell"
