"""Definition files become models: TOML, or Markdown with TOML in front, into the frozen types of `definitions`.

In: bytes by relative path. Out: models by id, and every fault of every file. One bad file never hides another's faults.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ewarn.catalogue import faults as words
from ewarn.catalogue.faults import Fault
from ewarn.catalogue.files import Content

Model = TypeVar("Model", bound=BaseModel)
FENCE = "+++"


def folder(content: Content, place: str, model: type[Model], faults: list[Fault]) -> dict[str, Model]:
    """Every definition of one folder by id (its file name)."""
    read = front_matter if place == "alerts/advice" else toml
    found: dict[str, Model] = {}
    for path in content.under(place):
        definition = _definition(content, path, model, faults, read, PurePosixPath(path).stem)
        if definition is not None:
            found[PurePosixPath(path).stem] = definition
    return found


def single(content: Content, path: str, model: type[Model], faults: list[Fault]) -> Model | None:
    """A definition that has no id of its own, such as alerts/routes.toml; None where it is missing or refused."""
    return _definition(content, path, model, faults, toml, None) if path in content.files else None


def toml(file: str, body: bytes) -> dict[str, Any] | Fault:
    """The TOML table in a file, or the fault with line and column."""
    try:
        return tomllib.loads(body.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return words.of_syntax(file, error)


def front_matter(file: str, body: bytes) -> dict[str, Any] | Fault:
    """TOML between two +++ lines, then Markdown, which becomes the key `text`."""
    lines = body.decode("utf-8-sig", errors="replace").splitlines()
    fences = [number for number, line in enumerate(lines) if line.strip() == FENCE]
    if len(fences) < 2 or fences[0] != 0:
        return Fault(
            file=file,
            key="line 1",
            problem="no front matter",
            remedy=f"write a line {FENCE}, the keys, a line {FENCE}, then the text",
        )
    head = toml(file, "\n".join(["", *lines[1 : fences[1]]]).encode())
    if isinstance(head, Fault):
        return head
    text = "\n".join(lines[fences[1] + 1 :]).strip()
    if not text:
        return Fault(file=file, key="text", problem="empty", remedy=f"write the text below the second {FENCE}")
    return head | {"text": text}


def _definition(
    content: Content,
    path: str,
    model: type[Model],
    faults: list[Fault],
    read: Callable[[str, bytes], dict[str, Any] | Fault],
    identity: str | None,
) -> Model | None:
    file = content.name(path)
    data = read(file, content.files[path])
    if isinstance(data, Fault):
        faults.append(data)
        return None
    if identity is not None:
        if data.get("id", identity) != identity:
            remedy = f'write id = "{identity}" or leave it out: the file\'s name is the id'
            faults.append(Fault(file=file, key="id", problem=f"'{data['id']}' is not the file's name", remedy=remedy))
        data["id"] = identity
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults.extend(words.of_validation(file, model, data, error))
        return None
