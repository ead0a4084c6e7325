"""The command line: words and options in, one answer out (tables for people, one JSON document with --json).

It calls the pipeline and nothing else. It must never decide, never show a traceback for a fault that has a remedy,
never take a secret as an argument, and with --json never write anything but the document to stdout.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. In: the words after `ewarn`; None takes them from the process."""
    from ewarn.cli.app import run

    return run(argv)
