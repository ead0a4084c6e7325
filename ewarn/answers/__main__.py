"""The answer service as a process of its own: `python -m ewarn.answers --folder HOME/answers --key file:PATH`.

`ewarn answers serve` starts it so. It runs as well on another machine, as a user who can read the published list and
the keys, write the spool, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from ewarn.answers.service import Service, application
from ewarn.errors import EwarnError, Refused
from ewarn.personal import keys


def secret(reference: str) -> str:
    """A key behind `env:NAME` or `file:PATH`. Raises: Refused."""
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest in os.environ:
        return os.environ[rest]
    if scheme == "file" and Path(rest).is_file():
        return Path(rest).read_text().strip()
    raise Refused("a key of personal links cannot be read", where=scheme, next_step="Name it as env:NAME or file:PATH.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="ewarn.answers", description="Pages on which recipients answer alerts.")
    parser.add_argument("--folder", type=Path, required=True, help="where shown.json lies and answers are spooled")
    parser.add_argument("--key", action="append", required=True, help="env:NAME or file:PATH, newest first")
    parser.add_argument("--public", type=Path, help="folder of published files, served read-only as they lie")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--proxy", default="127.0.0.1", help="addresses of reverse proxies that may name the client")
    said = parser.parse_args()
    try:
        held = keys.read(said.key, secret, said.folder)
    except EwarnError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_status
    made = application(Service(said.folder, held), said.public or said.folder / "public")
    # No access log: a path holds a token.
    uvicorn.run(
        made, host=said.host, port=said.port, access_log=False, log_level="warning", server_header=False,
        proxy_headers=True, forwarded_allow_ips=said.proxy, timeout_keep_alive=5, limit_concurrency=200,
        h11_max_incomplete_event_size=16_384, timeout_graceful_shutdown=5,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
