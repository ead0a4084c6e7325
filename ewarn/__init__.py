"""ewarn: early warning for emerging drugs. Bytes in, warning out; every figure traceable; a person decides."""

__version__ = "0.1.0"
