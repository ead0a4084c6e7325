"""Registered people. Their token is kept as a hash, apart from the person, and leaves only through `secret_hash`."""

from __future__ import annotations

from datetime import datetime

from ewarn.errors import Refused
from ewarn.store import audit, tables
from ewarn.store.tables import Connection
from ewarn.terms import Person, digest


def add(tx: Connection, person: Person, secret_hash: str, at: datetime | None = None, by: str = "ewarn") -> None:
    """Register a person. Raises: Refused when the id is taken."""
    if load(tx, person.id) is not None:
        raise Refused(f"'{person.id}' is registered already", next_step="Choose another id, or change that person.")
    _enter(tx, person, secret_hash, at, by, "added person")


def change(
    tx: Connection, person: Person, at: datetime | None = None, by: str = "ewarn", new_secret_hash: str | None = None
) -> None:
    """Enter a person's new roles, areas, name, activity or token. Raises: Refused when nobody has that id."""
    known = secret_hash(tx, person.id)
    if known is None:
        raise Refused(f"nobody is registered as '{person.id}'", next_step="See 'ewarn people list'.")
    _enter(tx, person, new_secret_hash or known, at, by, "changed person")


def load(con: Connection, person_id: str) -> Person | None:
    """The person as registered now."""
    body = tables.one(con, f"SELECT body FROM {tables.newest('person', 'id')} WHERE id = ?", [person_id])
    return None if body is None else Person.model_validate_json(body)


def all(con: Connection) -> list[Person]:
    """Everybody registered, by id; the inactive too."""
    sql = f"SELECT body FROM {tables.newest('person', 'id')} ORDER BY id"
    return [Person.model_validate_json(row["body"]) for row in tables.rows(con, sql)]


def secret_hash(con: Connection, person_id: str) -> str | None:
    """The Argon2 hash of a person's token; None for somebody unknown."""
    found = tables.one(con, f"SELECT secret_hash FROM {tables.newest('person', 'id')} WHERE id = ?", [person_id])
    return None if found is None else str(found)


def _enter(tx: Connection, person: Person, hashed: str, at: datetime | None, by: str, act: str) -> None:
    body = person.model_dump_json()
    tables.put(
        tx, "person", id=person.id, version=tables.next_version(tx, "person", "id", person.id), active=person.active,
        body=body, secret_hash=hashed,
    )  # fmt: skip
    audit.append(tx, at, by, act, person.id, [body, digest(hashed)])
