"""Samples are compared with the batches they could be of alone: that finds what comparing with every one finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ewarn.matching import batches as likeness
from ewarn.matching.looks import Look
from ewarn.rules.batch import areas_at_least
from ewarn.rules.batches import Batch, assigned
from ewarn.rules.tested import Sample

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
WORDS = ("rolex", "rolexs", "bensedin", "bensedim", "teva", "lion")


def some(*values: str, most: int = 2) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=most)


look = st.builds(
    Look,
    form=st.sampled_from(["tablet", "capsule", "powder"]),
    colours=some("blue", "white", "purple", most=1),
    words=some(*WORDS),
    codes=some("m30", "a215", most=1),
    doses=st.frozensets(st.sampled_from([2.0, 30.0]), max_size=1),
    sold_as=st.sampled_from(["", "oxycodone", "diazepam"]),
)


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    found = []
    for number in range(draw(st.integers(2, 30))):
        seen = START + timedelta(days=number, hours=draw(st.integers(0, 5)))
        found.append(
            Sample(
                row=number,
                record=draw(st.sampled_from([f"r{number}", f"r{max(0, number - 1)}"])),
                version=1,
                seen=seen,
                gone=seen + timedelta(days=draw(st.sampled_from([3, 4_000]))),
                day=seen.date(),
                reference=seen.date() - timedelta(days=draw(st.integers(0, 12))),
                look=draw(look),
                held=draw(some("metonitazene", "protonitazene")),
                watched=frozenset({"nitazene"}),
                boroughs=draw(some("E09000007", "E09000003")),
                region=draw(st.sampled_from(["E12000007", ""])),
                late=draw(st.booleans()),
                presumptive=False,
            )
        )
    return found


def _fits(batch: Batch, sample: Sample) -> float | None:
    """How alike a sample is to a batch's first, the days counted to its nearest sample; None where it is not one."""
    around = batch.known(sample.seen)
    if not around:
        return None
    first = batch.first
    around = [member for member in around if member.record != sample.record] or around
    days = min(abs((member.reference - sample.reference).days) for member in around)
    near = bool(first.boroughs) and any(member.boroughs == sample.boroughs for member in around)
    verdict = likeness.alike(first.look, sample.look, days, near=near, content=(first.held, sample.held))
    return verdict.points if verdict.state == "same" else None


def compared_with_every_one(found: list[Sample]) -> list[Batch]:
    made: list[Batch] = []
    for sample in found:
        if not sample.look.enough:
            continue
        fits = [(points, -i) for i, batch in enumerate(made) if (points := _fits(batch, sample)) is not None]
        points, at = max(fits, default=(0.0, -len(made)))
        if not fits:
            made.append(Batch("nitazene"))
        made[-at].members.append(sample)
        made[-at].points.append(points)
    return made


@settings(max_examples=30, deadline=None)
@given(samples())
def test_no_batch_is_missed(found: list[Sample]) -> None:
    assert assigned(found, "nitazene") == compared_with_every_one(found)


def test_such_samples_do_make_batches_of_several() -> None:
    one = Look("tablet", frozenset({"blue"}), frozenset({"bensedin"}), frozenset(), frozenset(), "diazepam")
    slip = Look("tablet", frozenset({"blue"}), frozenset({"bensedim"}), frozenset(), frozenset(), "diazepam")
    plain = Look("tablet", frozenset({"blue"}), frozenset(), frozenset(), frozenset({30.0}), "diazepam")

    def sample(number: int, looks: Look, days: int) -> Sample:
        seen = START + timedelta(days=days)
        where = frozenset({"E09000007"})
        gone, held, watched = seen + timedelta(days=999), frozenset({"metonitazene"}), frozenset({"nitazene"})
        return Sample(number, f"r{number}", 1, seen, gone, seen.date(), seen.date(), looks, held, watched, where,
                      "E12000007", False, False)  # fmt: skip

    found = [sample(0, one, 0), sample(1, slip, 40), sample(2, plain, 41), sample(3, plain, 43), sample(4, plain, 60)]
    assert [[m.row for m in batch.members] for batch in assigned(found, "nitazene")] == [[0, 1, 2, 3], [4]]


@settings(max_examples=30, deadline=None)
@given(samples(), st.integers(1, 9))
def test_what_is_near_some_news_and_from_how_many_areas_is_what_asking_each_would_find(
    found: list[Sample], days: int
) -> None:
    batch = Batch("nitazene", found)
    for news in found:
        near = [m for m in batch.known(news.seen) if abs((m.reference - news.reference).days) < days and not m.late]
        assert batch.around(news, days) == near
        assert areas_at_least(near) == _one_by_one(near)


def _one_by_one(members: list[Sample]) -> int:
    apart: list[Sample] = []
    for member in sorted(members, key=lambda m: (len(m.boroughs) or 999, sorted(m.boroughs), m.record)):
        if (member.boroughs or member.region) and all(member.elsewhere(other) for other in apart):
            apart.append(member)
    return len(apart)
