"""ewarn: early warning for emerging drugs. Bytes in, warning out; every figure traceable; a person decides."""

import os

# Polars gives freed memory back after two seconds, not at once. It reads this when it is imported and never again.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:2000")

__version__ = "0.1.0"
