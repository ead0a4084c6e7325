"""A photograph from a file or a report to what people get: cleaned, approved by hash, sent as approved, purged."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from lxml import etree
from PIL import Image, ImageDraw

from ewarn.dispatch import render
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import (
    assess,
    checking,
    photos,
    pictures,
    printing,
    publishing,
    purge,
    read,
    reporting,
    respond,
    versions,
)
from ewarn.report import Harm, Origin, Told
from ewarn.store import alerts, operator_notices, outbox
from ewarn.terms import DeliveryState, Payload, Recipient, digest
from tests.journeys.test_desk_and_sending import CASE, laboratory_hit

WORDS = ("A round blue tablet marked D and 10.", "ruler in millimetres; the tablet is 8 mm across.")
CANARY = b"51.5390N 0.1426W Camera of A Person"


def photograph(kind: str = "JPEG", size: tuple[int, int] = (1500, 1000), shade: int = 90) -> bytes:
    """A tablet on a ruler as a telephone gives it: lying on its side, with place and camera beside the picture."""
    picture = Image.new("RGB", size, (220, 214, 200))
    ImageDraw.Draw(picture).ellipse((300, 200, 900, 800), fill=(shade, 110, 190))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, CANARY.decode()
    out = io.BytesIO()
    picture.save(out, kind, exif=exif)
    return out.getvalue() + (b"" if kind == "PNG" else CANARY)


@pytest.fixture
def now(corridor: Any) -> datetime:
    night: datetime = corridor.at("2025-05-18", "02:10")
    config = corridor.home / "ewarn.toml"
    config.write_text(f'public_url = "https://answer.example.org"\n{config.read_text()}')
    corridor.staff(night - timedelta(days=1))
    everybody = {"channel": "exercise-email", "address": "all@example.org", "audience": "public"}
    who = Recipient.model_validate({"id": "public", "name": "Everybody", "areas": ("E09000007",)} | everybody)
    read.add_recipient(corridor.house(night), who, night)
    day = (night - timedelta(days=1)).date().isoformat()
    laboratory_hit(corridor, night, date_sampled=day, date_reported=day)
    questions = {q.id: "not known" for q in corridor.house(night).catalogue.grading.questions}
    grade = corridor.house(night).catalogue.grading.grades[0].id
    assess.grade_case(corridor.house(night), CASE, grade, questions, corridor.actor("author"), night)
    return night


def drafted(corridor: Any, now: datetime) -> str:
    return assess.draft(corridor.house(now), CASE, "formal alert", corridor.actor("author"), now).id


def agreed(corridor: Any, alert: str, now: datetime) -> Any:
    found = assess.submit(corridor.house(now), alert, corridor.actor("author"), now)
    for person in ("ann", "ben"):
        found = assess.approve(corridor.house(now), alert, found.hash, corridor.actor(person), now, note="exercise")
    return found


def stored(corridor: Any, alert: str, now: datetime) -> dict[tuple[str, str], Payload]:
    with corridor.house(now).db.read() as con:
        newest = alerts.load(con, alert)
        return {(p.audience, p.format): p for p in alerts.payloads(con, alert, newest.version)}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_upright_small_and_holds_nothing_but_itself(kind: str) -> None:
    body, width, height = pictures.for_a_text(photograph(kind))
    assert CANARY not in body and b"Exif" not in body and len(body) <= pictures.TEXT_BYTES
    assert height > width, "as the camera was held"
    noise = io.BytesIO()
    Image.effect_noise((3000, 3000), 100).save(noise, "PNG")
    assert len(pictures.for_a_text(noise.getvalue())[0]) <= pictures.TEXT_BYTES
    for wrong in (b"", b"%PDF-1.7", photograph(size=(1500, 100))):
        with pytest.raises(UsageFault):
            pictures.for_a_text(wrong)


def test_what_people_see_is_what_was_approved_and_the_public_sees_it_when_it_is_released(
    corridor: Any, now: datetime
) -> None:
    house, author = corridor.house(now), corridor.actor("author")
    alert = drafted(corridor, now)
    with pytest.raises(UsageFault, match="words for those"):
        photos.attach(house, alert, photograph(), "", "ruler", author, now)
    with pytest.raises(Refused, match="panel"):
        photos.attach(house, alert, photograph(), *WORDS, corridor.actor("duty"), now)
    bare = photos.attach(house, alert, photograph(), "A tablet", "", author, now)
    missing = {f["where"]: f["blocking"] for f in bare.findings if f["where"].startswith("photo")}
    assert missing == {"photo.alt": False, "photo.scale": True}
    with pytest.raises(UsageFault, match="cannot be edited"):
        assess.edit(house, alert, {"photo": "x"}, author, now)
    clear = photos.attach(house, alert, photograph(), *WORDS, author, now)
    assert clear.version == 3 and not [f for f in clear.findings if f["where"].startswith("photo")]
    assert WORDS[0] in clear.text and WORDS[1] in clear.text

    first = agreed(corridor, alert, now)
    found = stored(corridor, alert, now)
    body = found["professional", "photo"].body
    assert ("public", "photo") not in found and digest(body) == digest(pictures.for_a_text(photograph())[0])
    for form in ("flyer", "poster", "clinical"):
        assert body[200:-200] in found["professional", form].body, form
    public = b"".join(p.body for (audience, _), p in found.items() if audience == "public")
    assert digest(body).encode() not in public and WORDS[0].encode() not in public and body[200:400] not in public
    assert WORDS[0].encode() not in found["professional", "sms"].body
    respond.send(house, now)
    assert shown_by_mail(corridor, "clinic@example.org") == body

    later = now + timedelta(hours=1)
    house = corridor.house(later)
    words = ("test_results", "TLP:CLEAR", "agreed by telephone", "the laboratory")
    checking.release(house, CASE, *words, corridor.actor("ann"), later)
    versions.update(house, alert, {"marking": "TLP:CLEAR"}, author, later)
    with pytest.raises(UsageFault, match="reason"):
        photos.release(house, alert, " ", author, later)
    photos.release(house, alert, "The imprint tells the batch.", author, later)
    second = agreed(corridor, alert, later)
    assert second.hash != first.hash
    found = stored(corridor, alert, later)
    assert found["public", "photo"].body == body and body[200:-200] in found["public", "flyer"].body
    message = etree.fromstring(found["public", "cap"].body)
    said = {r.findtext("{*}mimeType"): r for r in message.iterfind(".//{*}resource")}["image/jpeg"]
    assert said.findtext("{*}size") == str(len(body)) and WORDS[0] in said.findtext("{*}resourceDesc")
    assert json.loads(found["public", "json"].body)["alert"]["photo"]["sha256"] == digest(body)
    respond.send(house, later)
    published = publishing.folder_of(house, "public") / "alerts"
    assert [p.read_bytes() for p in published.glob("*.photo.jpg")] == [body]
    with house.db.read() as con:
        sent = {d.destination for d in outbox.all(con, alert) if d.version == second.version and d.state == "sent"}
    assert "public" in sent or shown_by_mail(corridor, "clinic@example.org") == body


def shown_by_mail(corridor: Any, address: str) -> bytes:
    """The one picture of the newest e-mail to an address, found by the reference in its HTML; nothing is remote."""
    message = message_from_bytes(
        next(m for m in reversed(corridor.mailbox.messages) if m["To"] == address).as_bytes(), policy=policy.default
    )
    page = message.get_body(("html",))
    html = page.get_content()
    assert html.count("<img") == 1 and 'src="http' not in html
    related = [p for p in message.walk() if p.get_content_type() == "image/jpeg"]
    assert message.get_body(("related",)) is not None and len(related) == 1
    assert f'src="cid:{related[0]["Content-ID"].strip("<>")}"' in html
    assert f'alt="{WORDS[0]}"' in html
    return bytes(related[0].get_content())


def from_a_report(corridor: Any, alert: str, now: datetime) -> None:
    """A report gives its picture once somebody has read it, to a text of its own case."""
    house, author = corridor.house(now), corridor.actor("author")
    told = Told(what="Blue tablets", origin=Origin.FIRST_HAND, harm=Harm.NONE, area="Camden")
    ref = reporting.receive(house, told, now, photograph()).ref
    with pytest.raises(UsageFault, match="does not belong"):
        photos.from_report(house, alert, ref, *WORDS, author, now)
    reporting.join(house, ref, CASE, "the same", author, now)
    with pytest.raises(Refused, match="read and redacted"):
        photos.from_report(house, alert, ref, *WORDS, author, now)
    reporting.redact(house, ref, "Blue tablets were seen.", author, now)
    taken = photos.from_report(house, alert, ref, *WORDS, author, now)
    assert taken.version == 2
    with house.db.read() as con:
        newest = alerts.load(con, alert)
        assert newest.content["photo"]["height"] > newest.content["photo"]["width"]
        assert ref not in json.dumps(newest.content)
        assert photos.usable(house, newest) == [ref]


def test_a_purge_takes_every_copy_and_what_was_approved_can_still_be_proved(corridor: Any, now: datetime) -> None:
    house, author = corridor.house(now), corridor.actor("author")
    alert = drafted(corridor, now)
    from_a_report(corridor, alert, now)
    agreed(corridor, alert, now)
    before = stored(corridor, alert, now)
    respond.send(house, now)
    with house.db.write("queue") as tx:
        more = {"id": "f" * 16, "state": DeliveryState.WAITING, "nudge": True, "attempts": 0}
        again = next(d for d in outbox.all(tx, alert) if d.destination == "clinic")
        outbox.put(tx, [again.model_copy(update=more)], now)

    done = photos.purge(house, alert, "request 14", corridor.actor("ann"), now)
    assert done.in_force and done.formats >= 4
    after = stored(corridor, alert, now)
    assert {name for name, p in after.items() if p.gone} >= {("professional", f) for f in ("photo", "flyer", "poster")}
    assert {name: p.sha256 for name, p in after.items()} == {name: digest(p.body) for name, p in before.items()}
    with house.db.read() as con:
        version = alerts.load(con, alert)
        assert render.bundle_hash(version, alerts.payloads(con, alert, version.version)) == version.hash
        held = con.execute("SELECT count(*) FROM photo WHERE octet_length(body) > 0").fetchone()
        assert held == (0,) and "update or withdraw" in str(operator_notices.open(con).to_dicts())
        forged = [p.model_copy(update={"body": b"other"}) if p.gone else p for p in after.values()]
        assert render.bundle_hash(version, forged) != version.hash, "a purged place cannot be filled with other bytes"
    assert not list(publishing.folder_of(house, "professional").rglob("*.pdf"))
    with pytest.raises(Refused, match="purged"):
        printing.export(house, alert, "flyer")
    count = len(corridor.mailbox.messages)
    respond.send(house, now)
    assert all(m.get_content_type() != "image/jpeg" for m in corridor.mailbox.messages[count:])
    with house.db.read() as con:
        assert "purged" in outbox.load(con, "f" * 16).last_error
    later = now + timedelta(hours=1)
    versions.update(corridor.house(later), alert, {}, author, later)
    with pytest.raises(Refused, match="photograph of this text was purged"):
        assess.submit(corridor.house(later), alert, author, later)
    with pytest.raises(Refused, match="purged by ann"):
        photos.attach(corridor.house(later), alert, pictures.cleaned(photograph()), *WORDS, author, later)
    photos.remove(corridor.house(later), alert, author, later)
    assert agreed(corridor, alert, later).status == "approved"


@pytest.mark.slow
def test_a_picture_goes_by_itself_a_year_after_its_text_ended(corridor: Any, now: datetime) -> None:
    house, author = corridor.house(now), corridor.actor("author")
    alert = drafted(corridor, now)
    photos.attach(house, alert, photograph(), *WORDS, author, now)
    agreed(corridor, alert, now)
    assert photos.forget(house, now + timedelta(days=200)) == []
    late = now + timedelta(days=365 + 60)
    words = purge.purge(corridor.house(late), late).words
    assert any("photograph" in said for said in words)
    assert stored(corridor, alert, late)["professional", "photo"].gone
    assert purge.purge(corridor.house(late), late).words == ()
