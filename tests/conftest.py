"""What every test shares: the real development data where it is present, and words for what is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from ewarn.pipeline import identity

ROOT = Path(__file__).resolve().parent.parent
LONG = ("flows", "journeys", "desk", "cli", "matching")


def require(name: str, present: bool, word: str) -> None:
    """Skip with a word when something is absent; fail instead when EWARN_REQUIRE names it."""
    if present:
        return
    if name in os.environ.get("EWARN_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"EWARN_REQUIRE names {name}: {word}")
    pytest.skip(word)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests take long begin first, so that no process is left with one of them at the end."""
    long = tuple(ROOT / "tests" / name for name in LONG)
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in long))


@pytest.fixture(scope="session", autouse=True)
def quick_secrets() -> Iterator[PasswordHasher]:
    """Secrets are hashed as cheaply as Argon2 can. What the product's own hashing costs is looked at by itself."""
    own = identity._HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield own


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the project; never copied into it."""
    folder = Path(os.environ.get("EWARN_SHARED", ROOT.parent / "shared"))
    require("shared", (folder / "data").is_dir(), "the development data is not beside the project")
    return folder


@pytest.fixture(scope="session")
def openssl() -> str:
    path = shutil.which("openssl")
    require("openssl", path is not None, "openssl is not installed")
    return str(path)


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    require("chromium", path is not None, "Chromium is not installed")
    return str(path)
