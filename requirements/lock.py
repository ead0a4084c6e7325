"""Lock run.in and dev.in again: `python requirements/lock.py`, with uv on the PATH.

pip's hash mode wants a pin for every spelling of a requirement. Prefect asks for `sqlalchemy[asyncio]` and Alembic for
`sqlalchemy`, and uv writes one of them: the block is written twice.
"""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header"]
TWICE = re.compile(r"^sqlalchemy(==[^#]*?)(?:\n    # .*)+\n", re.MULTILINE)

for name in ("run", "dev"):
    subprocess.run([*COMPILE, "--python-version", "3.11", f"{name}.in", "-o", f"{name}.txt"], cwd=HERE, check=True)
    locked = HERE / f"{name}.txt"
    text, written = TWICE.subn(r"\g<0>sqlalchemy[asyncio]\1\n    # via prefect\n", locked.read_text())
    assert written == 1, f"{locked}: sqlalchemy is not there once"
    locked.write_text(text)
