"""Words of strangers in every stored field that a page shows: none of them comes to life in a real browser."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ewarn.personal import spool
from ewarn.pipeline import api_tokens, assess, caseload, judging, packing, read, reporting, signin, standing
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from ewarn.store import answers, operator_notices, outbox
from ewarn.terms import Delivery, DeliveryState, Person, PersonRole, Recipient, Standing
from tests.desk.conftest import NOW, SECRET
from tests.desk.test_browser import address, engine, filled, pages_of, visit  # noqa: F401

CASE = "EWARN-2025-0001"
CORPUS = (
    "<script>window.hit=1</script>",
    "\"><img src=x onerror=\"window.hit=1\">",
    "'><svg/onload=window.hit=1>",
    "</textarea></title></style><script>window.hit=1</script>",
    "javascript:window.hit=1//",
    "{{ 7*7 }}{% raw %}<iframe srcdoc='<script>parent.hit=1</script>'>",
    "<a href=\"javascript:window.hit=1\" autofocus onfocus=window.hit=1>x</a>",
    "&lt;img src=x onerror=window.hit=1&gt;<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
)  # fmt: skip
ALIVE = """() => [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on')
  || /^\\s*javascript:/i.test(a.value)) || ['IFRAME', 'OBJECT'].includes(e.tagName) || (e.tagName === 'SCRIPT' &&
  (e.textContent || !e.src.startsWith(location.origin + '/assets/')))).map(e => e.outerHTML)"""


def fill(desk: Any) -> str:
    """Put the corpus wherever people's or senders' words are kept. Returns a report's reference."""
    house, bad = desk.house, " ".join(CORPUS)
    act = lambda who: Actor(who, SECRET.format(who))  # noqa: E731
    told = Told(
        area=CORPUS[0][:80], origin=Origin.SOCIAL_MEDIA, harm=Harm.UNWELL, what=bad, sold_as=CORPUS[1],
        looks_like=CORPUS[2], organisation=CORPUS[0], contact=CORPUS[1],
    )  # fmt: skip
    ref = reporting.receive(house, told, NOW).ref
    reporting.redact(house, ref, bad, act("duty"), NOW)
    reporting.join(house, ref, CASE, bad, act("duty"), NOW)
    reporting.answered(house, ref, bad, act("duty"), NOW)
    questions = {q.id: bad for q in house.catalogue.grading.questions}
    assess.grade_case(house, CASE, "act-now", questions, act("panel"), NOW)
    assess.assign_case(house, CASE, actor=act("duty"), now=NOW, next_action=bad)
    caseload.remark(house, CASE, bad, act("duty"), NOW)
    asked = caseload.ask_laboratory(house, CASE, bad, CORPUS[1], "urgent", act("duty"), NOW)
    caseload.laboratory_answered(house, asked.id, bad, act("duty"), NOW)
    signal = standing.current(house, NOW).signals[0].id
    judging.hold(house, signal, bad, 3, act("duty"), NOW)
    drafted = assess.draft(house, CASE, "share for information", act("duty"), NOW)
    assess.edit(house, drafted.id, {"headline": bad, "at_risk": bad, "sold_as": list(CORPUS)}, act("duty"), NOW)
    keeper = act("administrator")
    read.add_person(house, Person(id="odd", name=bad, roles=(PersonRole.DUTY,), areas=("E12000007",)),
                    "a secret long enough", NOW, keeper)  # fmt: skip
    partner = Recipient(id="odd", name=bad, organisation=bad, group="health", areas=("E09000007",), channel="email",
                        address="odd@example.org")  # fmt: skip
    read.add_recipient(house, partner, NOW, keeper)
    for who in ("panel", "administrator", "coordinator"):
        signin.break_glass(house, "duty", 4, bad, act(who), NOW)
    for who in ("panel", "administrator", "coordinator", "partner"):
        for name in CORPUS[:4]:
            api_tokens.make(house, name, 30, act(who), NOW)
    sent = Delivery(id="ab", alert=drafted.id, version=1, destination="odd", channel="email", standing=Standing.TEST,
                    state=DeliveryState.SENT,
                    audience="professional", format="email")  # fmt: skip
    heard = spool.Answer(delivery="ab", act="acted", at=NOW, name=bad[:100], organisation=bad[:100], text=bad)
    with house.db.write("test") as tx:
        operator_notices.put(tx, NOW, "a source", bad)
        outbox.put(tx, [sent], NOW)
        answers.put(tx, heard, sent, NOW)
    house.db.publish()
    return ref


SELDOM = [
    pytest.param(role, marks=pytest.mark.slow) for role in ("administrator", "coordinator", "partner", "reporter")
]


@pytest.mark.parametrize("role", ["panel", *SELDOM])
def test_nothing_comes_to_life(visit: Callable[..., Any], desk: Any, role: str) -> None:  # noqa: F811
    ref = fill(desk)
    page = visit(role)
    opened, alive = 0, []
    for path in pages_of(role):
        where = filled(path.replace("{report}", ref).replace("{number}", "A1"), desk)
        answer = page.goto(where)
        opened += answer.status == 200
        if page.evaluate("window.hit") or (found := page.evaluate(ALIVE)):
            alive.append((where, page.evaluate("window.hit"), found[:2] if not page.evaluate("window.hit") else []))
    assert alive == []
    assert opened >= (8 if role not in ("partner", "reporter") else 2)


@pytest.mark.slow
def test_nothing_in_the_pack_comes_to_life_where_it_is_opened(engine: Any, desk: Any, tmp_path: Path) -> None:  # noqa: F811
    fill(desk)
    _, body = packing.pack(desk.house, NOW, Actor("coordinator", SECRET.format("coordinator")))
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        archive.extractall(tmp_path)
    pages = sorted(tmp_path.rglob("*.html"))
    context = engine.new_context()
    page, alive = context.new_page(), []
    for file in pages:
        page.goto(file.as_uri())
        if page.evaluate("window.hit") or page.evaluate(ALIVE):
            alive.append(file.name)
    context.close()
    assert len(pages) >= 8 and alive == []


def test_a_planted_one_is_seen(visit: Callable[..., Any]) -> None:  # noqa: F811
    page = visit()
    page.set_content("<p><img src='x' onerror='window.hit=1'></p>")
    assert page.evaluate(ALIVE)
