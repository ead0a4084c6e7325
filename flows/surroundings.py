"""The environment every part of `make serve` runs in: where state lies, loopback only, nothing sent home."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POOL = "ewarn"  # the name that prefect.yaml sends deployments to
HEARTBEAT_SECONDS = 30
SLOT_WAIT_SECONDS = 2

FIXED = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    # A flow run that waits for the write slot looks again after about two seconds, not after up to thirty.
    "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": str(SLOT_WAIT_SECONDS),
    "PREFECT_WORKER_QUERY_SECONDS": "5",
    "PYTHONUNBUFFERED": "1",
}


def prepare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with our settings in it; state under var/ where nothing else is said.

    A PREFECT_API_URL of the caller's is dropped: it would send our runs to somebody else's server.
    """
    ours = {key: value for key, value in environ.items() if key not in ("PREFECT_API_URL", "PREFECT_PROFILE")}
    ours.setdefault("PREFECT_HOME", str(ROOT / "var" / "prefect"))
    ours.setdefault("EWARN_HOME", str(ROOT / "var" / "ewarn"))
    ours["EWARN_ROOT"] = str(ROOT)
    Path(ours["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True, mode=0o700)
    return ours | FIXED
