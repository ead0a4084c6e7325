"""The vault: raw bytes at rest are compressed (zstd), then encrypted (age), with keys held by reference.

In: plain bytes and settings. Out: files that `age -d -i KEY FILE | zstd -d` opens without ewarn, and the plain bytes
again as a stream. Plain bytes never touch the disk here, no more than a few megabytes are held at once, and no key is
ever printed, backed up or kept among the raw bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyrage  # type: ignore[import-untyped]
import zstandard

from ewarn.errors import EwarnError, StoreFault
from ewarn.settings import Settings
from ewarn.store import files
from ewarn.store import sealing as sealer
from ewarn.store.sealing import BLOCK as BLOCK

ENDING = ".zst.age"
LARGE = 64 << 20
BLOCKS_WAITING = 4
SECRET_LINE = "AGE-SECRET-KEY-"
DIGEST_KEY_BYTES = 32


def own_key(settings: Settings) -> Path | None:
    """The key file inside the home that ewarn makes by itself; None where the settings name keys kept elsewhere."""
    return None if settings.raw_key else settings.home / "keys" / "raw.age"


def make_key(settings: Settings) -> Path | None:
    """Make the home's own key where there is none and nothing was encrypted yet. Returns its path when it was made."""
    path = own_key(settings)
    if path is None or path.is_file() or _holds_sealed(settings):
        return None
    made = pyrage.x25519.Identity.generate()
    files.make_folder(path.parent)
    with suppress(FileExistsError):  # somebody else was first: theirs holds
        files.write_new(path, f"# public key: {made.to_public()}\n{made}\n".encode())
    return path


def identities(settings: Settings) -> list[Any]:
    """Every key that may open the vault; the first one seals. Raises: StoreFault where one cannot be read."""
    make_key(settings)
    own = own_key(settings)
    references = [f"file:{own}"] if own else list(settings.raw_key)
    found = [identity for reference in references for identity in _keys_behind(settings, reference)]
    if not found:
        raise _no_key(", ".join(references), "it holds no key")
    return found


def key_files(settings: Settings) -> list[Path]:
    """The files that the keys of the raw store are read from; none where they come from the environment."""
    own = own_key(settings)
    given = [settings.secrets.get(reference, reference) for reference in settings.raw_key]
    named = [settings.home / reference.removeprefix("file:") for reference in given if reference.startswith("file:")]
    return [path for path in [own, *named] if path is not None and path.is_file()]


def digest_key(settings: Settings) -> bytes:
    """The home's key for keyed hashes over small things that could be guessed, such as the name of a place.

    Made at first use. It is never exchanged: another key would make new hashes of the same places.
    """
    if settings.digest_key:
        return settings.secret(settings.digest_key).encode()
    path = settings.home / "keys" / "digest.key"
    if not path.is_file():
        files.make_folder(path.parent)
        with suppress(FileExistsError):
            files.write_new(path, secrets.token_hex(DIGEST_KEY_BYTES).encode() + b"\n")
    return path.read_bytes().strip()


def keyed_digest(key: bytes, text: str, length: int = 16) -> str:
    """A hash that nobody without the key can find by trying out names."""
    return hmac.digest(key, text.encode(), "sha256").hex()[:length]


@contextmanager
def sealing(
    settings: Settings,
    body: bytes | Path,
    target: Path,
    expected: str = "",
    named: Callable[[str], Path] | None = None,
) -> Iterator[None]:
    """Compress, encrypt, write beside, fsync, rename. `expected` is the SHA-256 that the plain bytes must have; where
    it is not known, `named` is told it and says which path the file is to be.

    A large file is sealed by a process of its own while the block runs; where the block fails it is not kept.
    Raises: StoreFault where no key can be read, the disk is full, or the bytes are other ones; nothing is left behind.
    """
    public_key = str(identities(settings)[0].to_public())
    found = expected
    name = (lambda: named(found)) if named else None
    with files.plain_faults(target), plain_file(body) as plain, files.beside(target, name) as out:
        if isinstance(body, Path) and body.stat().st_size > LARGE:
            with _started(plain, out, public_key) as child:
                yield
                said = child.communicate()[1]
            if child.returncode:
                raise OSError(child.returncode, os.strerror(child.returncode))
            found = said.decode()
        else:
            found = sealer.seal(plain, out, public_key)
            yield
        if expected and found != expected:
            raise StoreFault(
                "the bytes changed while they were being kept", next_step="Wait until the file is whole, then repeat."
            )


@contextmanager
def _started(plain: BinaryIO, out: BinaryIO, public_key: str) -> Iterator[subprocess.Popen[bytes]]:
    """The sealing process; it is ended where the block fails."""
    command = [sys.executable, "-I", sealer.__file__, public_key]
    with subprocess.Popen(command, stdin=plain, stdout=out, stderr=subprocess.PIPE) as child:
        try:
            yield child
        except BaseException:
            child.kill()
            raise


def seal(settings: Settings, body: bytes, target: Path) -> None:
    """The same for a few bytes."""
    with sealing(settings, body, target):
        pass


def unseal(settings: Settings, path: Path) -> BinaryIO:
    """The plain bytes of a sealed file, read once from its beginning, a few blocks at a time.

    Raises (while reading): StoreFault where no key opens it or it was altered or cut short.
    """
    return io.BufferedReader(_Unsealed(identities(settings), path), BLOCK)


def opens(settings: Settings, path: Path) -> bool:
    """Whether one of the keys opens this file and its beginning is whole; a few kilobytes are read."""
    try:
        with unseal(settings, path) as found:
            found.read(1)
    except StoreFault:
        return False
    return True


def _holds_sealed(settings: Settings) -> bool:
    return next(settings.raw.glob(f"[0-9a-f][0-9a-f]/*{ENDING}"), None) is not None


def _keys_behind(settings: Settings, reference: str) -> Iterator[Any]:
    try:
        lines = settings.secret(reference).splitlines()
    except (EwarnError, OSError, UnicodeDecodeError) as error:
        raise _no_key(reference, error.what if isinstance(error, EwarnError) else type(error).__name__) from None
    for line in lines:
        if line.strip().startswith(SECRET_LINE):
            try:
                yield pyrage.x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                raise _no_key(reference, "it is not an age key") from None


def _no_key(reference: str, why: str) -> StoreFault:
    return StoreFault(
        f"the key of the raw store cannot be used ({why}): raw bytes can be neither kept nor read",
        where=reference,
        next_step="Put the key file back where raw_key in ewarn.toml (else keys/raw.age in the home) says it is."
        " Records, signals and messages work without it.",
    )


class _Between:
    """Decrypted blocks on their way from the thread that opens a file to whoever reads it; a few at a time."""

    def __init__(self) -> None:
        self.blocks: queue.Queue[bytes | Exception | None] = queue.Queue(BLOCKS_WAITING)
        self.gathered = bytearray()
        self.abandoned = False

    def write(self, block: bytes) -> int:
        if self.abandoned:
            raise BrokenPipeError
        self.gathered += block
        if len(self.gathered) >= BLOCK:
            self.flush()
        return len(block)

    def flush(self) -> None:
        if self.gathered:
            self.blocks.put(bytes(self.gathered))
            self.gathered.clear()

    def read(self, size: int = -1) -> bytes:
        found = self.blocks.get()
        if isinstance(found, bytes):
            return found
        self.blocks.put(found)  # the end stays the end
        if found is not None:
            raise found
        return b""

    def decrypt(self, keys: list[Any], path: Path) -> None:
        """The thread's work. Whatever ends it is handed to the reader, never printed."""
        end: Exception | None = None
        try:
            with path.open("rb", BLOCK) as sealed:
                pyrage.decrypt_io(sealed, self, keys)
            self.flush()
        except BrokenPipeError:
            return
        except pyrage.DecryptError as error:
            end = _wrong_key(path) if "No matching keys" in str(error) else altered(path)
        except OSError as error:
            end = altered(path) if error.errno is None else error
        self.blocks.put(end)


class _Unsealed(io.RawIOBase):
    """The plain bytes of one sealed file, sequentially."""

    def __init__(self, keys: list[Any], path: Path) -> None:
        self._path, self._between = path, _Between()
        self._plain = zstandard.ZstdDecompressor().stream_reader(self._between, read_size=BLOCK)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._between.decrypt, args=(keys, path), daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._plain.readinto(buffer)
        except zstandard.ZstdError:
            raise altered(self._path) from None

    def close(self) -> None:
        if not self.closed:
            self._between.abandoned = True
            while self._thread.is_alive():
                with suppress(queue.Empty):
                    self._between.blocks.get(timeout=0.01)
        super().close()


def altered(path: Path) -> StoreFault:
    """What is said of a kept file that is no longer what was written."""
    return StoreFault(
        "a snapshot's bytes no longer have its hash", where=str(path), next_step="Restore the file from a backup."
    )


def _wrong_key(path: Path) -> StoreFault:
    return StoreFault(
        "no key here opens this snapshot", where=str(path), next_step="Add the key that sealed it to raw_key."
    )


@contextmanager
def plain_file(body: bytes | Path) -> Iterator[BinaryIO]:
    """Bytes or the file at a path, as something to be read."""
    if isinstance(body, Path):
        with body.open("rb", BLOCK) as opened:
            yield opened
    else:
        yield io.BytesIO(body)


def sha256_of(body: bytes | Path) -> str:
    """The SHA-256 of bytes or of a file, the file read block by block."""
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest()
    with body.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
