"""What a method is worth where nobody says: mass spectrometry confirms, a strip never does."""

from __future__ import annotations

import polars as pl
import pytest

from ewarn.intake.analysis import presumed


@pytest.mark.parametrize(
    ("method", "presumptive"),
    [
        *((m, False) for m in (
            "GC-MS", "LC-MS/MS", "lc/ms", "UPLC-QTOF", "LC-QTOF-MS", "GCMS", "UHPLC-MS/MS", "HPLC-MS", "NMR", "LC-HRMS",
            "FTIR and GC-MS", "strip, then LC-MS", "mass spectrometry", "confirmatory",
        )),
        *((m, True) for m in (
            "FTIR", "ATR-FTIR", "fentanyl test strip", "Strips", "lateral flow", "immunoassay", "Marquis reagent",
            "Raman", "field test", "LC-MS screen", "presumptive", "GC-MS (unconfirmed)", "IR strip",
        )),
        *((m, None) for m in ("laboratory", "HPLC", "GC-FID", "toxicology", "", "microgram scales", "stripped")),
    ],
)  # fmt: skip
def test_a_method(method: str, presumptive: bool | None) -> None:
    assert pl.select(presumed(pl.lit(method))).item() is presumptive


def test_no_method_says_nothing() -> None:
    assert pl.select(presumed(pl.lit(None, pl.String))).item() is None
