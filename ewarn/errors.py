"""What can go wrong, said so that a person knows what to do next.

    EwarnError                    exit status
    ├── UsageFault                2   the call's words are off
    ├── ContentFault              3   a definition under sources/ or alerts/ has a fault
    ├── UnusableInput             4   nothing usable came, or all of it went to quarantine
    │   ├── TransientSourceError      a retry makes sense (time-out, 5xx)
    │   │   └── SourceBusy            the publisher asks us to wait (429, 503)
    │   └── TerminalSourceError       a retry does not help (HTML answer, 404, too large)
    ├── StoreBusy                 5   another writer holds the lock
    ├── StoreFault                5   the clock jumped, the file is newer than this program
    │   └── DiskFull                  nothing more can be written until somebody frees space
    └── Refused                   6   a rule of safety says no (approval, exercise, role, area)

Every error carries what happened, where, and what to do next; the command line prints the three and no traceback.
"""

from __future__ import annotations


class EwarnError(Exception):
    """A fault with its place and its remedy."""

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        what = f"{self.what} [{self.where}]" if self.where else self.what
        return f"{what}. {self.next_step}" if self.next_step else what


class UsageFault(EwarnError):
    exit_status = 2


class ContentFault(EwarnError):
    """One or more faults in definitions; `faults` holds every one of them."""

    exit_status = 3

    def __init__(self, what: str, *, where: str = "", next_step: str = "", faults: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.faults = faults


class UnusableInput(EwarnError):
    exit_status = 4


class TransientSourceError(UnusableInput):
    """A retry makes sense."""


class SourceBusy(TransientSourceError):
    """A retry makes sense, but not before the publisher allows it; `retry_after_seconds` where it said when."""

    def __init__(
        self, what: str, *, where: str = "", next_step: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.retry_after_seconds = retry_after_seconds


class TerminalSourceError(UnusableInput):
    """A retry does not help."""


class StoreBusy(EwarnError):
    exit_status = 5


class StoreFault(EwarnError):
    exit_status = 5


class DiskFull(StoreFault):
    """Nothing more can be written until somebody frees space."""


class Refused(EwarnError):
    exit_status = 6
