"""A compressed answer, inflated piece by piece: gzip with any number of members, zlib, and bare deflate.

In: pieces as they come. Out: inflated pieces, never more at once than asked for. It must never hold more than one
piece, nor take a cut-off answer for a whole one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ewarn.errors import TerminalSourceError

_GZIP_OR_ZLIB, _BARE = 47, -15


class Inflater:
    """One answer's inflating. `whole` says whether what came so far is complete."""

    def __init__(self) -> None:
        self._part = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
        self._begun = False

    @property
    def whole(self) -> bool:
        return self._part.eof

    def pieces(self, chunk: bytes, most: int) -> Iterator[bytes]:
        """What a chunk inflates to, in pieces that hold at most `most` bytes together.

        Where that is reached, the rest of the chunk is left. Raises: TerminalSourceError where it is damaged.
        """
        while chunk and most > 0:
            if self._part.eof:  # zero padding is no further member
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._part = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
            piece = self._inflated(chunk, most)
            self._begun = True
            most -= len(piece)
            yield piece
            chunk = self._part.unused_data if self._part.eof else b""

    def _inflated(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._part.decompress(chunk, most)
        except zlib.error as error:
            if self._begun:
                raise TerminalSourceError(f"the compressed answer is damaged: {error}") from error
        self._part = zlib.decompressobj(wbits=_BARE)
        try:
            return self._part.decompress(chunk, most)
        except zlib.error as error:
            raise TerminalSourceError(f"the compressed answer is damaged: {error}") from error
