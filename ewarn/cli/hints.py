"""Hints a person can paste: `ewarn status` becomes the program as it was called, with the home it was called with.

In: text with commands in backticks or quotes, written with the program's plain name. Out: the same text, runnable here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

_HINT = re.compile(r"(?<=[`'])ewarn(?= [a-z])")


def program() -> str:
    """What to type for this program: its name where the PATH finds it, else the path it was started by."""
    started = Path(sys.argv[0])
    if started.name != "ewarn":
        return "ewarn" if shutil.which("ewarn") else f"{shlex.quote(sys.executable)} -m ewarn.cli"
    found = shutil.which("ewarn")
    if found and Path(found).resolve() == started.resolve():
        return "ewarn"
    beneath = os.path.relpath(started)
    return shlex.quote(str(started) if beneath.startswith("..") else beneath)


def runnable(text: str, call: str) -> str:
    """The text with every command in it spelled as `call`."""
    return _HINT.sub(lambda _: call, text)
