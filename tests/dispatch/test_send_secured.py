"""Mail servers that ask for a password or speak TLS, for real, on loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ewarn.catalogue.definitions import ChannelDefinition
from ewarn.dispatch import send
from ewarn.terms import Payload

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PASSWORD = "p@ss/w?rd& %2F+"
PAYLOAD = Payload(audience="internal", format="text", subject="s", body=b"hello")


class Mailbox:
    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        self.taken += envelope.rcpt_tos
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    right = (data.login.decode(), data.password.decode()) == ("svc@x.test", PASSWORD)
    return AuthResult(success=right, handled=False)


@pytest.fixture
def serve() -> Iterator:
    running = []

    def start(**options) -> tuple[Mailbox, int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        box = Mailbox()
        controller = Controller(box, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return box, port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def deliver(make_delivery, make_recipient):
    def run(url: str, password: str = PASSWORD) -> send.Outcome:
        channel = ChannelDefinition(id="m", title="m", url=url, format="text", live=True, timeout_seconds=3)
        secrets = {"user": "svc@x.test", "password": password}
        return send.deliver(make_delivery(), PAYLOAD, channel, make_recipient("anna"), secrets.__getitem__, "a@b.test")

    return run


LOGIN = "user={secret:user}&pass={secret:password}&from={from}&to={address}"


def test_a_password_of_any_characters_opens_the_server(serve, deliver):
    box, port = serve(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    assert deliver(f"mailto://127.0.0.1:{port}?mode=insecure&{LOGIN}") == send.Outcome(True)
    assert box.taken == ["anna@partner.test"]


def test_a_wrong_password_is_the_servers_matter_tried_again_later_and_not_shown(serve, deliver):
    box, port = serve(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    outcome = deliver(f"mailto://127.0.0.1:{port}?mode=insecure&{LOGIN}", "wrong-secret")
    assert (outcome.ok, outcome.retry, outcome.blocked) == (False, True, True) and "SMTP 535" in outcome.error
    assert "wrong-secret" not in outcome.error and box.taken == []


def test_a_password_that_mail_cannot_carry_is_said_so(serve, deliver):
    _, port = serve(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    outcome = deliver(f"mailto://127.0.0.1:{port}?mode=insecure&{LOGIN}", "pässwörd")
    assert (outcome.ok, outcome.retry) == (False, False) and "cannot take" in outcome.error


def test_starttls_is_used_and_an_unknown_certificate_refused(serve, deliver, tmp_path, openssl):
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([openssl, *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    box, port = serve(tls_context=context, require_starttls=True)
    url = f"mailtos://127.0.0.1:{port}?from={{from}}&to={{address}}"
    refused = deliver(url)
    assert not refused.ok and refused.retry and "CERTIFICATE_VERIFY_FAILED" in refused.error and box.taken == []
    assert deliver(url + "&verify=no").ok and box.taken == ["anna@partner.test"]
