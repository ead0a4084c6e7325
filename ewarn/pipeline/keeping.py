"""The raw store made ready and looked at: its key, bytes of old that lie there unencrypted, what is past retention.

In: a house. Out: plain words and checks. It never prints a key and never removes anything but the plain original of
what it has just encrypted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ewarn.pipeline import purge
from ewarn.pipeline.house import House
from ewarn.store import keeping, snapshots, vault

APART = "an archive never holds the key: keep a copy of it apart from both, or nobody can read the raw bytes again"


def prepare(house: House) -> list[str]:
    """Make the key where there is none, encrypt bytes of an older home. Returns what a person has to know of it."""
    settings, words = house.settings, []
    if made := vault.make_key(settings):
        words.append(
            f"raw bytes are encrypted with the key in {made}: keep a copy elsewhere, without it they cannot be read;"
            " for a live service put it on another volume or in a secret manager and name it as raw_key in ewarn.toml"
        )
    with snapshots.keeping(settings):
        if sealed := snapshots.seal_plain_ones(settings):
            words.append(f"encrypted {sealed} snapshots that lay here as they came")
    return words


def checks(house: House, con: Any, now: datetime) -> list[dict[str, Any]]:
    """What `doctor` says of the key and the raw store."""
    found = keeping.examine(house.settings, con, len(purge.due(house, now)))
    return [{"check": c.name, "ok": c.ok, "words": c.words} for c in found]
