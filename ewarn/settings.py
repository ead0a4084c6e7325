"""Environment and ewarn.toml become one frozen Settings. Nothing else in ewarn reads the environment.

Order, last wins: built-in defaults, HOME/ewarn.toml, environment (EWARN_*), the command line.
Secrets are references (`env:NAME` or `file:PATH`), resolved at the moment of use and never printed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from sysconfig import get_path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from ewarn.errors import ContentFault, Refused, UsageFault
from ewarn.personal.placeholders import PUBLIC_ADDRESS
from ewarn.terms import LONDON_REGION, Frozen, Standing

PACKAGE_CHECKOUT = Path(__file__).resolve().parent.parent


class Settings(Frozen):
    """Where state and content lie, and how this deployment calls itself."""

    home: Path = Field(description="state: database, raw/, drops/, published/, ewarn.toml")
    content: Path = Field(description="content: sources/ and alerts/")
    overlay: Path = Field(description="single files by id that win over content; under home")
    issuer: str = Field("EWARN", description="issuer code in references", pattern=r"^[A-Z][A-Z0-9-]{1,11}$")
    issuer_name: str = "ewarn (not configured)"
    home_area: str = Field(LONDON_REGION, description="GSS code of the area this deployment looks after")
    standing: Standing = Standing.ACTUAL
    origin: str = Field(
        "", description="where this home's records come from, said in every text, such as an exercise's script"
    )
    lock_timeout_seconds: float = 30.0
    allow_loopback_sources: bool = Field(False, description="demo and tests only: feeds on 127.0.0.1 may be fetched")
    secrets: dict[str, str] = Field(default_factory=dict, description="name -> reference (env:NAME or file:PATH)")
    raw_key: tuple[str, ...] = Field(
        (),
        description="references to the age keys of the raw store, newest first: the first seals, every one may open;"
        " empty = the home's own keys/raw.age",
    )
    digest_key: str = Field(
        "", description="reference to the key of hashes over guessable words; empty = the home's own keys/digest.key"
    )
    smtp_from: str = "ewarn@localhost"
    public_url: str = Field(
        "",
        description="where the answer service is reached from outside, without a slash at its end; empty = none",
        pattern=f"^({PUBLIC_ADDRESS.pattern})?$",
    )
    report_out_of_hours: str = Field(
        "", max_length=300, description="what the reporting form says to do when nobody reads it; empty = general words"
    )
    answer_keys: tuple[str, ...] = Field(
        (),
        description="references to the keys of personal links and codes, newest first: the first signs, every one is"
        " believed; empty = the home's own keys/answer.key",
    )
    bounces_mailbox: str = Field(
        "", description="where mail returned to smtp_from lies: imaps://user@host/INBOX; empty = only HOME/bounces"
    )
    bounces_secret: str = Field("", description="reference to that mailbox's password")
    desk_hosts: tuple[str, ...] = Field((), description="names the desk answers to, besides those of this machine")
    desk_proxy_header: str = Field(
        "", description="header in which a proxy on this machine names who is signed in; believed from loopback alone"
    )
    desk_openid_issuer: str = Field("", description="address of an OpenID provider people can sign in through")
    desk_openid_client: str = Field("", description="the desk's client id there")
    desk_openid_secret: str = Field("", description="reference to the client's secret")
    desk_openid_claim: str = Field("preferred_username", description="the claim that holds a registered person's id")

    @field_validator("raw_key", "answer_keys", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @property
    def database(self) -> Path:
        return self.home / "ewarn.duckdb"

    @property
    def raw(self) -> Path:
        return self.home / "raw"

    @property
    def drops(self) -> Path:
        return self.home / "drops"

    def secret(self, reference: str) -> str:
        """The secret behind a reference, read now. `reference` is a name in [secrets], `env:NAME` or `file:PATH`."""
        reference = self.secrets.get(reference, reference)
        scheme, _, rest = reference.partition(":")
        if scheme == "env" and rest in os.environ:
            return os.environ[rest]
        if scheme == "file":
            path = Path(rest) if Path(rest).is_absolute() else self.home / rest
            if path.is_file():
                return path.read_text().strip()
        raise Refused(
            f"the secret '{reference if scheme in ('env', 'file') else scheme}' cannot be read",
            where=str(self.home / "ewarn.toml"),
            next_step="Set the environment variable or the file it names, or name it under [secrets].",
        )


def find_content(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Content in this order: explicit, EWARN_CONTENT, the checkout beside the package, share/ewarn."""
    named = explicit or (Path(environ["EWARN_CONTENT"]) if environ.get("EWARN_CONTENT") else None)
    candidates = [named] if named else [PACKAGE_CHECKOUT, Path(get_path("data")) / "share" / "ewarn"]
    for folder in candidates:
        if (folder / "sources").is_dir() and (folder / "alerts").is_dir():
            return folder.resolve()
    raise UsageFault(
        "no content found: a folder with sources/ and alerts/ is needed",
        where=", ".join(map(str, candidates)),
        next_step="Name it with --content or EWARN_CONTENT.",
    )


def load(
    home: Path | None = None,
    content: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """Settings for one run. HOME is created where absent (mode 0700). Raises: UsageFault, ContentFault."""
    environ = os.environ if environ is None else environ
    home = Path(home or environ.get("EWARN_HOME") or PACKAGE_CHECKOUT / "var" / "ewarn").expanduser().absolute()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageFault(
            f"the home folder cannot be made: {error.strerror}", where=str(home), next_step="Choose another --home."
        ) from error
    values: dict[str, Any] = {}
    config = home / "ewarn.toml"
    if config.is_file():
        try:
            values = tomllib.loads(config.read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ContentFault(f"not valid TOML: {error}", where=str(config), next_step="Correct the file.") from error
    for key in ("issuer", "issuer_name", "home_area", "standing", "origin", "smtp_from", "lock_timeout_seconds",
                "raw_key", "digest_key", "public_url", "answer_keys"):  # fmt: skip
        if environ.get(f"EWARN_{key.upper()}"):
            values[key] = environ[f"EWARN_{key.upper()}"]
    if environ.get("EWARN_ALLOW_LOOPBACK_SOURCES") == "1":
        values["allow_loopback_sources"] = True
    values |= {key: value for key, value in overrides.items() if value is not None}
    values |= {"home": home, "content": find_content(content, environ), "overlay": home / "content"}
    try:
        return Settings(**values)
    except ValidationError as error:
        faults = tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ContentFault(
            "; ".join(faults), where=str(config), next_step="Correct the named keys.", faults=faults
        ) from error
