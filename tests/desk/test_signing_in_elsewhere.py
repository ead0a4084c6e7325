"""Signing in through a proxy on this machine or an OpenID provider: believed where it must be, and good for reading."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ewarn.desk import create_app
from ewarn.pipeline.house import House
from ewarn.store.database import Database
from tests.desk.conftest import NOW, Browser

KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})


def reached(desk: Any, clock: Any, peer: str = "127.0.0.1", **settings: Any) -> Browser:
    """A browser of a desk with other settings, coming from `peer`."""
    changed = desk.house.settings.model_copy(update=settings)
    house = House(changed, desk.house.catalogue, Database(changed))
    return Browser(create_app(lambda: house, clock), client=(peer, 50_000))


def test_a_proxy_on_this_machine_names_who_reads(desk: Any, clock: Any) -> None:
    browser = reached(desk, clock, desk_proxy_header="X-Signed-In")
    page = browser.get("/account", headers={"X-Signed-In": "Duty"})
    assert page.status_code == 200 and "Test duty" in page.text
    other = browser.get("/account", headers={"X-Signed-In": "panel"})
    assert "Test panel" in other.text, "another person has another session"
    assert browser.get("/account", headers={"X-Signed-In": "nobody"}).status_code == 403


@pytest.mark.parametrize(("peer", "header"), [("10.0.0.9", "X-Signed-In"), ("127.0.0.1", "")])
def test_a_header_from_elsewhere_or_not_set_up_is_not_believed(desk: Any, clock: Any, peer: str, header: str) -> None:
    browser = reached(desk, clock, peer, desk_proxy_header=header)
    assert browser.get("/account", headers={"X-Signed-In": "duty"}, follow_redirects=False).status_code == 303


def test_who_came_through_a_proxy_reads_but_needs_a_code_to_act(desk: Any, clock: Any) -> None:
    browser = reached(desk, clock, desk_proxy_header="X-Signed-In")
    browser.headers["X-Signed-In"] = "duty"
    said = {"role": "coordinator", "hours": "2", "reason": "Nobody answers the co-ordinator's telephone."}
    asked = browser.form("/account", "/account/break-glass", **said)
    assert asked.status_code == 200 and "Confirm that it is you" in asked.text


@pytest.fixture
def provider(httpserver: HTTPServer) -> Iterator[dict[str, Any]]:
    """A small OpenID provider on loopback: it signs in whoever `says` names, and can be told to misbehave."""
    says: dict[str, Any] = {"claims": {"preferred_username": "duty"}, "key": KEY, "asked": {}}
    issuer = httpserver.url_for("").rstrip("/")
    says["issuer"] = issuer
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json(
        {"issuer": issuer, "authorization_endpoint": f"{issuer}/authorise", "token_endpoint": f"{issuer}/token",
         "jwks_uri": f"{issuer}/keys"}
    )  # fmt: skip
    httpserver.expect_request("/keys").respond_with_json({"keys": [KEY.as_dict(private=False)]})

    def token(request: Request) -> Response:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(request.form["code_verifier"].encode()).digest())
        if challenge.rstrip(b"=").decode() != says["asked"]["code_challenge"] or request.form["code"] != "a-code":
            return Response(json.dumps({"error": "invalid_grant"}), 400, content_type="application/json")
        at = NOW.timestamp()
        claims = {"iss": issuer, "aud": "the-desk", "exp": at + 300, "iat": at, "nonce": says["asked"]["nonce"]}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | says["claims"], says["key"])
        body = {"access_token": "x", "token_type": "Bearer", "id_token": signed}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/token").respond_with_handler(token)
    yield says


def through(desk: Any, clock: Any, provider: dict[str, Any], state: str = "") -> tuple[Browser, Any]:
    """There and back again."""
    secret = desk.house.settings.home / "openid"
    secret.write_text("a client secret")
    browser = reached(desk, clock, desk_openid_issuer=provider["issuer"], desk_openid_client="the-desk",
                      desk_openid_secret="file:openid")  # fmt: skip
    sent = browser.get("/sign-in/openid?after=/handover", follow_redirects=False)
    provider["asked"] = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert provider["asked"]["redirect_uri"] == "http://testserver/sign-in/openid/back"
    query = urlencode({"code": "a-code", "state": state or provider["asked"]["state"]})
    return browser, browser.get(f"/sign-in/openid/back?{query}", follow_redirects=False)


def test_an_openid_provider_signs_somebody_registered_in(desk: Any, clock: Any, provider: dict[str, Any]) -> None:
    browser, answer = through(desk, clock, provider)
    assert answer.headers["location"] == "/handover"
    assert "Test duty" in browser.get("/account").text


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda says: says.update(key=OTHER),
        lambda says: says["claims"].update(aud="another desk"),
        lambda says: says["claims"].update(iss="https://elsewhere.example"),
        lambda says: says["claims"].update(nonce="another attempt"),
        lambda says: says["claims"].update(exp=(NOW - timedelta(hours=1)).timestamp()),
        lambda says: says["claims"].update(preferred_username="nobody"),
    ],
    ids=["key", "audience", "issuer", "nonce", "time", "person"],
)
def test_an_answer_that_is_not_right_signs_nobody_in(
    desk: Any, clock: Any, provider: dict[str, Any], spoilt: Callable[[dict[str, Any]], None]
) -> None:
    spoilt(provider)
    browser, answer = through(desk, clock, provider)
    assert answer.headers["location"] == "/sign-in"
    assert browser.get("/account", follow_redirects=False).status_code == 303


def test_an_answer_to_another_attempt_signs_nobody_in(desk: Any, clock: Any, provider: dict[str, Any]) -> None:
    browser, answer = through(desk, clock, provider, state="forged")
    assert answer.headers["location"] == "/sign-in"
    assert browser.get("/account", follow_redirects=False).status_code == 303
