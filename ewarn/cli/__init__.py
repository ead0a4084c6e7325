"""The command line: words and options in, one answer out (tables for people, one JSON document with --json).

It calls the pipeline and nothing else. It must never decide, never show a traceback for a fault that has a remedy,
never take a secret as an argument, and with --json never write anything but the document to stdout.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

# The imports and frames of one command leave hardly any rings behind: to look for them seven hundred objects at a time
# took a sixth of a cold command's time.
OBJECTS_BETWEEN_LOOKS = 50_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. In: the words after `ewarn`; None takes them from the process."""
    gc.set_threshold(max(OBJECTS_BETWEEN_LOOKS, gc.get_threshold()[0]), *gc.get_threshold()[1:])
    from ewarn.cli.app import run

    return run(argv)
