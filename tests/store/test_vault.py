"""Raw bytes at rest: encrypted, opened by any of the keys, streamed within bounds, and never there in plain."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pyrage
import pytest
import zstandard
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import snapshots, vault

SAID = b"name,postcode\nJane Canary,ZZ9 9ZZ\n"


def new_key(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    path.chmod(0o600)
    return f"file:{path}"


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_of_the_bytes_lies_on_the_disk_in_plain(settings: Settings, now: datetime) -> None:
    ref = snapshots.keep(settings, "lab", SAID * 1000, now, file="a.csv")
    found = everything_in(settings.home)
    assert b"Canary" not in found and b"ZZ9" not in found
    assert snapshots.body(settings, ref.sha256) == SAID * 1000


def test_the_standard_tools_open_what_was_kept(settings: Settings, now: datetime) -> None:
    """`age -d -i keys/raw.age FILE | zstd -d`, step by step."""
    ref = snapshots.keep(settings, "lab", SAID, now)
    lines = (settings.home / "keys" / "raw.age").read_text().splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    identity = pyrage.x25519.Identity.from_str(line)
    assert lines[0] == f"# public key: {identity.to_public()}"
    packed = pyrage.decrypt(snapshots.path_of(settings, ref.sha256).read_bytes(), [identity])
    assert zstandard.ZstdDecompressor().stream_reader(packed).read() == SAID


def test_the_homes_own_key_lies_outside_raw_and_is_its_owners_alone(settings: Settings, now: datetime) -> None:
    snapshots.keep(settings, "lab", SAID, now)
    key = settings.home / "keys" / "raw.age"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert settings.raw not in key.parents
    before = key.read_bytes()
    assert vault.make_key(settings) is None and key.read_bytes() == before


def test_a_lost_key_is_said_and_never_replaced_by_a_new_one(settings: Settings, now: datetime) -> None:
    ref = snapshots.keep(settings, "lab", SAID, now)
    (settings.home / "keys" / "raw.age").unlink()
    for act in (lambda: snapshots.body(settings, ref.sha256), lambda: snapshots.keep(settings, "lab", b"more", now)):
        with pytest.raises(StoreFault, match="the key of the raw store cannot be used") as caught:
            act()
        assert "keys/raw.age" in str(caught.value) and "work without it" in caught.value.next_step
    assert not (settings.home / "keys" / "raw.age").exists()
    assert len(snapshots.receipts(settings)) == 1, "bytes that could not be kept have no receipt"


def test_keys_are_exchanged_by_putting_the_new_one_in_front(settings: Settings, now: datetime, tmp_path: Path) -> None:
    old, new, other = (new_key(tmp_path, name) for name in ("old", "new", "other"))
    then = settings.model_copy(update={"raw_key": (old,)})
    both = settings.model_copy(update={"raw_key": (new, old)})
    first = snapshots.keep(then, "lab", b"first", now)
    second = snapshots.keep(both, "lab", b"second", now)
    assert [snapshots.body(both, ref.sha256) for ref in (first, second)] == [b"first", b"second"]
    assert not (settings.home / "keys").exists(), "keys kept elsewhere: the home makes none of its own"
    with pytest.raises(StoreFault, match="no key here opens this snapshot"):
        snapshots.body(then, second.sha256)
    only_new = settings.model_copy(update={"raw_key": (new,)})
    snapshots.keep(only_new, "lab", b"first", now)
    assert snapshots.body(only_new, first.sha256) == b"first", "bytes nobody could open any more are kept anew"
    with pytest.raises(StoreFault, match="no key here opens"):
        snapshots.body(settings.model_copy(update={"raw_key": (other,)}), first.sha256)


def test_a_key_may_come_from_the_environment(
    settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = settings.model_copy(update={"raw_key": ("env:VAULT_TEST_KEY",)})
    with pytest.raises(StoreFault, match="cannot be used"):
        snapshots.keep(named, "lab", SAID, now)
    monkeypatch.setenv("VAULT_TEST_KEY", "not a key")
    with pytest.raises(StoreFault, match="holds no key"):
        snapshots.keep(named, "lab", SAID, now)
    monkeypatch.setenv("VAULT_TEST_KEY", "AGE-SECRET-KEY-1NOTAKEY")
    with pytest.raises(StoreFault) as caught:
        snapshots.keep(named, "lab", SAID, now)
    assert "NOTAKEY" not in str(caught.value), "a key is never printed, not even a broken one"
    monkeypatch.setenv("VAULT_TEST_KEY", str(pyrage.x25519.Identity.generate()))
    assert snapshots.body(named, snapshots.keep(named, "lab", SAID, now).sha256) == SAID


SIZES = st.sampled_from([0, 1, 8191, 8192, 65_535, 65_536, 65_537, vault.BLOCK - 1, vault.BLOCK + 1, 3 * vault.BLOCK])


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=SIZES, seed=st.integers(0, 99), pieces=st.sampled_from([1000, 65_536, 2_000_000]), as_path=st.booleans())
def test_any_bytes_come_back_as_they_were(
    settings: Settings, now: datetime, tmp_path: Path, size: int, seed: int, pieces: int, as_path: bool
) -> None:
    said = random.Random(seed).randbytes(size)
    path = tmp_path / "given"
    path.write_bytes(said)
    ref = snapshots.keep(settings, "lab", path if as_path else said, now)
    assert ref.sha256 == hashlib.sha256(said).hexdigest() and ref.receipt.size == size
    with snapshots.stream(settings, ref.sha256) as found:
        read = bytearray()
        while block := found.read(pieces):
            read += block
    assert bytes(read) == said == snapshots.body(settings, ref.sha256)


def test_a_stream_left_early_leaves_no_thread_and_no_file_open(settings: Settings, now: datetime) -> None:
    ref = snapshots.keep(settings, "lab", os.urandom(20 * vault.BLOCK), now)
    threads, handles = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with snapshots.stream(settings, ref.sha256) as found:
            assert len(found.read(10)) == 10
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, handles)


def test_other_bytes_under_a_right_name_are_found_at_the_end(settings: Settings, now: datetime) -> None:
    """Sealed with the right key, whole, and yet not what the hash says."""
    one, two = (snapshots.keep(settings, "lab", said, now) for said in (b"one", b"two"))
    snapshots.path_of(settings, one.sha256).write_bytes(snapshots.path_of(settings, two.sha256).read_bytes())
    with pytest.raises(StoreFault, match="no longer have its hash"):
        snapshots.body(settings, one.sha256)


def test_a_file_that_grows_while_it_is_kept_leaves_nothing_behind(
    settings: Settings, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing.csv"
    path.write_bytes(b"first\n")
    hashed = vault.sha256_of

    def and_grows(body: bytes | Path) -> str:
        found = hashed(body)
        path.write_bytes(b"first\nsecond\n")
        return found

    monkeypatch.setattr(vault, "sha256_of", and_grows)
    with pytest.raises(StoreFault, match="changed while they were being kept"):
        snapshots.keep(settings, "lab", path, now)
    assert not list(settings.raw.rglob("*.age")) and not list(settings.raw.rglob("*.tmp"))
    assert snapshots.receipts(settings) == []


def test_the_same_bytes_again_write_nothing(settings: Settings, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(SAID)
    ref = snapshots.keep(settings, "lab", path, now)
    kept = snapshots.path_of(settings, ref.sha256)
    before = kept.stat()
    snapshots.keep(settings, "lab", path, now + timedelta(hours=1))
    after = kept.stat()  # when it was last read may differ
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
    assert len(snapshots.receipts(settings)) == 2


def test_plain_snapshots_of_an_older_home_are_read_and_can_be_sealed(settings: Settings, now: datetime) -> None:
    sha256 = hashlib.sha256(SAID).hexdigest()
    plain = settings.raw / sha256[:2] / sha256
    plain.parent.mkdir(parents=True)
    plain.write_bytes(SAID)
    assert snapshots.is_kept(settings, sha256) and snapshots.body(settings, sha256) == SAID
    assert snapshots.plain_ones(settings) == [plain]
    assert (snapshots.seal_plain_ones(settings), snapshots.seal_plain_ones(settings)) == (1, 0)
    assert not plain.exists() and snapshots.body(settings, sha256) == SAID
    assert b"Canary" not in everything_in(settings.home)


def test_a_plain_snapshot_that_was_altered_is_not_sealed_and_not_lost(settings: Settings) -> None:
    sha256 = hashlib.sha256(SAID).hexdigest()
    plain = settings.raw / sha256[:2] / sha256
    plain.parent.mkdir(parents=True)
    plain.write_bytes(b"something else")
    with pytest.raises(StoreFault):
        snapshots.seal_plain_ones(settings)
    assert plain.read_bytes() == b"something else" and not list(settings.raw.rglob("*.age"))


def test_the_name_of_a_personal_file_is_sealed_too(settings: Settings, now: datetime) -> None:
    ref = snapshots.keep(settings, "er", SAID, now, file="results Jane Canary.CSV", personal=True)
    assert ref.receipt.file == "name withheld.csv"
    assert b"Canary" not in everything_in(settings.home)
    assert snapshots.file_name(settings, ref.receipt.id, ref.receipt.file) == "results Jane Canary.CSV"
    other = snapshots.keep(settings, "lab", SAID, now, file="week 12.csv")
    assert snapshots.file_name(settings, other.receipt.id, other.receipt.file) == other.receipt.file == "week 12.csv"
    assert snapshots.withheld("x.J Smith") == "name withheld", "an ending that is none could hold a name as well"


STREAMED = """
import hashlib, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from ewarn.settings import Settings
from ewarn.store import snapshots
home, given = Path(sys.argv[1]), Path(sys.argv[2])
settings = Settings(home=home, content=home, overlay=home)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ref = snapshots.keep(settings, "lab", given, datetime(2025, 6, 2, tzinfo=UTC))
found = hashlib.sha256()
with snapshots.stream(settings, ref.sha256) as plain:
    while block := plain.read(1 << 20):
        found.update(block)
assert found.hexdigest() == ref.sha256
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    given = tmp_path / "large.csv"
    with given.open("wb") as out:
        for number in range(200):
            out.write(random.Random(number).randbytes(1 << 20))
    words = [sys.executable, "-c", STREAMED, str(tmp_path / "home"), str(given)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    assert int(found.stdout) < 60_000, "kB above what the program itself takes, for 200 MB"


def test_a_keyed_hash_needs_the_homes_key(settings: Settings, tmp_path: Path) -> None:
    key = vault.digest_key(settings)
    assert vault.digest_key(settings) == key and len(key) >= 32
    assert stat.S_IMODE((settings.home / "keys" / "digest.key").stat().st_mode) == 0o600
    other = vault.digest_key(settings.model_copy(update={"home": tmp_path / "another"}))
    one = vault.keyed_digest(key, "The Crown")
    assert one == vault.keyed_digest(key, "The Crown") != vault.keyed_digest(other, "The Crown")
    assert one != vault.keyed_digest(key, "The Crown ") and len(one) == 16
