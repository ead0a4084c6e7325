"""The distribution list as a file: faults by row, nothing lost on the way out and back, no formula."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ewarn.dispatch import addressbook
from ewarn.errors import UnusableInput
from ewarn.terms import Recipient

CAMDEN, LONDON = "E09000007", "E12000007"
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(lambda t: " ".join(t.split()))
NAMED = st.one_of(
    WORDS.filter(bool), st.sampled_from(["=1+1", "'=x", "-2", "@sum", "+44 20", "''", "a,b", 'q"q', "a;b"])
)
LISTED = st.builds(
    Recipient,
    id=st.from_regex(r"[a-z][a-z0-9.-]{0,6}", fullmatch=True),
    name=NAMED,
    organisation=NAMED,
    group=WORDS,
    audience=st.sampled_from(addressbook.AUDIENCES),
    areas=st.lists(st.sampled_from([CAMDEN, LONDON]), min_size=1, max_size=2, unique=True).map(tuple),
    channel=st.just("mail"),
    address=NAMED,
    hours=st.sampled_from(["always", "working", "08:00-20:00 daily"]),
    night_channel=st.sampled_from(["", "chat"]),
    night_address=WORDS,
    rota_order=st.one_of(st.none(), st.integers(1, 9)),
    active=st.booleans(),
    confirmed_on=st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2030, 1, 1))),
)
LOOSE = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LOOSE
@given(people=st.lists(LISTED, min_size=1, max_size=6, unique_by=lambda r: r.id))
def test_what_is_written_reads_back_the_same_and_holds_no_formula(catalogue: Any, people: list[Recipient]) -> None:
    text = addressbook.write(people)
    read = addressbook.read(text.encode(), {}, catalogue)
    assert [row.recipient for row in read] == people, [row.faults for row in read]
    again = addressbook.read(text.encode(), {r.id: r for r in people}, catalogue)
    assert {row.outcome for row in again} == {"unchanged"}
    cells = [cell for line in list(csv.reader(io.StringIO(text)))[1:] for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def rows(text: str, catalogue: Any, known: tuple[Recipient, ...] = ()) -> dict[str, addressbook.Row]:
    return {row.id: row for row in addressbook.read(text.encode(), {r.id: r for r in known}, catalogue)}


def test_each_faulty_row_says_every_fault_and_hides_no_other(catalogue: Any) -> None:
    found = rows(
        "id,name,areas,channel,address,hours,rota_order,active,confirmed_on\n"
        f"good,Good,{CAMDEN},mail,g@x.test,working,,yes,2025-01-31\n"
        "Bad Id,,E0900000X,pigeon,,nine to five,,,\n"
        f"r,R,{CAMDEN},mail,r@x.test,,one,perhaps,soon\n"
        f"good,Again,{CAMDEN},mail,g@x.test,,,,\n"
        f"long,L,{CAMDEN},mail,l@x.test,,,,,one more\n",
        catalogue,
    )
    assert [f.split(":")[0] for f in found["Bad Id"].faults] == ["id", "name", "areas", "channel", "hours"]
    assert [f.split(":")[0] for f in found["r"].faults] == ["rota_order", "active", "confirmed_on"]
    assert found["good"].faults == ("id: 'good' stands in line 2 already",)
    assert found["long"].faults == ("the row has more cells than there are columns",)


def test_no_fault_quotes_a_contact_detail(catalogue: Any) -> None:
    found = rows(f"id,name,areas,channel,address,hours\nx@y.test,N,{CAMDEN},pigeon,secret@x.test,0123456\n", catalogue)
    (row,) = found.values()
    assert row.outcome == "rejected" and "secret@x.test" not in " ".join(row.faults)
    assert "0123456" not in " ".join(row.faults)


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_does(catalogue: Any) -> None:
    anna = Recipient(
        id="anna", name="Anna", areas=(CAMDEN,), channel="mail", address="a@x.test", hours="working",
        organisation="Clinic", confirmed_on=date(2025, 1, 1),
    )  # fmt: skip
    head = "id,name,areas,channel"
    assert rows(f"{head}\nanna,Anna,{CAMDEN},mail\n", catalogue, (anna,))["anna"].outcome == "unchanged"
    found = rows(f"{head},organisation,confirmed_on\nanna,Anna B,{CAMDEN},mail,,\n", catalogue, (anna,))["anna"]
    assert (found.outcome, found.changed) == ("changed", ("name", "organisation"))


@pytest.mark.parametrize("body", [b"", b"id,name\nx,y\n", b"id,name,areas,channel,shoe\n1,2,3,4,5\n", b"\xff\xfeid\n"])
def test_what_is_no_such_list_is_refused_in_words(catalogue: Any, body: bytes) -> None:
    with pytest.raises(UnusableInput):
        addressbook.read(body, {}, catalogue)
