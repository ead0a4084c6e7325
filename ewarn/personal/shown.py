"""The list that the answer service may show: alerts that went out, and which delivery is about which version.

In: alerts and deliveries, as the pipeline knows them. Out: one small file, replaced whole. It holds references, titles,
markings, dates and states; keyed marks instead of codes; never a name, an address, a body or who a recipient is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from pydantic import Field

from ewarn.terms import Frozen, canonical

FILE = "shown.json"
GOING_OUT, IN_FORCE, STOOD_DOWN, WITHDRAWN, EXPIRED = "going out", "in force", "stood down", "withdrawn", "expired"


class ShownVersion(Frozen):
    """One version that people have or are about to have."""

    version: int
    dated: date
    kind: str = Field(description="alert | update | stand-down | withdrawal")


class ShownAlert(Frozen):
    """One alert as its page says it."""

    id: str
    reference: str
    title: str
    marking: str
    issuer: str
    standing: str
    state: str = Field(description="in force | stood down | withdrawn | going out; its end is for the reader")
    expires_on: date | None = None
    versions: tuple[ShownVersion, ...]

    @property
    def newest(self) -> ShownVersion:
        return self.versions[-1]

    def state_on(self, day: date) -> str:
        """The state, and 'expired' where the warning is past its end."""
        over = self.state == IN_FORCE and self.expires_on is not None and day > self.expires_on
        return EXPIRED if over else self.state


class ShownDelivery(Frozen):
    """Which version a link is about, until when, and whether several people read what is sent there."""

    alert: str
    version: int
    until: date
    shared: bool
    codes: tuple[str, ...] = Field((), description="a keyed mark of the code, one for each key")


class ShownForm(Frozen):
    """What the reporting form says: whose it is, when somebody reads it, what to do else, and the areas it offers."""

    standing: str = "actual"
    hours: str = "Monday to Friday in working hours, not on bank holidays"
    out_of_hours: str = (
        "ring the on-call number that your own service holds; for advice about somebody's health, ring NHS 111"
    )
    areas: tuple[str, ...] = ()


class Shown:
    """The list as it was last written, and its look-ups."""

    def __init__(
        self,
        alerts: dict[str, ShownAlert],
        deliveries: dict[str, list[object]],
        issuer: str,
        form: ShownForm | None = None,
    ) -> None:
        self.alerts, self.issuer, self.form = alerts, issuer, form or ShownForm()
        self._deliveries = deliveries
        self._by_code = {str(mark): key for key, row in deliveries.items() for mark in row[4:]}
        self._by_reference: dict[str, list[ShownAlert]] = {}
        for alert in alerts.values():
            self._by_reference.setdefault(alert.reference, []).append(alert)

    def delivery(self, name: str) -> ShownDelivery | None:
        row = self._deliveries.get(name)
        if row is None:
            return None
        alert, version, until, shared, *codes = row
        return ShownDelivery.model_validate(
            {"alert": alert, "version": version, "until": until, "shared": shared, "codes": codes}
        )

    def by_code(self, marks: Iterable[str]) -> str:
        """The delivery of a code, by any of its marks; '' where there is none."""
        return next((self._by_code[mark] for mark in marks if mark in self._by_code), "")

    def of_reference(self, reference: str) -> Sequence[ShownAlert]:
        return self._by_reference.get(reference, ())


def body(
    alerts: Sequence[ShownAlert], deliveries: dict[str, ShownDelivery], issuer: str, form: ShownForm | None = None
) -> bytes:
    """The file's bytes: the same for the same list."""
    rows = {k: [d.alert, d.version, d.until.isoformat(), d.shared, *d.codes] for k, d in deliveries.items()}
    listed = {a.id: a.model_dump(mode="json") for a in alerts}
    said = (form or ShownForm()).model_dump(mode="json")
    return canonical({"issuer": issuer, "alerts": listed, "deliveries": rows, "form": said})


def write(folder: Path, words: bytes) -> bool:
    """Replace the list where it changed. Returns whether it did. Raises: OSError."""
    path = folder / FILE
    if path.is_file() and path.read_bytes() == words:
        return False
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f".{FILE}.{os.getpid()}.tmp"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as out:
        out.write(words)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, path)
    return True


def read(path: Path) -> Shown:
    """The list as it stands. Raises: OSError, ValueError where it is not there or not whole."""
    held = json.loads(path.read_bytes())
    alerts = {name: ShownAlert.model_validate(row) for name, row in held["alerts"].items()}
    form = ShownForm.model_validate_json(canonical(held.get("form", {})))
    return Shown(alerts, held["deliveries"], str(held["issuer"]), form)
