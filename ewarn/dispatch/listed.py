"""What a published feed of alerts says of one message: whether its version is still the one in force.

In: a feed file (Atom or JSON Feed) as `syndicate` writes it, and the identifier of a CAP message. Out: words, or that
the feed cannot say. It must never take what the feed does not list for being in force: absence says nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree

from ewarn.dispatch.syndicate import ATOM
from ewarn.errors import UnusableInput
from ewarn.terms import Frozen

IDENTIFIER = re.compile(r"^(?P<alert>.+)\.v(?P<version>\d+)\.(?P<audience>[a-z]+)$")
LARGEST_BYTES = 20_000_000
IN_FORCE, NOT_KNOWN = "in force", "not known"
ENDED = {"stood down": "the alert was stood down", "withdrawn": "the alert was withdrawn"}


class Item(Frozen):
    """One alert as a feed lists it."""

    id: str
    version: int | None
    tags: frozenset[str]
    changed: str


class Stands(Frozen):
    """How a message stands by a list: in force, superseded, stood down, withdrawn, expired, or not known."""

    state: str
    words: str
    overtaken: bool = False


def read(body: bytes) -> list[Item]:
    """Raises: UnusableInput for what is no feed of alerts."""
    try:
        if len(body) > LARGEST_BYTES:
            raise ValueError("too large")
        return _of_json(body) if body.lstrip()[:1] == b"{" else _of_atom(body)
    except (ValueError, KeyError, TypeError, AttributeError, etree.LxmlError) as error:
        raise UnusableInput(
            "this is not a feed of alerts", next_step="Use the issuer's alerts.atom or alerts.json."
        ) from error


def stands(items: list[Item], identifier: str) -> Stands:
    """How the message of that identifier stands by this list."""
    named = IDENTIFIER.match(identifier)
    item = next((i for i in items if named and _same(i.id, named["alert"])), None)
    if named is None or item is None:
        words = "This list does not name it: it is older than the list goes back, or not for this list's readers."
        return Stands(state=NOT_KNOWN, words=f"{words} Whether it still stands cannot be known from here.")
    version, as_of = int(named["version"]), f"By the list as of its entry of {item.changed}"
    later = item.version is not None and item.version > version
    older = item.version is not None and item.version < version
    for tag, words in ENDED.items():
        if tag in item.tags and not older:
            itself = item.version == version
            said = "it is the message that says so" if itself else "do not act on it"
            return Stands(state=tag, words=f"{as_of} {words}: {said}.", overtaken=not itself)
    if later or ("replaced" in item.tags and not older):
        which = f"version {item.version}" if later else "a later version"
        return Stands(state="superseded", words=f"{as_of} {which} took its place: act on that one.", overtaken=True)
    if "expired" in item.tags and not older:
        return Stands(state="expired", words=f"{as_of} its time is over.")
    if item.version != version:
        words = f"{as_of} it names another version: this list is older than the message, or says too little."
        return Stands(state=NOT_KNOWN, words=f"{words} Whether it still stands cannot be known from here.")
    return Stands(state=IN_FORCE, words=f"{as_of} it is the newest version.")


def _same(entry_id: str, alert: str) -> bool:
    """Whether an entry's id, a tag URI that ends in the alert's id, is of the alert that the identifier names."""
    return entry_id.rpartition(":")[2].removeprefix("ewarn/").replace("/", ".") == alert


def _version(address: str) -> int | None:
    found = re.search(r"\.v(\d+)\.[a-z]+\.cap\.xml$", address)
    return int(found[1]) if found else None


def _of_json(body: bytes) -> list[Item]:
    return [
        Item(
            id=str(item["id"]),
            version=next((_version(str(a["url"])) for a in item.get("attachments", ())), None),
            tags=frozenset(map(str, item.get("tags", ()))),
            changed=str(item["date_modified"]),
        )
        for item in json.loads(body)["items"]
    ]


def _of_atom(body: bytes) -> list[Item]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root: Any = etree.fromstring(body, parser)
    if root.tag != f"{{{ATOM}}}feed":
        raise ValueError("no feed")
    found = []
    for entry in root.iterfind(f"{{{ATOM}}}entry"):
        links = [link.get("href", "") for link in entry.iterfind(f"{{{ATOM}}}link")]
        found.append(
            Item(
                id=entry.findtext(f"{{{ATOM}}}id") or "",
                version=next((v for v in map(_version, links) if v is not None), None),
                tags=frozenset(c.get("term", "") for c in entry.iterfind(f"{{{ATOM}}}category")),
                changed=entry.findtext(f"{{{ATOM}}}updated") or "",
            )
        )
    return found
