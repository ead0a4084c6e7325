"""A contact test holds nothing of a drug: what makes one, and what stops what only calls itself one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ewarn import catalogue as content_room
from ewarn.assess import contact_test, lint
from ewarn.terms import Alert, Payload, Standing

NOW = datetime(2025, 5, 16, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped() -> Any:
    return content_room.load(Path(__file__).resolve().parent.parent.parent)


@pytest.fixture
def written(shipped: Any) -> Alert:
    held = contact_test.case("LDN-CT-2025-0001", "E12000007", Standing.TEST, NOW, 5)
    return contact_test.write(held, shipped, "ann", NOW, alert_id="LDN-CT-2025-0001/A1", issuer_name="Test service")


def payload(text: str, subject: str = "TEST: can you read this?") -> Payload:
    return Payload(audience="professional", format="text", subject=subject, body=text.encode())


def test_a_fresh_one_has_nothing_against_it(shipped: Any, written: Alert) -> None:
    assert contact_test.faults(written, shipped, [payload("Please answer.")]) == []
    assert lint.findings(written, shipped) == []
    assert set(written.content) == contact_test.PARTS


@pytest.mark.parametrize("part", ["found", "sold_as", "what_happened", "advice", "emergency", "figures", "at_risk"])
def test_a_part_about_a_drug_stops_it_and_no_reason_overrides_that(shipped: Any, written: Alert, part: str) -> None:
    other = written.model_copy(update={"content": written.content | {part: ["x"]}})
    (finding,) = lint.findings(other, shipped)
    assert finding.where == part and finding.blocking and not finding.overridable


@pytest.mark.parametrize("name", ["metonitazene", "Nitazenes", "N-desethyl isotonitazene", "fentanyl", "cychlorphine"])
def test_the_name_of_a_drug_stops_it(shipped: Any, written: Alert, name: str) -> None:
    (fault,) = contact_test.faults(written, shipped, [payload(f"Nothing to do with {name}.")])
    assert "names a drug" in fault.what


def test_without_test_in_the_subject_or_the_standing_it_is_none(shipped: Any, written: Alert) -> None:
    assert contact_test.faults(written, shipped, [payload("x", "Please answer")])
    actual = written.model_copy(update={"standing": Standing.ACTUAL})
    assert "never actual" in contact_test.faults(actual, shipped)[0].what
