"""How the raw store stands: its keys, what is encrypted, what was let go and what should be. It changes nothing.

In: settings, a connection, what is due. Out: checks for `ewarn doctor`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import snapshots, tables, tombstones, vault
from ewarn.store.doctor import Check
from ewarn.store.tables import Connection


def examine(settings: Settings, con: Connection, due: int) -> list[Check]:
    """The key, and the raw store. In: `due` is how many snapshots are past their retention."""
    return [_key(settings), _store(settings, con, due)]


def _key(settings: Settings) -> Check:
    """Whether the key is there, its owner's alone, opens the newest snapshot, and lies apart from what it opens."""
    name = "raw key"
    newest = next(reversed([r for r in snapshots.receipts(settings) if snapshots.is_kept(settings, r.sha256)]), None)
    own = vault.own_key(settings)
    if own is not None and newest is None and not own.is_file():
        return Check(name=name, ok=True, words="none yet; made when the first bytes are kept, or by 'ewarn init'")
    try:
        vault.identities(settings)
    except StoreFault as fault:
        return Check(name=name, ok=False, words=str(fault))
    for path in vault.key_files(settings):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return Check(name=name, ok=False, words=f"{path} can be read by others; chmod 600 it")
    if newest is not None:
        path = snapshots.path_of(settings, newest.sha256)
        if path.name.endswith(vault.ENDING) and not vault.opens(settings, path):
            return Check(name=name, ok=False, words=f"it does not open {path}; add the key that sealed it to raw_key")
    words = "opens the newest snapshot" if newest else "there"
    if any(path.is_relative_to(settings.home) for path in vault.key_files(settings)):
        words += "; it lies beside what it opens: for a live service keep it on another volume or in a secret manager"
    return Check(name=name, ok=True, words=words)


def _store(settings: Settings, con: Connection, due: int) -> Check:
    lines = snapshots.receipts(settings)
    held = {sha256 for _, sha256 in tombstones.held(lines)}
    gone = set(tombstones.let_go(lines))
    entered = set(tombstones.all(con)["id"])
    faults = list(_faults(settings, held, gone, [r.id for r in lines if r.kind == "purged" and r.id not in entered]))
    words = f"{len(held)} snapshots held, {len(gone)} purged"
    if due:
        words += f", {due} past retention: run 'ewarn purge'"
    received = tables.one(con, "SELECT count(DISTINCT sha256) FROM receipt WHERE sha256 <> ''")
    if received and not lines:
        faults.append("raw/receipts.jsonl is gone; restore it from a backup")
    return Check(name="raw store", ok=not faults, words="; ".join([words, *faults]))


def _faults(settings: Settings, held: set[str], gone: set[str], waiting: list[str]) -> Iterator[str]:
    plain, again = len(snapshots.plain_ones(settings)), [sha for sha in gone if snapshots.is_kept(settings, sha)]
    lost = [sha for sha in held if not snapshots.is_kept(settings, sha)]
    if plain:
        yield f"{plain} lie here unencrypted: run 'ewarn init'"
    if waiting or again:
        yield f"a purge was cut short, or a backup brought {len(again)} back: run 'ewarn purge'"
    if lost:
        yield f"{len(lost)} are missing without having been purged; restore raw/ from a backup"
