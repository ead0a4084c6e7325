"""Texts: edited beside their preview, submitted, approved by others on the exact bytes, updated, ended; who read."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Desk, Visit
from ewarn.errors import UsageFault
from ewarn.pipeline import alertpage as room
from ewarn.pipeline import assess, checking, photos, respond, versions

router = APIRouter(prefix="/alerts")
ONE = "/{ref}/{number}"
Act = Callable[[Desk, str], str]


@router.get("")
def every(desk: Visit) -> Response:
    return desk.page("alerts.html", found=room.listed(desk.house, desk.now))


@router.get(ONE)
def show(desk: Visit, ref: str, number: str) -> Response:
    return _page(desk, f"{ref}/{number}")


@router.get(ONE + "/file")
def file(desk: Visit, ref: str, number: str) -> Response:
    """One format as a file; a draft says that it is one."""
    form, audience = desk.asked("format", "flyer"), desk.asked("audience", "professional")
    name, body = room.file(desk.house, f"{ref}/{number}", form, audience, _version(desk))
    kind = "application/pdf" if body[:5] == b"%PDF-" else "application/octet-stream"
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _version(desk: Desk) -> int | None:
    asked = desk.asked("version") or desk.text("version", 6)
    return int(asked) if asked.isdigit() else None


def _page(desk: Desk, alert: str, code: int = 200, **words: object) -> Response:
    found = room.of(
        desk.house, alert, desk.now, _version(desk), desk.asked("format", "text"), desk.asked("audience")
    )  # fmt: skip
    return desk.page("alert.html", code, found=found, here=f"/alerts/{alert}", **words)


def _again(desk: Desk, alert: str, name: str, error: UsageFault) -> Response:
    """The page once more with what was typed, and what was wrong with it."""
    words = {f"{name}-why": f"{error.what[:1].upper()}{error.what[1:]}. {error.next_step}"}
    typed = {f"{name}-{k}": v for k, v in desk.form.multi_items() if isinstance(v, str)}
    return _page(desk, alert, 400, errors=words, values=typed, tried=name)


def _act(name: str) -> Callable[[Act], Act]:
    """A form of the page: what it does, and the sentence shown when it is done."""

    def register(act: Act) -> Act:
        def answer(desk: Visit, ref: str, number: str) -> Response:
            alert = f"{ref}/{number}"
            try:
                done = act(desk, alert)
            except UsageFault as error:
                return _again(desk, alert, name, error)
            return desk.go(f"/alerts/{alert}", done)

        router.post(f"{ONE}/{name}", name=name)(answer)
        return act

    return register


@_act("edit")
def edit(desk: Desk, alert: str) -> str:
    """The next version with what was changed; a text that people have is updated instead."""
    found = room.of(desk.house, alert, desk.now)
    typed = {key: desk.text(key, 6000) for key in room.EDITED}
    changed = room.changes(typed, found.alert)
    if found.had and not found.editable:
        done = versions.update(
            desk.house, alert, changed, desk.actor, desk.now, from_case=desk.text("from_case") == "yes"
        )
        return f"Version {done.version} is an update, in draft."
    if not changed:
        raise UsageFault("nothing was changed", next_step="Change a field, or submit the text as it is.")
    done = assess.edit(desk.house, alert, changed, desk.actor, desk.now)
    return f"Version {done.version} is in draft. Approvals of earlier versions do not count for it."


@router.get(ONE + "/photograph")
def photograph(desk: Visit, ref: str, number: str) -> Response:
    """The picture of a version, as it stands in the formats."""
    body = room.picture(desk.house, f"{ref}/{number}", _version(desk))
    return Response(body, media_type="image/jpeg", headers={"Content-Disposition": "inline"})


@router.post(ONE + "/photo")
async def photo(desk: Visit, ref: str, number: str) -> Response:
    """A picture from a file, or of a partner's report that was read."""
    from starlette.concurrency import run_in_threadpool

    file = desk.file("file")
    body = await file.read() if file else b""
    return await run_in_threadpool(_attached, desk, f"{ref}/{number}", body)


def _attached(desk: Desk, alert: str, body: bytes) -> Response:
    alt, scale, report = desk.text("alt", 400), desk.text("scale", 200), desk.text("report", 40)
    try:
        if bool(body) == bool(report):
            raise UsageFault("choose one picture", next_step="A file, or a report that has one.")
        if body:
            photos.attach(desk.house, alert, body, alt, scale, desk.actor, desk.now)
        else:
            photos.from_report(desk.house, alert, report, alt, scale, desk.actor, desk.now)
    except UsageFault as error:
        return _again(desk, alert, "photo", error)
    return desk.go(f"/alerts/{alert}", "The photograph is in the next version, in draft.")


@_act("photo-remove")
def photo_remove(desk: Desk, alert: str) -> str:
    photos.remove(desk.house, alert, desk.actor, desk.now)
    return "The next version shows no photograph."


@_act("photo-release")
def photo_release(desk: Desk, alert: str) -> str:
    photos.release(desk.house, alert, desk.text("why", 1000), desk.actor, desk.now)
    return "Released: the public's formats of the next version show it, where the text is TLP:CLEAR."


@_act("submit")
def submit(desk: Desk, alert: str) -> str:
    assess.submit(desk.house, alert, desk.actor, desk.now)
    return "Submitted. Its bytes are fixed; somebody else approves them."


@_act("approve")
def approve(desk: Desk, alert: str) -> str:
    """One approval of the bytes whose hash the form carries."""
    done = assess.approve(
        desk.house, alert, desk.text("hash", 80), desk.actor, desk.now, desk.text("out_of_hours") == "yes",
        desk.text("why", 1000),
    )  # fmt: skip
    left = done.approvals_needed - len(done.approvals)
    if done.status == "approved":
        return "Approved: the schedules send it within a minute. Where they do not run: 'Send what waits now'."
    return f"On record. {max(left, 0)} more needed."


@_act("override")
def override(desk: Desk, alert: str) -> str:
    chosen = [str(value) for value in desk.form.getlist("finding")]
    checking.let_pass(desk.house, alert, chosen, desk.text("why", 1000), desk.actor, desk.now)
    return "Let pass, with your name and reason, for this exact text."


@_act("stand-down")
def stand_down(desk: Desk, alert: str) -> str:
    done = versions.stand_down(desk.house, alert, desk.text("why", 1000), desk.actor, desk.now)
    return f"Version {done.version} stands it down, in draft. It goes the way of the first: submit, approve."


@_act("withdraw")
def withdraw(desk: Desk, alert: str) -> str:
    done = versions.withdraw(desk.house, alert, desk.text("why", 1000), desk.actor, desk.now)
    return f"Version {done.version} withdraws it, in draft. It goes the way of the first: submit, approve."


@_act("send")
def send(desk: Desk, alert: str) -> str:
    """What the schedules do every minute, now."""
    done = respond.send(desk.house, desk.now)
    return f"{done.sent} sent, {done.failed} failed, {done.waiting} waiting."
