"""Run the desk on a loopback port until it is stopped."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import uvicorn

from ewarn.desk.app import create_app, environment
from ewarn.pipeline import warming
from ewarn.pipeline.house import House

LOOPBACK = "127.0.0.1"


def serve(house: House, *, port: int) -> None:
    """Blocks. Listens on the loopback address alone: what is to be reached from elsewhere goes through a proxy here.

    Headers of a proxy are looked at by the desk itself, and only where the settings name one.
    """
    house.db.keep_open()
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # DuckDB asks for it at every value it is given
    for name in environment().list_templates():
        environment().get_template(name)  # written as Python now, not for the first reader of each page
    ended = warming.keep(house, lambda: datetime.now(UTC))
    app = create_app(lambda: house, lambda: datetime.now(UTC))
    uvicorn.run(app, host=LOOPBACK, port=port, log_level="warning", server_header=False, proxy_headers=False)
    ended.set()
