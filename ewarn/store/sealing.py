"""Sealing: plain bytes in; compressed (zstd), then encrypted (age) bytes out, and the SHA-256 of what went in.

Also a process of its own, so that a large file is sealed beside its reading: the file on standard input, the sealed
bytes on standard output, the hash on standard error. It is given the public key alone and ends with the number of the
operating system's fault, if there was one. Imports nothing of ewarn; plain bytes never touch the disk here.
"""

from __future__ import annotations

import errno
import hashlib
import sys
from typing import BinaryIO

import pyrage  # type: ignore[import-untyped]
import zstandard

LEVEL = 1
BLOCK = 1 << 20


def seal(plain: BinaryIO, sealed: BinaryIO, public_key: str) -> str:
    """Write the sealed bytes. Returns the hash of the plain ones. Raises: OSError as the two files do."""
    source, sink = _Hashing(plain), _Faithful(sealed)
    packer = zstandard.ZstdCompressor(LEVEL, write_checksum=True)
    packed = packer.stream_reader(source, read_size=BLOCK, closefd=False)  # type: ignore[arg-type]
    try:
        pyrage.encrypt_io(packed, sink, [pyrage.x25519.Recipient.from_str(public_key)])
    except pyrage.EncryptError:
        raise (source.fault or sink.fault or OSError("the encryption failed")) from None
    return source.sha256.hexdigest()


class _Hashing:
    """Plain bytes on their way, hashed as they pass."""

    def __init__(self, plain: BinaryIO) -> None:
        self.plain, self.sha256 = plain, hashlib.sha256()
        self.fault: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            block = self.plain.read(size)
        except Exception as error:
            self.fault = error
            raise
        self.sha256.update(block)
        return block


class _Faithful:
    """A file whose own fault is kept: the encryption would turn a full disk into words."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.fault: Exception | None = None

    def write(self, block: bytes) -> int:
        try:
            return self.out.write(block)
        except Exception as error:
            self.fault = error
            raise

    def flush(self) -> None:
        self.out.flush()


def main() -> None:
    try:
        sys.stderr.write(seal(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1]))
        sys.stdout.buffer.flush()
    except OSError as error:
        sys.exit(error.errno or errno.EIO)


if __name__ == "__main__":
    main()
