"""Approvals are acts of named panel members for that area, on the exact text, and never the author's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ewarn.assess import decide, due
from ewarn.errors import Refused
from ewarn.terms import Alert, AlertStatus, Decision, Person, PersonRole, Product, Standing

CAMDEN, CROYDON, LONDON, UK = "E09000007", "E09000008", "E12000007", "K02000001"
MONDAY_NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
SUNDAY_NIGHT = datetime(2025, 3, 2, 2, 10, tzinfo=UTC)


def person(name: str, *roles: PersonRole, areas: tuple[str, ...] = (LONDON,), active: bool = True) -> Person:
    return Person(id=name, name=name.title(), roles=roles or (PersonRole.PANEL,), areas=areas, active=active)


def an_alert(**more) -> Alert:
    values = {
        "id": "LDN-2025-0001/A1",
        "case": "LDN-2025-0001",
        "version": 2,
        "product": Product.FORMAL_ALERT,
        "status": AlertStatus.REVIEW,
        "standing": Standing.ACTUAL,
        "area": CAMDEN,
        "author": "ann",
        "template_versions": {},
        "advice_versions": {},
        "content": {},
        "created_at": MONDAY_NOON,
        "hash": "h2",
    }
    return Alert.model_validate(values | more)


@pytest.fixture
def approve(catalogue):
    def run(who: Person, decisions=(), seen="h2", at=MONDAY_NOON, alert=None, **more):
        return decide.approve(alert or an_alert(), who, list(decisions), seen, at, catalogue, **more)

    return run


def test_two_panel_members_on_the_same_hash_complete_a_formal_alert(approve):
    first = approve(person("bob"))
    assert (first.complete, first.audiences, first.status) == (False, (), AlertStatus.REVIEW)
    second = approve(person("cat"), [first.decision])
    assert second.complete and second.status is AlertStatus.APPROVED
    assert second.audiences == ("professional", "public")
    assert second.decision.hash == "h2" and second.decision.version == 2


@pytest.mark.parametrize("product", [Product.SHARE, Product.CORROBORATE])
def test_the_light_products_need_one_approver(approve, product):
    assert approve(person("bob"), alert=an_alert(product=product)).complete


def test_nobody_approves_twice_nor_the_author_of_any_version(approve):
    first = approve(person("bob"))
    with pytest.raises(Refused, match="approved this text already"):
        approve(person("bob"), [first.decision])
    with pytest.raises(Refused, match="wrote this text"):
        approve(person("ann"))
    drafted = Decision(act="drafted", person="dan", at=MONDAY_NOON, alert="LDN-2025-0001/A1", version=1, hash="h1")
    with pytest.raises(Refused, match="wrote this text"):
        approve(person("dan"), [drafted])


def test_another_role_another_area_and_the_inactive_are_refused(approve):
    with pytest.raises(Refused, match="no panel role"):
        approve(person("bob", PersonRole.DUTY))
    with pytest.raises(Refused, match="do not cover Camden"):
        approve(person("bob", areas=(CROYDON,)))
    with pytest.raises(Refused, match="no longer active"):
        approve(person("bob", active=False))
    for areas in ((CAMDEN,), (LONDON,), (UK,)):
        assert approve(person("bob", areas=areas)).decision.person == "bob"


def test_a_borough_does_not_cover_its_region(approve):
    with pytest.raises(Refused, match="do not cover London"):
        approve(person("bob", areas=(CAMDEN,)), alert=an_alert(area=LONDON))


def test_an_earlier_hash_is_refused_with_the_version_it_was_of(approve):
    submitted = Decision(act="submitted", person="ann", at=MONDAY_NOON, alert="LDN-2025-0001/A1", version=1, hash="h1")
    with pytest.raises(Refused, match="hash of version 1; the text is now version 2"):
        approve(person("bob"), [submitted], seen="h1")
    with pytest.raises(Refused, match="not of version 2"):
        approve(person("bob"), seen="nonsense")


def test_approvals_of_another_version_or_hash_do_not_count(approve, catalogue):
    old = [
        Decision(act="approved", person="cat", at=MONDAY_NOON, alert="LDN-2025-0001/A1", version=1, hash="h1"),
        Decision(act="approved", person="eve", at=MONDAY_NOON, alert="LDN-2025-0001/A1", version=2, hash="h1"),
        Decision(act="approved", person="fay", at=MONDAY_NOON, alert="LDN-2025-0009/A1", version=2, hash="h2"),
    ]
    assert not approve(person("bob"), old).complete
    assert decide.audiences(an_alert(), old, catalogue) == ()


def test_a_draft_cannot_be_approved_nor_what_is_withdrawn(approve):
    with pytest.raises(Refused, match="not been submitted"):
        approve(person("bob"), alert=an_alert(status=AlertStatus.DRAFT))
    with pytest.raises(Refused, match="withdrawn"):
        approve(person("bob"), alert=an_alert(status=AlertStatus.WITHDRAWN))


def test_out_of_hours_one_member_reaches_professionals_and_review_falls_due_next_working_day(approve):
    alone = approve(person("bob"), at=SUNDAY_NIGHT, out_of_hours=True)
    assert alone.audiences == ("professional",) and alone.tell_panel and not alone.complete
    assert alone.status is AlertStatus.APPROVED and alone.decision.act == "out-of-hours"
    assert alone.second_review_by == datetime(2025, 3, 3, 17, tzinfo=UTC)
    review = approve(person("cat"), [alone.decision], alert=an_alert(status=AlertStatus.ISSUED))
    assert review.decision.act == "reviewed" and review.complete and "public" in review.audiences


def test_in_working_hours_the_out_of_hours_way_is_refused(approve):
    with pytest.raises(Refused, match="can be convened now"):
        approve(person("bob"), out_of_hours=True)
    with pytest.raises(Refused, match="one approver at any hour"):
        approve(person("bob"), at=SUNDAY_NIGHT, out_of_hours=True, alert=an_alert(product=Product.SHARE))


def test_the_author_cannot_use_the_out_of_hours_way(approve):
    with pytest.raises(Refused, match="wrote this text"):
        approve(person("ann"), at=SUNDAY_NIGHT, out_of_hours=True)


def test_status_follows_the_decisions_and_what_is_out_stays_out():
    submitted = Decision(act="submitted", person="ann", at=MONDAY_NOON, alert="LDN-2025-0001/A1", version=2, hash="h2")
    draft = an_alert(status=AlertStatus.DRAFT)
    assert decide.status(draft, []) is AlertStatus.DRAFT
    assert decide.status(draft, [submitted]) is AlertStatus.REVIEW
    assert decide.status(an_alert(status=AlertStatus.ISSUED), []) is AlertStatus.ISSUED


@pytest.mark.parametrize(
    ("at", "working", "review_day"),
    [
        (datetime(2025, 3, 3, 8, 59, tzinfo=UTC), False, 3),
        (datetime(2025, 3, 3, 9, 0, tzinfo=UTC), True, 4),
        (datetime(2025, 3, 7, 20, 0, tzinfo=UTC), False, 10),
        (datetime(2025, 4, 17, 20, 0, tzinfo=UTC), False, 22),
        (datetime(2025, 7, 1, 16, 30, tzinfo=UTC), False, 2),
    ],
    ids=["before nine", "at nine", "Friday evening", "before Easter", "summer time"],
)
def test_working_hours_are_london_hours_on_english_working_days(catalogue, at, working, review_day):
    assert due.in_working_hours(at, catalogue.grading) is working
    assert due.second_review_by(at, catalogue.grading).day == review_day


def test_a_report_on_friday_is_answered_by_tuesday(catalogue):
    friday = datetime(2025, 3, 7, 15, tzinfo=UTC)
    assert due.answer_by(friday, catalogue.grading) == datetime(2025, 3, 11, 15, tzinfo=UTC)
