"""Text that is not ASCII alone is read where the store is in use too, as a process of its own finds out."""

from __future__ import annotations

import subprocess
import sys

READ = """
import ewarn.store.tables
from ewarn.intake.decoding import clean
assert clean("Prénom,n\\n".encode() + "Zoë,1\\n".encode() * 2_000).line_end == b"\\n"
"""


def test_a_long_text_with_accents_is_read_beside_the_store() -> None:
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
