"""An arrival while its bytes are being kept: hashed, sealed under their hash, and only then the receipt.

In: bytes from a source, or the path of a file. Out: raw/<first two of the hash>/<hash>.zst.age, encrypted by the vault,
and a synced line in raw/receipts.jsonl. A large file of a size that never came before is hashed while it is sealed,
beside its reading; every other one before. A file must never take a name that is not the hash of what was sealed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from ewarn.settings import Settings
from ewarn.store import files, vault
from ewarn.store.receipts import Receipt, append, newest_first
from ewarn.terms import Frozen

_JUST_NOW = 0.5


class SnapshotRef(Frozen):
    """What the records of one staging point back to."""

    sha256: str
    fresh: bool = Field(description="false: this table of these bytes of this source has landed before")
    receipt: Receipt
    remark: str = Field("", description="what is to be said of the arrival: that these bytes had been purged before")


@dataclass
class Arrival:
    """A snapshot whose bytes are being kept."""

    snapshot: SnapshotRef

    def hashed(self, sha256: str) -> None:
        """What its bytes have been found to hash to."""
        receipt = self.snapshot.receipt.model_copy(update={"sha256": sha256})
        self.snapshot = self.snapshot.model_copy(update={"sha256": sha256, "receipt": receipt})


def surely_new(settings: Settings, body: Path) -> bool:
    """Whether a large file's bytes cannot have come before, as none of its size did. One that was written to only just
    now is hashed first all the same: it may be written to still, which its time would not show."""
    state = body.stat()
    if state.st_size <= vault.LARGE or time.time() - state.st_mtime < _JUST_NOW:
        return False
    mark = f'"size":{state.st_size},'.encode()
    return not any(mark in line for line in newest_first(settings))


@contextmanager
def receipt_after(settings: Settings, arrival: Arrival, file: str) -> Iterator[None]:
    """Write the receipt once the block has kept the bytes."""
    yield
    receipt = arrival.snapshot.receipt
    if receipt.file != file:
        vault.seal(settings, file.encode(), name_path(settings, receipt.id))
    append(settings, receipt)


@contextmanager
def keeping_body(settings: Settings, arrival: Arrival, content: bytes | Path, size: int) -> Iterator[None]:
    """Seal the bytes, unless they are kept already and a key of ours opens them. Plain ones of old then go."""
    sha256 = arrival.snapshot.sha256
    if sha256:
        with sealed(settings, sha256, content, size):
            yield
        return

    def named(found: str) -> Path:
        arrival.hashed(found)
        return _folder_made(settings, found) / (found + vault.ENDING)

    files.make_folder(settings.raw)
    with files.plain_faults(settings.raw):
        files.need_room(settings.raw, size)
        with vault.sealing(settings, content, settings.raw / arrival.snapshot.receipt.id, named=named):
            yield


@contextmanager
def sealed(settings: Settings, sha256: str, content: bytes | Path, size: int) -> Iterator[None]:
    """The same where their hash is known."""
    plain = settings.raw / sha256[:2] / sha256
    target = plain.with_name(sha256 + vault.ENDING)
    with ExitStack() as stack:
        if not target.is_file() or not vault.opens(settings, target):
            _folder_made(settings, sha256)
            stack.enter_context(files.plain_faults(settings.raw))
            files.need_room(settings.raw, size)
            stack.enter_context(vault.sealing(settings, content, target, sha256))
        yield
    plain.unlink(missing_ok=True)


def _folder_made(settings: Settings, sha256: str) -> Path:
    files.make_folder(settings.raw)
    return files.make_folder(settings.raw / sha256[:2])


def name_path(settings: Settings, receipt: str) -> Path:
    """Where the name of the file that a receipt is about lies sealed, if it does."""
    return files.make_folder(settings.raw / "names") / f"{receipt}{vault.ENDING}"
