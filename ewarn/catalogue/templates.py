"""What a template file may say: a message written with Jinja2, or a printed sheet set with typst. Reads no file."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from ewarn.catalogue.basics import FileId, Slug
from ewarn.terms import Frozen, Product

WRITTEN = ("text", "html", "chat", "sms", "page")
COMPOSED = ("email", "slack", "teams", "json", "cap")
# What would take a sheet out of its own file: another file, a package from the network, text read as code.
REACHES_OUT = re.compile(
    r"\b(read|eval|plugin|image|json|yaml|toml|xml|csv|cbor|bibliography)\s*\(|\b(import|include)\s*[\"(]|\bsys\.inputs\b"
)


class TemplateDefinition(Frozen):
    """alerts/templates/<id>.toml: which product and format, and its Jinja2 text over the alert object.

    One whose product is "parts" holds the macros that stand before every text of its format. With `paper` it is a
    printed format, of any name, and its body is typst (docs/how-to/printed-formats.md).
    """

    id: FileId
    version: int = Field(ge=1)
    product: Product | Literal["page", "stand-down", "withdrawal", "confirmation request", "parts"]
    format: Slug = Field(description="text, html, chat, sms or page; of a printed sheet a name such as flyer")
    audience: Literal["professional", "public", "internal"]
    paper: Literal["", "a3", "a4", "a5"] = Field("", description="a printed format: the size of its sheet")
    subject: str = ""
    body: str

    @model_validator(mode="after")
    def _written_or_printed(self) -> Self:
        if not self.paper and self.format not in WRITTEN:
            raise ValueError(f"format: write one of {', '.join(WRITTEN)}, or say the paper of a printed format")
        if self.paper and self.format in (*WRITTEN, *COMPOSED):
            raise ValueError(
                f"format: '{self.format}' is no printed format; leave out paper, or write a name of its own"
            )
        if self.paper and (found := REACHES_OUT.search(self.body)):
            raise ValueError(
                f"body: a printed sheet cannot use '{found.group()}'; write with `content` and `sheet` alone"
            )
        return self
