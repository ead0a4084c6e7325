"""Signing in through an OpenID provider (authorisation code with PKCE), where the settings name one.

In: a house, what the browser brought back. Out: the id of the person the provider names, or Refused. The provider's
answer is believed only with its own signature, for our client, for this very attempt and in time. It gives reading
alone: acts ask for a one-time code of ours.
"""

from __future__ import annotations

import secrets
import warnings
from datetime import datetime
from typing import Any

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ewarn.errors import Refused
from ewarn.pipeline.house import House
from ewarn.terms import Frozen

with warnings.catch_warnings():  # it says at every start that a library we do not have will be wanted one day
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import OAuth2Client

SECONDS = 10.0
LEEWAY_SECONDS = 60
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
NOT_NOW = "Sign in with your id and secret, or try again."


class Attempt(Frozen):
    """What has to be the same when the browser comes back. Kept sealed in a cookie."""

    state: str
    nonce: str
    verifier: str
    after: str = "/"


def begin(house: House, back: str, after: str) -> tuple[str, Attempt]:
    """The provider's address to send the browser to, and what to remember. Raises: Refused."""
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
    attempt = Attempt(state=state, nonce=nonce, verifier=verifier, after=after)
    found = _discovered(house)
    with _client(house, back) as client:
        address, _ = client.create_authorization_url(
            found["authorization_endpoint"], state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
        )
    return str(address), attempt


def end(house: House, back: str, attempt: Attempt, code: str, state: str, now: datetime) -> str:
    """The id of the person the provider names. Raises: Refused."""
    if not code or not secrets.compare_digest(state.encode(), attempt.state.encode()):
        raise Refused("the provider's answer is not to this attempt", next_step=NOT_NOW)
    found = _discovered(house)
    try:
        with _client(house, back) as client:
            token = client.fetch_token(found["token_endpoint"], code=code, code_verifier=attempt.verifier)
        keys = KeySet.import_key_set({"keys": _json(found["jwks_uri"])["keys"]})
        claims = jwt.decode(str(token.get("id_token", "")), keys, algorithms=ALGORITHMS).claims
    except Refused:
        raise
    except (JoseError, httpx.HTTPError, ValueError, KeyError) as error:
        raise Refused("the provider's answer cannot be believed", next_step=NOT_NOW) from error
    except Exception as error:  # Authlib raises its own tree for what the provider refuses
        raise Refused("the provider refused the sign-in", next_step=NOT_NOW) from error
    return _person(house, claims, attempt, found, now)


def _person(house: House, claims: dict[str, Any], attempt: Attempt, found: dict[str, Any], now: datetime) -> str:
    """Raises: Refused where any claim is not as it has to be."""
    settings, at = house.settings, now.timestamp()
    audience = claims.get("aud")
    for_us = settings.desk_openid_client in (audience if isinstance(audience, list) else [audience])
    in_time = float(claims.get("exp", 0)) > at - LEEWAY_SECONDS and float(claims.get("iat", at)) < at + LEEWAY_SECONDS
    ours = secrets.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode())
    if not (for_us and in_time and ours and claims.get("iss") == found["issuer"]):
        raise Refused("the provider's answer is not for this desk, or too old", next_step=NOT_NOW)
    return str(claims.get(settings.desk_openid_claim) or "").lower()


def _client(house: House, back: str) -> Any:
    settings = house.settings
    return OAuth2Client(
        settings.desk_openid_client, settings.secret(settings.desk_openid_secret), scope="openid profile",
        redirect_uri=back, code_challenge_method="S256", timeout=SECONDS, trust_env=False,
    )  # fmt: skip


def _discovered(house: House) -> dict[str, Any]:
    """What the provider says of itself. Raises: Refused."""
    issuer = house.settings.desk_openid_issuer.rstrip("/")
    if not issuer or not house.settings.desk_openid_client:
        raise Refused("no OpenID provider is set up here", next_step="Sign in with your id and secret.")
    try:
        found = _json(f"{issuer}/.well-known/openid-configuration")
        if str(found["issuer"]).rstrip("/") != issuer:
            raise Refused("the provider calls itself by another name", next_step="Tell the administrator.")
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Refused("the provider does not answer", next_step=NOT_NOW) from error
    return found


def _json(address: str) -> dict[str, Any]:
    answer = httpx.get(address, timeout=SECONDS, trust_env=False, follow_redirects=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
