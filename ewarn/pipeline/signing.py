"""Signing keys made, exchanged and taken out of use; approved CAP messages signed as they leave; files verified.

In: a house, who keeps it, `now`. Out: keys without their secrets, signed bytes, verdicts. A message is signed once and
the signed copy kept: every recipient, every attempt and every published file has the same bytes. It must never sign
bytes other than the stored ones, nor with a key that is not in use.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ewarn.assess import lifecycle
from ewarn.dispatch import cap, keyring, xmlsig
from ewarn.dispatch.keyring import SigningKey
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.identity import demand_keeper
from ewarn.pipeline.reports import Actor
from ewarn.store import alerts, files, signing
from ewarn.terms import Alert, Frozen, Payload, PersonRole, VersionKind

KEEPERS = (PersonRole.ADMINISTRATOR,)
DAYS, OVERLAP_DAYS = 730, 30


class KeyReport(Frozen):
    """A key as it stands now, for people."""

    id: str
    state: str
    not_before: datetime
    not_after: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    why: str = ""
    secret: str


def keys_of(con: Any) -> list[SigningKey]:
    return [SigningKey.model_validate_json(body) for body in signing.all(con)]


def list_keys(house: House, now: datetime) -> list[KeyReport]:
    with house.db.read() as con:
        return [_report(key, now) for key in keys_of(con)]


def make(house: House, now: datetime, actor: Actor | None = None, *, secret: str = "", days: int = DAYS) -> KeyReport:
    """A key that may sign from now on. `secret` refers to a private key; a file it names is made where absent, and
    without it the key lies in HOME/keys. Raises: UsageFault, Refused."""
    with house.db.write("keys") as tx:
        demand_keeper(tx, actor, KEEPERS, "make a signing key")
        return _report(_made(tx, house, now, actor, secret, days), now)


def rotate(
    house: House,
    now: datetime,
    actor: Actor | None = None,
    *,
    secret: str = "",
    days: int = DAYS,
    overlap_days: int = OVERLAP_DAYS,
) -> list[KeyReport]:
    """A new key signs from now on; those in use sign no more and stay good for so many days, for what is on its way."""
    with house.db.write("keys") as tx:
        demand_keeper(tx, actor, KEEPERS, "exchange the signing key")
        until = now + timedelta(days=overlap_days)
        for key in keys_of(tx):
            if key.state(now) == "in use" and key.not_after > until:
                _keep(tx, key.model_copy(update={"not_after": until}), now, actor, "signing key ends")
        _made(tx, house, now, actor, secret, days)
        return [_report(key, now) for key in keys_of(tx)]


def retire(
    house: House, key_id: str, now: datetime, actor: Actor | None = None, *, leaked: bool = False, why: str = ""
) -> KeyReport:
    """A key signs no more. What it signed before stays genuine, unless it leaked: then nothing it signed is.

    Raises: UsageFault.
    """
    with house.db.write("keys") as tx:
        demand_keeper(tx, actor, KEEPERS, "retire a signing key")
        key = next((k for k in keys_of(tx) if k.id == key_id), None)
        if key is None:
            raise UsageFault(f"there is no signing key '{key_id}'", next_step="See 'ewarn keys list'.")
        if leaked and not why.strip():
            raise UsageFault("say how it leaked", where="--why", next_step="One sentence, for the record.")
        update: dict[str, Any] = {"retired_at": key.retired_at or now, "why": why.strip() or key.why}
        if leaked:
            update["revoked_at"] = key.revoked_at or now
        kept = _keep(
            tx, key.model_copy(update=update), now, actor, "signing key revoked" if leaked else "signing key retired"
        )
        return _report(kept, now)


def keys_file(con: Any, house: House) -> bytes:
    """The key file that partners check against; b'' where there is no key."""
    keys = keys_of(con)
    return keyring.published(keys, house.settings.issuer_name) if keys else b""


def leaving(tx: Any, house: House, alert: Alert, payload: Payload, now: datetime) -> Payload | str:
    """The payload with its signature; as it is where this house has never made a key; words where none is in use."""
    keys = keys_of(tx)
    if not keys:
        return payload
    approved = hashlib.sha256(payload.body).hexdigest()
    good = {key.id for key in keys if not key.revoked_at}
    for row in signing.signed(tx, alert.id, alert.version, payload.audience):
        if row["approved"] == approved and row["signing_key"] in good:
            return payload.model_copy(update={"body": bytes(row["body"])})
    key = keyring.signs_now(keys, now)
    if key is None:
        return "no signing key is in use: see 'ewarn keys list', then 'ewarn keys rotate'"
    try:
        body = xmlsig.signed(payload.body, house.settings.secret(key.secret).encode(), key)
    except (Refused, UsageFault) as error:
        return f"it cannot be signed: {error.what}"
    signing.put_signed(tx, alert.id, alert.version, payload.audience, key.id, now, approved, body)
    return payload.model_copy(update={"body": body})


class Checked(xmlsig.Verdict):
    """A verdict, and whether a later version took the message's place."""

    superseded_by: str = ""


def check(house: House, body: bytes) -> Checked:
    """Whether a file is one of this house's messages, unchanged, and still the newest."""
    with house.db.read() as con:
        verdict = xmlsig.verify(body, keys_of(con))
        later = _later(con, verdict.identifier) if verdict.state == xmlsig.GENUINE else None
    checked = Checked(**verdict.model_dump())
    if later is None:
        return checked
    how = {VersionKind.STAND_DOWN: "stood the alert down", VersionKind.WITHDRAWAL: "withdrew the alert"}
    words = f"It is genuine, but version {later.version} {how.get(later.kind, 'took its place')}: act on that one."
    return checked.model_copy(
        update={"state": "superseded", "words": words, "superseded_by": f"{later.id} v{later.version}"}
    )


def check_with(keys: bytes, body: bytes) -> Checked:
    """The same by a key file alone; whether a later version exists cannot be told from that."""
    return Checked(**xmlsig.verify(body, keyring.read_published(keys)).model_dump())


def _later(con: Any, identifier: str) -> Alert | None:
    """The newest version that has gone out after the one of that identifier."""
    this = of_identifier(con, identifier)
    if this is None:
        return None
    newer = [v for v in alerts.versions(con, this.id) if v.version > this.version and v.status in lifecycle.OUT]
    return max(newer, key=lambda v: v.version, default=None)


def of_identifier(con: Any, identifier: str) -> Alert | None:
    """The version that a CAP identifier names; None where this house has none such."""
    found = [v for alert in alerts.all(con) for v in alerts.versions(con, alert.id)]
    audience = identifier.rpartition(".")[2]
    return next((v for v in found if cap.identifier(v.id, v.version, audience) == identifier), None)


def _made(tx: Any, house: House, now: datetime, actor: Actor | None, secret: str, days: int) -> SigningKey:
    if days < 1:
        raise UsageFault("a key is good for one day at least", where="--days", next_step=f"Say --days {DAYS}.")
    if secret and not secret.startswith(("env:", "file:")) and secret not in house.settings.secrets:
        raise UsageFault(
            "a private key is named by reference and never typed", where="--secret",
            next_step="Write env:NAME, file:PATH, or a name under [secrets].",
        )  # fmt: skip
    if secret:
        pem = _private(house, secret)
        key = keyring.public_half(pem, house.settings.issuer, secret, now, days)
    else:
        pem = keyring.new_private()
        key = keyring.public_half(pem, house.settings.issuer, "", now, days)
        path = files.make_folder(house.settings.home / "keys") / f"signing-{key.id}.pem"
        files.write_new(path, pem)
        key = key.model_copy(update={"secret": f"file:keys/{path.name}"})
    if any(k.id == key.id for k in keys_of(tx)):
        raise UsageFault(f"the key '{key.id}' is known already", next_step="Name another private key.")
    return _keep(tx, key, now, actor, "signing key made")


def _private(house: House, secret: str) -> bytes:
    """The private key behind a reference; a file that is not there yet is made."""
    reference = house.settings.secrets.get(secret, secret)
    scheme, _, rest = reference.partition(":")
    path = Path(rest) if Path(rest).is_absolute() else house.settings.home / rest
    if scheme == "file" and not path.exists():
        files.make_folder(path.parent)
        files.write_new(path, keyring.new_private())
    return house.settings.secret(secret).encode()


def _keep(tx: Any, key: SigningKey, now: datetime, actor: Actor | None, act: str) -> SigningKey:
    signing.save(tx, key.id, key.model_dump_json(), now, actor.person if actor else "ewarn", act)
    return key


def _report(key: SigningKey, now: datetime) -> KeyReport:
    return KeyReport(
        state=key.state(now), **{name: getattr(key, name) for name in KeyReport.model_fields if name != "state"}
    )
