"""Page groups: one small module each, with a `router`. What a group shows comes from one pipeline verb."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter


def all_groups() -> list[APIRouter]:
    """The router of every module in this folder: a new page group is a new file, and lines in the access table."""
    found = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return [module.router for module in found]
