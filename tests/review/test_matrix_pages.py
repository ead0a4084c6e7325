"""The matrix as a page and as a sheet: every word is text, and 1,000 partners by 50 alerts take under a second."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ewarn.pipeline import matrix
from ewarn.pipeline.house import House, open_house
from ewarn.store import tables

NOW = datetime(2025, 5, 19, 9, tzinfo=UTC)
ALERTS, PARTNERS = 50, 1000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Every partner was sent every alert; of each pair of partners one read it, of each ten one bounced."""
    home = tmp_path_factory.mktemp("matrix")
    (home / "ewarn.toml").write_text('standing = "exercise"\nissuer = "LDN"\n')
    made = open_house(home, None, {}, clock=lambda _: NOW)
    alerts = [
        {"id": f"LDN-2025-{a:04d}/A1", "version": 1, "case_ref": f"LDN-2025-{a:04d}", "status": "issued", "hash": "",
         "created_at": NOW, "body": "{}"} for a in range(ALERTS)
    ]  # fmt: skip
    sent = [
        {"id": f"{a:04d}{p:012d}", "identity": f"{a} {p}", "alert": alerts[a]["id"], "version": 1, "page": "",
         "destination": f"=p{p:04d}<b>", "channel": "email", "audience": "professional", "format": "email",
         "state": "sent", "attempts": 1, "last_error": "", "standing": "exercise", "why": "", "possible_repeat": False}
        for a in range(ALERTS) for p in range(PARTNERS)
    ]  # fmt: skip
    receipts = [{"delivery": d["id"], "attempted_at": NOW, "attempt": 1, "state": "sent", "error": ""} for d in sent]
    read = [{"delivery": d["id"], "person": "", "acknowledged_at": NOW, "text": "read"} for d in sent[::2]]
    back = [
        {"id": d["id"], "delivery": d["id"], "destination": d["destination"], "kind": "permanent", "status": "5.1.1",
         "words": "gone", "read_at": NOW} for d in sent[1::10]
    ]  # fmt: skip
    with made.db.write("matrix") as tx:
        tables.insert(tx, "alert", pl.DataFrame(alerts))
        tables.insert(tx, "delivery", pl.DataFrame(sent))
        tables.insert(tx, "delivery_receipt", pl.DataFrame(receipts).with_columns(possible_repeat=False))
        tables.insert(tx, "acknowledgement", pl.DataFrame(read))
        tables.insert(tx, "bounce", pl.DataFrame(back))
        tables.put(tx, "withheld", alert=alerts[0]["id"], version=1, destination="police", reason="not for enforcement")
    made.db.publish()
    return made


def test_a_thousand_partners_by_fifty_alerts_take_under_a_second(house: House) -> None:
    began = time.process_time()
    report = matrix.matrix(house, NOW)
    assert time.process_time() - began < 1.0
    assert len(report.cells) == ALERTS * PARTNERS + 1
    first = report.alerts[0]
    assert (first["partners"], first["read"], first["bounced"], first["sent"], first["withheld"]) == (
        1001, 500, 100, 400, 1,
    )  # fmt: skip


def test_a_sheet_holds_no_formula_and_a_page_no_markup_of_others(house: House, tmp_path: Path) -> None:
    alert = "LDN-2025-0000/A1"
    rows = matrix.sheet(house, alert).splitlines()
    assert len(rows) == PARTNERS + 2 and rows[1].startswith("'=p0000<b>,") and ",read," in rows[1]
    assert "not for enforcement" in rows[-1]
    page = matrix.page(house, NOW, alert)
    assert "=p0000&lt;b&gt;" in page and "<b>" not in page and "http" not in page and "<script" not in page
    assert page.count("<tr>") == PARTNERS + 2 and "bounced" in page
