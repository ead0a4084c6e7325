"""ewarn: early warning for emerging drugs. Bytes in, warning out; every figure traceable; a person decides."""

import os

# Polars gives freed memory back after ten seconds, not at once, and keeps it in two places, not in four a processor. It
# reads this when it is imported and never again.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,narenas:2")

__version__ = "0.1.0"
