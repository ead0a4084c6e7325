"""The one script of others that a page may load: Vega, out of the installed wheel of vl-convert, whole, as a file."""

from __future__ import annotations

import gzip
import subprocess
import sys
from functools import cache
from threading import Lock

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Visit
from ewarn.errors import StoreFault
from ewarn.pipeline import signalpage

router = APIRouter()
BUNDLE = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
SECONDS = 120
_MAKING = Lock()


@router.get("/assets/vega.js")
def vega(desk: Visit) -> Response:
    with _MAKING:
        body = bundle()
    kept = {"Content-Encoding": "gzip", "Cache-Control": "private, max-age=86400", "Vary": "Accept-Encoding"}
    return Response(body, media_type="text/javascript", headers=kept)


@cache
def bundle() -> bytes:
    """Vega, Vega-Lite and Vega-Embed with its expression interpreter, packed. Made in a process of its own: it takes
    seconds and a hundred megabytes, once."""
    try:
        made = subprocess.run([sys.executable, "-c", BUNDLE], capture_output=True, check=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as fault:
        words = "the script that draws charts cannot be made"
        raise StoreFault(words, next_step="Every page is whole without it.") from fault
    return gzip.compress(made.stdout, mtime=0)


@router.get("/signals/{signal}/series.json")
def series(desk: Visit, signal: str) -> dict[str, object]:
    """The series of a signal as a chart's specification, its numbers inside."""
    return signalpage.chart_of(desk.house, signal, desk.now)
