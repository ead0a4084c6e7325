"""Returned mail read from a real IMAP server (Dovecot on loopback): each message once, none deleted, faults told."""

from __future__ import annotations

import getpass
import imaplib
import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ewarn.dispatch import mailbox
from ewarn.errors import UnusableInput, UsageFault
from ewarn.pipeline import bounces
from ewarn.pipeline.house import House, open_house
from ewarn.store import operator_notices, outbox
from ewarn.terms import Delivery, DeliveryState, Standing
from tests.conftest import require
from tests.journeys.test_unread_and_returned import report

DOVECOT = shutil.which("dovecot") or ("/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None)
NOW = datetime(2025, 5, 18, 1, 10, tzinfo=UTC)
OURS = "0123456789abcdef"
SECRET = "a-long-imap-password"
CONFIG = """
protocols = imap
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3
base_dir = {run}/base
state_dir = {run}/state
log_path = {run}/log
ssl = yes
ssl_cert = <{run}/cert.pem
ssl_key = <{run}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{run}/mail
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
{users}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={run}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls}
  }}
}}
service anvil {{
  chroot =
}}
auth_failure_delay = 0
service stats {{
  chroot =
}}
"""


@dataclass
class Server:
    port: int
    tls: int
    run: Path

    def log(self) -> str:
        return (self.run / "log").read_text()

    def session(self) -> imaplib.IMAP4:
        found = imaplib.IMAP4("127.0.0.1", self.port, timeout=5)
        found.login("returns", SECRET)
        found.select("INBOX")
        return found

    def put(self, *messages: bytes) -> None:
        session = self.session()
        for message in messages:
            assert session.append("INBOX", "", None, message)[0] == "OK"
        session.logout()

    def flags(self) -> list[str]:
        session = self.session()
        found = int((session.select("INBOX")[1][0] or b"0").decode())
        rows = session.fetch("1:*", "(FLAGS)")[1] if found else []
        session.logout()
        return [row.decode() for row in rows if isinstance(row, bytes)]


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    require("dovecot", DOVECOT is not None, "no IMAP server is installed (Debian: dovecot-imapd)")
    assert DOVECOT is not None
    run = Path(tempfile.mkdtemp(prefix="ewarn-imap-"))  # a folder that the server's own user may enter
    run.chmod(0o755)
    uid, gid = (os.getuid(), os.getgid()) if os.getuid() else (65534, 65534)
    me = getpass.getuser()
    users = "" if os.getuid() == 0 else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
    (run / "mail").mkdir()
    os.chown(run / "mail", uid, gid)
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"]
    words += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    files = ["-keyout", str(run / "key.pem"), "-out", str(run / "cert.pem")]
    subprocess.run([*words, *files], check=True, capture_output=True)
    made = Server(free(), free(), run)
    config = CONFIG.format(
        run=run, uid=uid, gid=gid, users=users, password=SECRET, port=made.port, tls=made.tls, ssl="yes"
    )
    (run / "dovecot.conf").write_text(config)
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(run / "dovecot.conf")], stderr=subprocess.PIPE)
    try:
        for _ in range(20):
            time.sleep(0.1)
            try:
                made.session().logout()
                break
            except (OSError, imaplib.IMAP4.error):
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
        else:
            pytest.fail((run / "log").read_text())
        yield made
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture
def house(tmp_path: Path, server: Server) -> House:
    (tmp_path / "imap-secret").write_text(SECRET)
    written(tmp_path, f"imap://returns@127.0.0.1:{server.port}/INBOX")
    session = server.session()
    if server.flags():
        session.store("1:*", "+FLAGS", "(\\Deleted)")
        session.expunge()
    session.logout()
    made = opened(tmp_path)
    with made.db.write("test") as tx:
        sent = Delivery(
            id=OURS, alert="T-2025-0001/A1", version=1, destination="team0", channel="email", audience="professional",
            format="email", state=DeliveryState.SENT, standing=Standing.EXERCISE, product="formal alert",
        )  # fmt: skip
        outbox.put(tx, [sent], NOW)
    return made


def written(home: Path, address: str) -> None:
    words = f'standing = "exercise"\nbounces_mailbox = "{address}"\nbounces_secret = "file:imap-secret"\n'
    (home / "ewarn.toml").write_text(words)


def opened(home: Path) -> House:
    return open_house(home, None, {}, clock=lambda _: NOW)


def test_every_message_is_read_once_and_stays_for_people(house: House, server: Server) -> None:
    server.put(
        report("failed", "5.1.1", OURS), report("delayed", "4.4.1", "f" * 16), b"Subject: hello\r\n\r\nwhat?\r\n"
    )
    found = bounces.read_mailbox(house, NOW)
    assert found.found == {"permanent": 1, "delayed": 1, "unknown": 1} and found.marked == (OURS,)
    assert list(bounces.flagged(house)) == ["team0"]
    flags = server.flags()
    assert len(flags) == 3 and all(mailbox.KEYWORD in f and "\\Seen" not in f for f in flags), "still new to people"
    assert bounces.read_mailbox(house, NOW).found == {}
    session = server.session()
    session.store("1:*", "-FLAGS", f"({mailbox.KEYWORD})")  # as after a crash between the record and the mark
    session.logout()
    again = bounces.read_mailbox(house, NOW)
    assert again.found == {} and again.known == 3
    large = report("failed", "5.1.1", OURS) + b"x" * 11_000_000
    server.put(large, report("delivered", "2.0.0", OURS))
    assert bounces.read_mailbox(house, NOW).found == {"unknown": 1, "delivered": 1}


def test_the_schedule_asks_every_five_minutes_and_tells_of_a_fault_until_it_ends(
    house: House, server: Server, tmp_path: Path
) -> None:
    def notices() -> str:
        with house.db.read() as con:
            return str(operator_notices.open(con).to_dicts())

    assert bounces.poll_mailbox(house, NOW) is not None
    assert bounces.poll_mailbox(house, NOW + timedelta(minutes=4)) is None
    (tmp_path / "imap-secret").write_text("wrong")
    assert bounces.poll_mailbox(house, NOW + timedelta(minutes=5)) is None
    assert "Returned mail is not read" in notices() and "wrong" not in notices() and SECRET not in notices()
    (tmp_path / "imap-secret").write_text(SECRET)
    assert bounces.poll_mailbox(house, NOW + timedelta(minutes=10)) is not None
    assert "Returned mail is not read" not in notices()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("imaps://returns@127.0.0.1:{tls}/INBOX", "certificate is not trusted"),
        ("imap://returns@127.0.0.1:{port}/nowhere", "cannot be read"),
        ("imap://returns@127.0.0.1:{closed}/INBOX", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said_without_a_secret(
    house: House, server: Server, tmp_path: Path, address: str, words: str
) -> None:
    written(tmp_path, address.format(port=server.port, tls=server.tls, closed=free()))
    with pytest.raises(UnusableInput, match=words) as fault:
        bounces.read_mailbox(opened(tmp_path), NOW)
    assert SECRET not in str(fault.value) and "returns" not in str(fault.value)


@pytest.mark.parametrize(
    "address",
    ["imaps://returns@127.0.0.1:{tls}/INBOX", "imap://returns@127.0.0.2:{port}/INBOX"],
    ids=["TLS", "STARTTLS"],
)
def test_returned_mail_is_read_through_tls_where_the_certificate_is_trusted_and_not_elsewhere(
    house: House, server: Server, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, address.format(port=server.port, tls=server.tls))
    server.put(report("failed", "5.1.1", OURS))
    logins = server.log().count("Login: user=<returns>")
    for host in ("127.0.0.1", "127.0.0.2"):  # nobody has vouched for this certificate
        written(tmp_path, address.format(port=server.port, tls=server.tls).replace("127.0.0.1", host))
        with pytest.raises(UnusableInput, match="certificate is not trusted") as fault:
            bounces.read_mailbox(opened(tmp_path), NOW)
        assert "update-ca-certificates" in fault.value.next_step
    monkeypatch.setenv("SSL_CERT_FILE", str(server.run / "cert.pem"))  # as the machine's own trust store would
    stranger = address.replace("127.0.0.1", "127.0.0.3").replace("127.0.0.2", "127.0.0.3")
    written(tmp_path, stranger.format(port=server.port, tls=server.tls))  # trusted, and made out to others
    with pytest.raises(UnusableInput, match="certificate is not trusted"):
        bounces.read_mailbox(opened(tmp_path), NOW)
    assert server.log().count("Login: user=<returns>") == logins, "no password was said"
    written(tmp_path, address.format(port=server.port, tls=server.tls))
    assert bounces.read_mailbox(opened(tmp_path), NOW).found == {"permanent": 1}
    assert ", TLS" in [line for line in server.log().splitlines() if "Login: user=<returns>" in line][-1]


def test_a_server_that_offers_no_encryption_is_told_nothing(house: House, tmp_path: Path) -> None:
    heard = []

    class Plain(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                heard.append(line)
                self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n" + line.split()[0] + b" OK done\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.2", 0), Plain) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        written(tmp_path, f"imap://returns@127.0.0.2:{made.server_address[1]}/INBOX")
        with pytest.raises(UnusableInput, match="offers no encryption"):
            bounces.read_mailbox(opened(tmp_path), NOW)
        made.shutdown()
    assert heard and not [line for line in heard if b"LOGIN" in line.upper() or b"returns" in line]


@pytest.mark.parametrize("address", ["http://a@b/", "imaps://host/INBOX", "imaps://a:secret@host/INBOX", "imaps://[x"])
def test_what_is_no_address_of_a_mailbox_is_refused(address: str) -> None:
    with pytest.raises(UsageFault):
        mailbox.place(address)
    assert mailbox.place("imaps://a%40b.org@host/Sub%20box") == ("imaps", "a@b.org", "host", 993, "Sub box")
