"""Whether a file is genuine, and whether it still stands: by this house's memory, or by keys and a published list.

In: bytes of a signed CAP message, or of a sheet or photograph that this house stored; who else keeps a list. Out: a
verdict with words. It must never say that something stands where nothing that was looked at can know it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from ewarn.assess import lifecycle
from ewarn.dispatch import listed, xmlsig
from ewarn.pipeline import signing
from ewarn.pipeline.house import House
from ewarn.store import alerts
from ewarn.terms import Alert, VersionKind, digest, london_day

FILES = (b"%PDF-", b"\xff\xd8\xff")
ENDS = {VersionKind.STAND_DOWN: "stood down", VersionKind.WITHDRAWAL: "withdrawn"}
UNKNOWN = (
    "Whether it was replaced, stood down or withdrawn since cannot be known from the message and the keys alone: look"
    " at the issuer's list (--feed alerts.json), or at the page that the message names."
)
STRANGE = "No alert of this house has these bytes: it was changed, it is a draft, or it is another issuer's."


class Verified(signing.Checked):
    """A verdict, and how the message stands now: in force, superseded, stood down, withdrawn, expired, not known."""

    now: str = Field("", description="empty where the file is not genuine")


def by_store(house: House, body: bytes, at: datetime) -> Verified:
    """By everything this house knows. A sheet or photograph is known by the hash it was stored under."""
    with house.db.read() as con:
        if body.startswith(FILES):
            return _file(con, body, at)
        checked = Verified(**signing.check(house, body).model_dump())
        if checked.state not in (xmlsig.GENUINE, "superseded"):
            return checked
        this = signing.of_identifier(con, checked.identifier)
        if this is None:
            return checked.model_copy(update={"now": listed.NOT_KNOWN, "words": f"{checked.words} {UNKNOWN}"})
        return _stands(con, this, checked, at)


def by_keys(keys: bytes, body: bytes, feed: bytes | None = None) -> Verified:
    """By the issuer's key file, and by a list of theirs where one is given; without it nothing is said of later."""
    checked = Verified(**signing.check_with(keys, body).model_dump())
    if checked.state != xmlsig.GENUINE:
        return checked
    if feed is None:
        return checked.model_copy(update={"now": listed.NOT_KNOWN, "words": f"{checked.words} {UNKNOWN}"})
    found = listed.stands(listed.read(feed), checked.identifier)
    state = "superseded" if found.overtaken else checked.state
    words = f"{checked.words} {found.words}"
    return checked.model_copy(update={"state": state, "now": found.state, "words": words})


def _stands(con: Any, this: Alert, checked: Verified, at: datetime) -> Verified:
    later = _after(con, this)
    if later is not None:
        how = ENDS.get(later.kind, "superseded")
        return checked.model_copy(
            update={"state": "superseded", "now": how, "superseded_by": f"{later.id} v{later.version}",
                    "words": _words(how, later)}
        )  # fmt: skip
    if this.kind.closes:
        return checked.model_copy(
            update={"now": ENDS[this.kind], "words": f"{checked.words} It ends the alert itself."}
        )
    if london_day(at).isoformat() > str(this.content.get("expires_on") or "9"):
        words = f"{checked.words} Its time ended on {this.content['expires_on']}."
        return checked.model_copy(update={"now": "expired", "words": words})
    return checked.model_copy(update={"now": listed.IN_FORCE, "words": f"{checked.words} It is the newest version."})


def _words(how: str, later: Alert) -> str:
    end = "took its place" if how == "superseded" else f"says that the alert was {how}"
    return f"It is genuine, but version {later.version} {end}: act on that one."


def _after(con: Any, this: Alert) -> Alert | None:
    newer = [v for v in alerts.versions(con, this.id) if v.version > this.version and v.status in lifecycle.OUT]
    return max(newer, key=lambda v: v.version, default=None)


def _file(con: Any, body: bytes, at: datetime) -> Verified:
    found = alerts.holding(con, digest(body))
    if found is None:
        return Verified(state=xmlsig.CHANGED, words=STRANGE)
    name, version, audience, form = found
    this = alerts.load(con, name, version)
    if this is None or this.status not in lifecycle.OUT:
        words = f"These are bytes of version {version} of {name}, which has not gone out: do not act on them."
        return Verified(state=xmlsig.CHANGED, words=words)
    words = f"It is the {form} of version {version} of {name} for the {audience} audience, as it was approved."
    genuine = Verified(state=xmlsig.GENUINE, words=words, identifier=f"{name} v{version}")
    return _stands(con, this, genuine.model_copy(update={"headline": str(this.content.get("headline", ""))}), at)
