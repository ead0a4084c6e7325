"""The series drawn by script under the same strict policy: no eval, no inline anything, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ewarn.charts import Week, chart
from tests.desk.conftest import NOW
from tests.desk.test_browser import address, engine, faults, filled, visit  # noqa: F401

WATCH = """window.broken = []; document.addEventListener('securitypolicyviolation',
  e => window.broken.push(e.violatedDirective + ' ' + (e.sourceFile || '') + ' ' + e.sample));"""
PLANTED = "try { new Function('return 1')(); window.ran = 'it ran' } catch (fault) { window.ran = fault.name }"


def drawn(page: Any, where: str) -> None:
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.add_init_script(WATCH)
    page.goto(where)
    page.wait_for_selector("figure[data-state=drawn] .drawn svg")


def test_the_chart_is_drawn_under_the_policy_and_by_keyboard(
    visit: Callable[..., Any], desk: Any, tmp_path: Any  # noqa: F811
) -> None:  # fmt: skip
    page = visit("duty", width=360)
    drawn(page, filled("/signals/{signal}", desk))
    assert page.faults == [] and page.evaluate("window.broken") == []
    ours = page.url.split("/signals")[0]
    assert [url for url in page.asked if not url.startswith(ours)] == []
    assert not page.is_visible("svg.series") and page.is_visible(".drawn svg")
    marks = "document.querySelectorAll('.drawn .mark-rect path').length"
    before, told = page.evaluate(marks), page.text_content(".drawn svg")
    assert "observed" in told and "Week of" in told
    page.focus(".drawn input[type=range]")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => {marks} < {before}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "read"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("t => document.querySelector('.drawn svg').textContent !== t", arg=told)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert faults(page) == [] and page.evaluate("window.broken") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(path=tmp_path / "chart.png", full_page=True)
    page.emulate_media(media="print")
    assert page.is_visible("svg.series") and not page.is_visible(".drawn")
    page.emulate_media(media="screen")
    page.evaluate("() => { const s = document.createElement('style'); s.textContent = 'p{}'; document.head.append(s) }")
    page.wait_for_function("() => window.broken.length > 0")  # so that a violation would have been seen
    page.route("**/assets/planted.js", lambda r: r.fulfill(content_type="text/javascript", body=PLANTED))
    page.evaluate(
        "() => document.head.append(Object.assign(document.createElement('script'), {src: '/assets/planted.js'}))"
    )
    page.wait_for_function("() => window.ran === 'EvalError'")  # a file of ours may run, and nothing may evaluate


def test_without_script_what_the_server_drew_stays(visit: Callable[..., Any], desk: Any) -> None:  # noqa: F811
    page = visit("duty", script=False)
    page.goto(filled("/signals/{signal}", desk))
    assert page.is_visible("svg.series") and page.query_selector(".drawn") is None
    assert not [url for url in page.asked if url.endswith((".json", "vega.js"))]


def test_the_specification_holds_its_numbers_and_asks_for_nothing() -> None:
    week = NOW.date()
    weeks = [Week(start=week, observed=n, expected=None, upper=2.5 if n else None) for n in range(9)]
    spec = chart(weeks, title="<b>", description="words")
    assert [row["observed"] for row in spec["data"]["values"]] == list(range(9))
    assert spec["data"]["values"][0]["said"].endswith("no bound: the past is too short")
    assert [row["above"] for row in spec["data"]["values"]].count(True) == 6
    assert "url" not in str(spec) and [one["name"] for one in spec["params"]] == ["shown", "read"]
