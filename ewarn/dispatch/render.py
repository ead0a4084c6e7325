"""The structured object becomes bytes, one payload for each audience and format.

In: an alert or page and the catalogue's templates. Out: payloads, the same bytes every time, and the hash that
approvals are bound to. It must never render with a template of another version than the alert names, nor leave the
marking, the watermark or the version that this one replaces out of a subject or a body.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import polars as pl
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import TemplateDefinition
from ewarn.disclosure import inert
from ewarn.disclosure.suppress import for_audience
from ewarn.dispatch import blocks, cap, cards, chat, document, printed, sms
from ewarn.dispatch.page import OPERATOR, PANEL
from ewarn.errors import ContentFault, Refused
from ewarn.personal import placeholders
from ewarn.terms import Alert, Page, Payload, Standing, canonical, digest

LOG = logging.getLogger(__name__)
RENDERER_VERSION = 1
PHOTO = "photo"
KEPT_INSIDE = (
    *("what_happened_public", "handling", "published", "record_versions", "classification", "told_in", "days"),
)
# Left out of what was drafted before there was an answer service, or a photograph.
PERSONAL = placeholders.parts("", "") | {"photo": None}
CHATS: dict[str, Callable[[str, Sequence[chat.Line]], dict[str, Any]]] = {
    "slack": blocks.message,
    "teams": cards.message,
}


def payloads(alert: Alert, catalogue: Catalogue, *, paper: bool = True, photo: bytes = b"") -> list[Payload]:
    """Every audience and format this alert has templates for, in order of audience and format.

    E-mail is the JSON of subject, text, html and references (for threading); printed formats are PDF (`paper` False
    leaves them out, for those who only read); every other format is the message. In: `photo` the picture whose hash
    stands in the content; it is a payload of its own for each audience that may see it.
    Raises: Refused where a template changed since the draft; ContentFault where one cannot be rendered.
    """
    templates = _with_parts(_templates(alert, catalogue))
    found: list[Payload] = []
    for audience in sorted({t.audience for t in templates}):
        shown = for_audience(inert.content(alert.content), audience)
        content = {k: v for k, v in shown.items() if k not in KEPT_INSIDE}
        here = [t for t in templates if t.audience == audience]
        marked = _marked(alert, content)
        bodies = {str(t.format): written(t, marked) for t in here if not t.paper}
        sheets = _sheets([t for t in here if t.paper and paper], marked, photo)
        subject = bodies.get("text", bodies.get("html", next(iter(bodies.values()), ("", ""))))[0]
        told = _of_audience(audience, bodies, content, subject) + sheets + pictured(audience, content, subject, photo)
        told += _machine(alert, audience, content, subject, told, catalogue)
        found += sorted(told, key=lambda payload: payload.format)
    return found


def _with_parts(templates: Sequence[TemplateDefinition]) -> list[TemplateDefinition]:
    """The templates, each with the macros of its format before it."""
    shared = {t.format: t.body for t in templates if t.product == "parts"}
    own = [t for t in templates if t.product != "parts"]
    return [t if t.paper else t.model_copy(update={"body": shared.get(t.format, "") + t.body}) for t in own]


def _machine(
    alert: Alert, audience: str, content: dict[str, Any], subject: str, told: Sequence[Payload], catalogue: Catalogue
) -> list[Payload]:
    """The formats for programs, made last: they name the others."""
    wire = document.payload(alert, content, audience, subject)
    message = cap.message(alert, content, audience, places(catalogue), told)
    found = [Payload(audience=audience, format="json", subject=subject, body=wire)]
    return found + ([Payload(audience=audience, format="cap", subject=subject, body=message)] if message else [])


def draft_cap(alert: Alert, audience: str, catalogue: Catalogue) -> bytes | None:
    """A CAP message that says of itself that nobody has approved it."""
    content = {k: v for k, v in for_audience(alert.content, audience).items() if k not in KEPT_INSIDE}
    return cap.message(alert, content, audience, places(catalogue), draft=True)


def places(catalogue: Catalogue) -> dict[str, str]:
    """ONS codes by name, of the names that only one area has."""
    counted = catalogue.areas.group_by("name").agg(pl.col("code").first(), pl.len())
    return dict(counted.filter(pl.col("len") == 1).select("name", "code").iter_rows())


def pictured(audience: str, content: dict[str, Any], subject: str, photo: bytes) -> list[Payload]:
    """The photograph as stored bytes, where this audience may see it. Raises: Refused where it is not the one named."""
    wanted = (content.get("photo") or {}).get("sha256")
    if not (photo and wanted):
        return []
    if digest(photo) != wanted:
        raise Refused("the photograph is not the one that the text names", next_step="Attach it again.")
    return [Payload(audience=audience, format=PHOTO, subject=subject, body=photo)]


def _sheets(templates: Iterable[TemplateDefinition], content: dict[str, Any], photo: bytes = b"") -> list[Payload]:
    """The printed formats. One that cannot be set is left out and told (`unset`): paper stops no warning."""
    found = []
    for template in sorted(templates, key=lambda t: t.format):
        try:
            found.append(sheet(template, content, photo))
        except ContentFault as fault:
            LOG.error("%s", fault)
    return found


def unset(alert: Alert, catalogue: Catalogue, bundle: Sequence[Payload]) -> list[str]:
    """The printed templates of this alert that gave no sheet, by id."""
    made = {(p.audience, p.format) for p in bundle}
    wanted = [t for t in _templates(alert, catalogue) if t.paper]
    return [t.id for t in wanted if (t.audience, t.format) not in made]


def one_sheet(alert: Alert, catalogue: Catalogue, form: str, audience: str, photo: bytes = b"") -> Payload | None:
    """A printed format alone, for those who look at a draft of it; None where it is no printed format of this alert."""
    for template in _templates(alert, catalogue):
        if template.paper and (template.audience, template.format) == (audience, form):
            shown = for_audience(inert.content(alert.content), audience)
            return sheet(template, _marked(alert, {k: v for k, v in shown.items() if k not in KEPT_INSIDE}), photo)
    return None


def _marked(alert: Alert, content: dict[str, Any]) -> dict[str, Any]:
    """The content with the classification before its marking."""
    return content | {"marking": f"{alert.content.get('classification') or ''} {content['marking']}".strip()}


def sheet(template: TemplateDefinition, content: dict[str, Any], photo: bytes = b"") -> Payload:
    """A printed format, under the subject that a message would have."""
    subject, _ = _rendered(template.model_copy(update={"format": "text", "body": ""}), content)
    made = printed.pdf(template, content, subject, photo)
    return Payload(audience=template.audience, format=template.format, subject=subject, body=made)


def _of_audience(
    audience: str, bodies: dict[str, tuple[str, str]], content: dict[str, Any], subject: str
) -> list[Payload]:
    found = []
    if "text" in bodies and "html" in bodies:
        mail = {"subject": subject, "text": bodies["text"][1], "html": bodies["html"][1], "references": thread(content)}
        found.append(Payload(audience=audience, format="email", subject=subject, body=canonical(mail)))
    if "chat" in bodies:
        lines = chat.lines(bodies["chat"][1])
        found += [
            Payload(audience=audience, format=form, subject=subject, body=canonical(write(bodies["chat"][0], lines)))
            for form, write in CHATS.items()
        ]
    for form in ("text", "sms"):
        if form in bodies:
            found.append(Payload(audience=audience, format=form, subject=subject, body=bodies[form][1].encode()))
    return found


def bundle_hash(alert: Alert, bundle: Sequence[Payload]) -> str:
    """SHA-256 over the canonical object, template and advice versions, every payload's bytes, and the renderer."""
    shown = sorted([p.audience, p.format, p.subject, p.sha256] for p in bundle)
    return digest(
        {
            "alert": [alert.id, alert.version, alert.case, alert.product, alert.standing, alert.area],
            "content": alert.content,
            "templates": alert.template_versions,
            "advice": alert.advice_versions,
            "payloads": shown,
            "renderer": RENDERER_VERSION,
        }
    )


def thread(content: dict[str, Any]) -> str:
    """The References value that gathers every message of one case into one thread."""
    reference = re.sub(r"[^A-Za-z0-9.-]", "-", str(content["reference"]))
    return f"<{reference}.thread@ewarn.invalid>"


def page_payload(page: Page, form: str, catalogue: Catalogue) -> Payload:
    """A page as one channel takes it: text, slack, json or e-mail. The duty rota's goes through the page template."""
    subject, body = _paged(page, catalogue)
    if page.standing is not Standing.ACTUAL and page.standing.value.upper() not in subject:
        subject = f"{page.standing.value.upper()}: {subject}"
    subject, body = inert.words(subject), inert.words(body, several_lines=True)
    if form == "email":
        made: Any = {
            "subject": subject,
            "text": body,
            "html": _plain_html(body),
            "references": thread({"reference": page.case}),
        }
    elif form == "json":
        made = {"subject": subject, "page": page.model_dump(mode="json")}
    elif form == "sms":
        made = sms.plain(body)
    elif form in CHATS:
        made = CHATS[form](subject, chat.plain(subject, body.removeprefix(subject)))
    else:
        made = body
    raw = made.encode() if isinstance(made, str) else canonical(made)
    return Payload(audience="internal", format=form, subject=subject, body=raw)


def _paged(page: Page, catalogue: Catalogue) -> tuple[str, str]:
    """Subject and body; as they are where the template has a fault: somebody must be called all the same."""
    template = next((t for t in catalogue.templates.values() if t.product == "page"), None)
    if template is not None and not page.id.startswith((PANEL, OPERATOR)):
        bare = page.subject.removeprefix(f"{page.standing.value.upper()}: ")
        try:
            return _filled(template, {"page": {**page.model_dump(mode="json"), "subject": bare}})
        except ContentFault as fault:
            LOG.error("%s", fault)
    return page.subject, f"{page.subject}\n\n{page.text}"


def _templates(alert: Alert, catalogue: Catalogue) -> list[TemplateDefinition]:
    found = []
    for template_id, version in sorted(alert.template_versions.items()):
        template = catalogue.templates.get(template_id)
        if template is None or template.version != version:
            raise Refused(
                f"the template '{template_id}' is no longer version {version}",
                where=alert.id,
                next_step="Edit the text, which takes the templates in force and starts its approvals again.",
            )
        found.append(template)
    if not found:
        raise ContentFault(
            f"no template renders a {alert.product.value}",
            where="alerts/templates",
            next_step="Write one for each of text, html and chat.",
        )
    return found


def written(template: TemplateDefinition, content: dict[str, Any]) -> tuple[str, str]:
    """Subject and body; of a text message the longest form that fits."""
    if template.format != "sms":
        return _rendered(template, content)
    given = PERSONAL | content
    standing = str(given["standing"]).upper() if given["watermark"] else ""

    def at(short: int) -> str:
        body = _filled(template, {"content": given, "alert": given, "short": short})[1]
        missing = [mark for mark in (standing, given["marking"]) if mark and mark not in body]
        return " ".join([*missing, body])

    return _filled(template, {"content": given, "short": 0})[0], sms.fitting(at, str(content["alert_id"]))


def _rendered(template: TemplateDefinition, content: dict[str, Any]) -> tuple[str, str]:
    """Subject and body, each with marking and watermark."""
    content = PERSONAL | content
    subject, body = _filled(template, {"content": content, "alert": content, **content})
    marking, watermark, standing = content["marking"], content["watermark"], str(content["standing"]).upper()
    if marking not in subject:
        subject = f"[{marking}] {subject}"
    if watermark and standing not in subject:
        subject = f"{standing}: {subject}"
    replaces = f"This replaces {content['replaces']}." if content.get("replaces") else ""
    if replaces and replaces.rstrip(".") not in subject:
        subject = f"{subject} {replaces.rstrip('.')}"
    return subject, _stamped(body, [mark for mark in (watermark, marking, replaces) if mark], template.format)


def _stamped(body: str, marks: Iterable[str], form: str) -> str:
    """The body with the marks it leaves out put at its top."""
    if form == "html":
        missing = [f"<p><strong>{html.escape(m)}</strong></p>" for m in marks if html.escape(m) not in body]
        opening = re.search(r"<body[^>]*>", body)
        at = opening.end() if opening else 0
        return body[:at] + "".join(missing) + body[at:]
    if form == "chat":
        held = chat.bare(body)
        return "\n".join([*(f"! {chat.shielded(m)}" for m in marks if m not in held), body])
    return "\n".join([*(m for m in marks if m not in body), body])


def _filled(template: TemplateDefinition, context: dict[str, Any]) -> tuple[str, str]:
    form = "text" if template.format == "page" else template.format
    try:
        subject = _compiled("text", template.subject).render(context)
        body = _compiled(form, template.body).render(context)
    except (TemplateError, TypeError, ValueError, KeyError) as error:
        raise ContentFault(
            f"the template cannot be rendered: {error}",
            where=f"alerts/templates/{template.id}.toml",
            next_step="Use only the keys of the alert object.",
        ) from error
    return " ".join(subject.split()), re.sub(r"\n{3,}", "\n\n", body).strip()


@lru_cache(maxsize=64)
def _compiled(form: str, source: str) -> Template:
    return _environment(form).from_string(source)


@lru_cache(maxsize=4)
def _environment(form: str) -> SandboxedEnvironment:
    """A sandbox with strict names; html values are escaped, chat values shielded, text goes as it is."""
    return SandboxedEnvironment(
        autoescape=form == "html",
        finalize=chat.shielded if form == "chat" else None,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
        auto_reload=False,
    )


def _plain_html(text: str) -> str:
    style = "font-family:Verdana,Geneva,sans-serif;font-size:16px;line-height:24px;white-space:pre-wrap;color:#1a1a1a"
    return f'<!DOCTYPE html><html lang="en-GB"><body><div style="{style}">{html.escape(text)}</div></body></html>'
