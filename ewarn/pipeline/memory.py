"""Memory while a large file is landed: what one part has freed is used for the next one.

To give it back and ask for it anew, part after part, took a tenth of a landing's time. Polars has an allocator of its
own, which is told the same in `ewarn/__init__.py`. Where there is no GNU C library nothing is done.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_NEVER = 1 << 30
_USUAL_TRIM, _USUAL_MMAP = 64 << 20, 32 << 20


@contextmanager
def reused() -> Iterator[None]:
    """Keep what is freed while the block runs; at its end it is given back."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    library.mallopt(_ARENA_MAX, 1)  # one thread's freed memory serves the others too
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
    # Older libraries refuse so high a threshold.
    _ = library.mallopt(_MMAP_THRESHOLD, _NEVER) or library.mallopt(_MMAP_THRESHOLD, _USUAL_MMAP)
    try:
        yield
    finally:
        library.mallopt(_TRIM_THRESHOLD, _USUAL_TRIM)
        library.mallopt(_MMAP_THRESHOLD, _USUAL_MMAP)
        library.malloc_trim(0)
